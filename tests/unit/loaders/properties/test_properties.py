"""What files say of themselves: dates with their zones, people, places, keywords, ratings, coordinates."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rag.loaders.base import Limits
from rag.loaders.picture.picture import PictureLoader
from rag.loaders.properties.base import coordinates, said
from rag.loaders.properties.dates import date_of
from rag.loaders.properties.names import date_in_name
from rag.loaders.properties.video import _tagged
from rag.types import Document, DocumentId, Passage


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2019:07:14 10:20:30", at(2019, 7, 14, 10, 20, 30)),  # EXIF
        ("2019-07-14T10:20:30+02:00", at(2019, 7, 14, 8, 20, 30)),  # XMP
        ("2019-07", at(2019, 7, 1)),
        ("D:20190714102030+02'00'", at(2019, 7, 14, 8, 20, 30)),  # PDF
        ("D:20190714102030Z", at(2019, 7, 14, 10, 20, 30)),
        ("Sun, 14 Jul 2019 10:20:30 -0500", at(2019, 7, 14, 15, 20, 30)),  # mail
        ("2019-07-14T10:20:30.123456Z", at(2019, 7, 14, 10, 20, 30)),  # video
        ("0000:00:00 00:00:00", None),
        ("1970-01-01T00:00:00Z", None),  # an unset clock
        ("2019:13:45 10:20:30", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_as_metadata_write_them(written: str, date: float | None) -> None:
    assert date_of(written) == date


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("IMG_20190714_102030.jpg", (2019, 7, 14)),
        ("PXL_20210102_030405678.jpg", (2021, 1, 2)),
        ("IMG-20190714-WA0003.jpg", (2019, 7, 14)),
        ("Screenshot 2023-05-06 at 07.08.09.png", (2023, 5, 6)),
        ("Bildschirmfoto 2023-05-06 um 07.08.09.png", (2023, 5, 6)),
        ("signal-2022-03-04-050607.jpg", (2022, 3, 4)),
        ("VID_20180203_112233.mp4", (2018, 2, 3)),
        ("DSC01234.jpg", None),
        ("invoice-20991399.pdf", None),
    ],
)
def test_dates_in_names(name: str, day: tuple[int, int, int] | None) -> None:
    found = date_in_name(name)
    assert (None if found is None else datetime.fromtimestamp(found, UTC).timetuple()[:3]) == day


def first(file: Path, *companions: Path) -> Passage:
    return next(iter(PictureLoader().split(Document(DocumentId("r", file.name), file, companions=companions), Limits())))


def picture(file: Path, **tags: object) -> Path:
    exif = Image.Exif()
    inner, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    inner.update({0x9003: "2019:07:14 10:20:30", 0x9011: "+02:00"})
    gps.update({1: "S", 2: (33.0, 51.0, 30.0), 3: "E", 4: (151.0, 12.0, 36.0)})
    exif.update({0x010E: "Ferry at the quay", 0x013B: "Ann Example", 0x0132: "2024:01:01 00:00:00", 0x4746: 4})
    Image.new("RGB", (64, 48), "teal").save(file, exif=exif)
    return file


def test_exif_gives_date_place_words_author_and_rating(tmp_path: Path) -> None:
    passage = first(picture(tmp_path / "a.jpg"))
    assert passage.taken == at(2019, 7, 14, 8, 20, 30)
    assert passage.context.location == pytest.approx((-33.858333, 151.21), abs=1e-5)
    assert (passage.caption, passage.context.about) == ("Ferry at the quay", "by Ann Example, rated 4 of 5 stars")


def test_a_sidecar_of_a_photo_program_counts_before_the_camera(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.xmp"
    sidecar.write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmp:Rating="5" exif:DateTimeOriginal="2018-02-03T04:05:06Z">'
        "<dc:subject><rdf:Bag><rdf:li>regatta</rdf:li><rdf:li>harbour</rdf:li></rdf:Bag></dc:subject></rdf:Description>"
        "</rdf:RDF></x:xmpmeta>"
    )
    passage = first(picture(tmp_path / "a.jpg"), sidecar)
    assert passage.taken == at(2018, 2, 3, 4, 5, 6)
    assert passage.caption.split("\n") == ["Ferry at the quay", "regatta, harbour"]
    assert passage.context.about == "by Ann Example, rated 5 of 5 stars"


def test_takeout_gives_date_people_and_place_where_the_picture_has_none(tmp_path: Path) -> None:
    bare = tmp_path / "b.jpg"
    Image.new("RGB", (64, 48), "teal").save(bare)
    beside = tmp_path / "b.jpg.json"
    beside.write_text(
        json.dumps(
            {
                "title": "b.jpg",
                "description": "At the fair",
                "photoTakenTime": {"timestamp": "1563099630"},
                "geoData": {"latitude": 47.05, "longitude": 8.3},
                "people": [{"name": "Wilhelmina"}],
            }
        )
    )
    passage = first(bare, beside)
    assert (passage.taken, passage.context.location) == (1563099630.0, (47.05, 8.3))
    assert passage.caption.split("\n") == ["At the fair", "Wilhelmina"]


def test_texts_of_a_png(tmp_path: Path) -> None:
    texts = PngInfo()
    texts.add_text("Title", "Tidal mill")
    texts.add_itxt("Author", "Jörg Müller")
    texts.add_text("Creation Time", "2020-05-04T03:02:01Z")
    Image.new("RGB", (64, 48)).save(tmp_path / "c.png", pnginfo=texts)
    passage = first(tmp_path / "c.png")
    assert (passage.caption, passage.context.about, passage.taken) == ("Tidal mill", "by Jörg Müller", at(2020, 5, 4, 3, 2, 1))


def test_tags_of_a_video() -> None:
    found = _tagged(
        {
            "creation_time": "2021-06-07T08:09:10.000000Z",
            "com.apple.quicktime.location.ISO6709": "+47.0500+008.3000+435.0/",
            "title": "Weir in flood",
            "artist": "Ann",
            "comment": "filmed from the bridge",
        }
    )
    assert (found.title, found.authors, found.description) == ("Weir in flood", ("Ann",), ("filmed from the bridge",))
    assert (found.dated, found.location) == (at(2021, 6, 7, 8, 9, 10), (47.05, 8.3))


@pytest.mark.parametrize("nonsense", ["OLYMPUS DIGITAL CAMERA", "Created with GIMP", "", "\x00\x01", "{", "12"])
def test_what_programs_write_is_no_description(nonsense: str) -> None:
    assert said(nonsense) == ""


def test_coordinates_are_on_earth() -> None:
    assert coordinates(91, 0) is coordinates(0, 0) is coordinates(float("nan"), 1) is None
    assert coordinates(-33.5, 151.25) == (-33.5, 151.25)
