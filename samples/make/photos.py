"""Saves the pictures of the corpus under the names a camera, a phone or a colleague would give them, and the query pictures.

Knows which scene gets which name, format, date and caption; draws nothing itself.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps
from pillow_heif import register_heif_opener

from samples.make import charts, coast, drawings, landscapes
from samples.make.places import QUERY_PICTURES, place

ORIENTATION, EXIF_IFD, DATE_TAKEN, MAKE, MODEL = 0x0112, 0x8769, 0x9003, 0x010F, 0x0110


def save_photo(image: Image.Image, file: Path, taken: str, quality: int = 78, orientation: int = 1) -> None:
    """A JPEG as a camera writes it; with orientation 6 the pixels lie on their side and EXIF says so."""
    exif = Image.Exif()
    exif[MAKE], exif[MODEL], exif[ORIENTATION] = "Fulmar", "Pocket 3", orientation
    exif.get_ifd(EXIF_IFD)[DATE_TAKEN] = taken
    stored = image.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else image
    stored.save(file, quality=quality, exif=exif, optimize=True)


def save_photos() -> None:
    """photos/: scenes as a camera names them; a burst, a smaller copy and a recompressed one."""
    register_heif_opener()
    sunset, lighthouse = landscapes.paint_sunset(), coast.paint_lighthouse()
    save_photo(sunset, place("photos", "IMG_2041.jpg"), "2026:05:30 22:14:09")
    save_photo(
        sunset.resize((480, 320), Image.Resampling.LANCZOS), place("photos", "for-web", "IMG_2041.jpg"), "2026:05:30 22:14:09"
    )
    save_photo(landscapes.paint_forest(), place("photos", "IMG_2057.jpg"), "2026:06:01 09:40:51", orientation=6)
    save_photo(coast.paint_blue_harbour(), place("photos", "IMG_2063.jpg"), "2026:06:06 11:05:33")
    landscapes.paint_dunes().save(place("photos", "IMG_2078.avif"), quality=58)
    landscapes.paint_mountains().save(place("photos", "IMG_2085.heic"), quality=50)
    save_photo(landscapes.paint_lupins(), place("photos", "IMG_2091.jpg"), "2026:06:21 15:22:40", quality=70)
    place("photos", "IMG_2091.txt").write_text("Lupins behind the school, the day of the midsummer picnic\n", encoding="utf-8")
    save_photo(drawings.paint_poster(), place("photos", "IMG_2110.jpg"), "2026:07:02 08:12:00")
    save_photo(drawings.paint_red_car(), place("photos", "DSC_0113.jpg"), "2026:04:12 13:31:17")
    coast.paint_night_city().save(place("photos", "night-city.webp"), quality=74, method=6)
    save_photo(lighthouse, place("photos", "gull-head.jpg"), "2026:06:06 12:20:02")
    place("photos", "gull-head.jpg.txt").write_text(
        "Gull Head lighthouse seen from the cliff path, painted again in May by the apprentices\n", encoding="utf-8"
    )
    save_photo(lighthouse, place("photos", "for-web", "gull-head.jpg"), "2026:06:06 12:20:02", quality=30)
    for step in range(3):
        save_photo(
            coast.paint_sailing(step), place("photos", "burst", f"IMG_{3001 + step}.jpg"), f"2026:07:11 14:02:1{step}", quality=72
        )


def save_charts_and_diagrams() -> None:
    """charts/ and diagrams/: some with telling names, some without."""
    charts.chart_cargo().save(place("charts", "cargo-2025.png"), optimize=True)
    charts.chart_sea_temperature().save(place("charts", "c02.png"), optimize=True)
    charts.chart_tide_and_surge().save(place("charts", "c03.jpg"), quality=82)
    charts.chart_shares().save(place("charts", "p7.webp"), quality=80, method=6)
    drawings.draw_pump((1320, 742)).save(place("diagrams", "img_2207.png"), optimize=True)
    drawings.draw_network().save(place("diagrams", "network.png"), optimize=True)
    drawings.draw_berths().save(place("diagrams", "berth-plan.tiff"), compression="tiff_lzw")


def save_query_pictures() -> None:
    """What somebody searches with: scenes cut, scaled, mirrored, brighter or drawn anew; never a file of the corpus."""
    QUERY_PICTURES.mkdir(parents=True, exist_ok=True)
    evening = landscapes.paint_sunset().crop((330, 120, 1180, 700)).resize((600, 409), Image.Resampling.LANCZOS)
    ImageEnhance.Brightness(evening).enhance(1.12).save(QUERY_PICTURES / "evening.jpg", quality=80)
    coast.paint_sailing(4).crop((120, 60, 1120, 800)).resize((500, 370), Image.Resampling.LANCZOS).save(
        QUERY_PICTURES / "boat.jpg", quality=75
    )
    trees = ImageOps.mirror(landscapes.paint_forest().crop((60, 250, 820, 1200)))
    trees.resize((400, 500), Image.Resampling.LANCZOS).save(QUERY_PICTURES / "trees.webp", quality=78)
    peaks = landscapes.paint_mountains().crop((100, 40, 1180, 800)).resize((640, 450), Image.Resampling.LANCZOS)
    ImageEnhance.Contrast(peaks).enhance(0.85).save(QUERY_PICTURES / "peaks.png", optimize=True)
