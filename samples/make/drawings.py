"""Drawn pictures: a red sports car, a regatta poster, and the labelled diagrams of pump room, network and berths.

Knows brushes and fonts; knows no file names. The pump diagram is used by the walk-through video as well.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from samples.make.paint import blend, curve, draw_smooth, glow, gradient, grain, picture
from samples.make.places import font

INK = (34, 44, 56)


def paint_red_car() -> Image.Image:
    """A red sports car on a grey road, seen from the side."""
    width, height = 1280, 854
    scene = gradient(width, height, [(0, (206, 214, 222)), (0.62, (236, 236, 232)), (0.63, (120, 122, 126)), (1, (74, 76, 82))])
    scene = blend(scene, (255, 252, 240), glow(width, height, (300, 200), 260) * 0.7)

    def stroke(draw: ImageDraw.ImageDraw, scale: int) -> None:
        def smooth(points: list[tuple[float, float]], fill: tuple[int, ...]) -> None:
            draw.polygon([(a * scale, b * scale) for a, b in curve(points)], fill=(*fill, 255))

        def oval(x: float, y: float, across: float, down: float, fill: tuple[int, ...]) -> None:
            draw.ellipse([edge * scale for edge in (x - across, y - down, x + across, y + down)], fill=(*fill, 255))

        for x in range(-40, width, 240):
            draw.polygon(
                [(a * scale, b * scale) for a, b in [(x, 770), (x + 120, 770), (x + 100, 786), (x - 26, 786)]],
                fill=(226, 222, 206, 255),
            )
        oval(640, 668, 480, 26, (44, 46, 50))
        body = [
            (170, 560),
            (230, 510),
            (380, 482),
            (500, 424),
            (640, 388),
            (760, 392),
            (870, 446),
            (1030, 474),
            (1110, 520),
            (1120, 600),
        ]
        smooth([*body, (1080, 648), (640, 656), (220, 648), (164, 610)], (198, 18, 26))
        smooth([(200, 560), (400, 520), (700, 508), (1000, 510), (1100, 540), (1000, 530), (700, 530), (400, 545)], (236, 70, 66))
        smooth([(452, 476), (540, 432), (640, 408), (690, 408), (694, 470), (560, 482)], (40, 52, 66))
        smooth([(712, 408), (770, 414), (846, 458), (800, 472), (714, 472)], (40, 52, 66))
        smooth([(480, 470), (560, 430), (600, 420), (540, 474)], (96, 114, 132))
        draw.line(
            [(a * scale, b * scale) for a, b in [(704, 486), (712, 560), (690, 640)]], fill=(140, 10, 18, 255), width=scale * 3
        )
        draw.line([(a * scale, b * scale) for a, b in [(600, 536), (650, 532)]], fill=(110, 8, 14, 255), width=scale * 6)
        smooth([(186, 560), (240, 536), (282, 540), (232, 572)], (255, 246, 206))
        smooth([(1072, 520), (1112, 530), (1116, 556), (1080, 546)], (255, 120, 90))
        for x in (350, 930):
            oval(x, 628, 96, 92, (24, 24, 28))
            oval(x, 634, 84, 84, (18, 18, 20))
            oval(x, 634, 56, 56, (198, 202, 208))
            for angle in np.linspace(0, 2 * np.pi, 5, endpoint=False):
                tip = (x + 50 * np.cos(angle), 634 + 50 * np.sin(angle))
                draw.line([(x * scale, 634 * scale), (tip[0] * scale, tip[1] * scale)], fill=(70, 74, 82, 255), width=scale * 12)
            oval(x, 634, 13, 13, (170, 20, 26))

    return grain(draw_smooth(picture(scene), stroke), 2, 201)


def paint_poster() -> Image.Image:
    """The poster of the regatta, as photographed on a wall."""
    poster = picture(
        gradient(760, 1080, [(0, (250, 232, 196)), (0.55, (248, 196, 130)), (0.56, (30, 96, 120)), (1, (14, 58, 84))])
    )

    def stroke(draw: ImageDraw.ImageDraw, scale: int) -> None:
        for x, size, shade in [(210, 330, (255, 255, 250)), (420, 470, (214, 60, 48)), (610, 260, (250, 244, 226))]:
            foot = 690 + size * 0.1
            for edge in ((-0.03, -1.0, -0.36, -0.08), (0.03, -0.9, 0.34, -0.08)):
                points = [
                    (x + edge[0] * size, foot + edge[1] * size),
                    (x + edge[0] * size, foot + edge[3] * size),
                    (x + edge[2] * size, foot + edge[3] * size),
                ]
                draw.polygon([(a * scale, b * scale) for a, b in points], fill=(*shade, 255))
            hull = [
                (x - 0.3 * size, foot - 0.05 * size),
                (x + 0.34 * size, foot - 0.05 * size),
                (x + 0.22 * size, foot + 0.05 * size),
                (x - 0.22 * size, foot + 0.05 * size),
            ]
            draw.polygon([(a * scale, b * scale) for a, b in hull], fill=(40, 30, 26, 255))

    poster = draw_smooth(poster, stroke)
    draw = ImageDraw.Draw(poster)
    draw.text((380, 60), "SKARVOY", font=font("bold", 92), fill=(24, 70, 96), anchor="ma")
    draw.text((380, 160), "REGATTA", font=font("bold", 92), fill=(190, 44, 36), anchor="ma")
    for line, (y, size) in {
        "Saturday 12 September 2026": (800, 44),
        "Start 11:00 off the south mole": (862, 36),
        "Enter by 1 September at the ticket office": (912, 30),
        "Afterwards: fish, fiddles and fireworks": (958, 30),
    }.items():
        draw.text((380, y), line, font=font("bold", size), fill=(255, 246, 224), anchor="ma")
    wall = picture(gradient(960, 1280, [(0, (176, 168, 158)), (1, (150, 142, 134))]))
    wall.paste(Image.new("RGB", (776, 1096), (96, 90, 84)), (98, 98))
    wall.paste(poster, (90, 90))
    return grain(wall.rotate(1.4, Image.Resampling.BICUBIC, fillcolor=(160, 152, 144)), 3, 202)


PUMP_PARTS = {
    "sea chest": (70, 210),
    "valve V3": (200, 210),
    "strainer": (330, 210),
    "fire pump": (480, 210),
    "valve V7": (640, 210),
    "ring main": (800, 210),
    "drain cock D1": (330, 360),
    "pressure gauge": (560, 90),
}


def draw_pump(size: tuple[int, int], lit: str = "", title: str = "Fire pump room, Berth 6") -> Image.Image:
    """The diagram of the fire pump; `lit` names the part drawn in orange."""
    board = Image.new("RGB", (880, 495), (250, 249, 244))
    draw = ImageDraw.Draw(board)
    draw.text((24, 16), title, font=font("bold", 26), fill=INK)
    draw.line([(70, 210), (800, 210)], fill=(60, 120, 180), width=12)
    draw.line([(330, 210), (330, 360)], fill=(60, 120, 180), width=8)
    draw.line([(560, 210), (560, 90)], fill=(60, 120, 180), width=5)
    for name, (x, y) in PUMP_PARTS.items():
        fill = (245, 150, 40) if name == lit else (255, 255, 255)
        if name.startswith(("valve", "drain")):
            draw.polygon(
                [(x - 26, y - 20), (x + 26, y + 20), (x + 26, y - 20), (x - 26, y + 20)], fill=fill, outline=INK, width=3
            )
        elif name in ("fire pump", "pressure gauge"):
            half = 46 if name == "fire pump" else 26
            draw.ellipse((x - half, y - half, x + half, y + half), fill=fill, outline=INK, width=4)
            draw.polygon([(x - half * 0.3, y - half * 0.5), (x + half * 0.6, y), (x - half * 0.3, y + half * 0.5)], fill=INK)
        else:
            draw.rectangle((x - 42, y - 36, x + 42, y + 36), fill=fill, outline=INK, width=4)
        low = 52 if name == "fire pump" else 42
        label = font("bold" if name == lit else "sans", 20)
        draw.text((x, y + low), name, font=label, fill=INK, anchor="ma", stroke_width=5, stroke_fill=(250, 249, 244))
    return board.resize(size, Image.Resampling.LANCZOS)


def draw_network() -> Image.Image:
    """How the computers of the Trust hang together."""
    board = Image.new("RGB", (1200, 780), (255, 255, 255))
    draw = ImageDraw.Draw(board)
    draw.text((40, 26), "Network of the Skarvoy Harbour Trust", font=font("bold", 34), fill=INK)
    boxes = {
        "internet": (600, 130, "Internet", (220, 232, 244)),
        "firewall": (600, 240, "Firewall (two, one asleep)", (250, 214, 206)),
        "switch": (600, 370, "Core switch", (224, 224, 232)),
        "office": (180, 520, "VLAN 10\nOffices, printers", (222, 240, 220)),
        "radio": (460, 520, "VLAN 20\nRadio and radar", (222, 240, 220)),
        "gauges": (740, 520, "VLAN 30\nTide gauges, weather", (222, 240, 220)),
        "guests": (1020, 520, "VLAN 90\nGuests, café", (244, 238, 206)),
        "petrel": (460, 680, "petrel: file server", (230, 222, 244)),
        "store": (800, 680, "lighthouse store: backups", (230, 222, 244)),
    }
    for a, b in [
        ("internet", "firewall"),
        ("firewall", "switch"),
        ("switch", "office"),
        ("switch", "radio"),
        ("switch", "gauges"),
        ("switch", "guests"),
        ("switch", "petrel"),
        ("petrel", "store"),
    ]:
        draw.line([boxes[a][:2], boxes[b][:2]], fill=(120, 130, 142), width=4)
    for x, y, words, fill in boxes.values():
        draw.rounded_rectangle((x - 125, y - 40, x + 125, y + 40), 12, fill=fill, outline=INK, width=3)
        draw.multiline_text((x, y), words, font=font("sans", 20), fill=INK, anchor="mm", align="center")
    return board


def draw_berths() -> Image.Image:
    """The plan of the nine berths with depths."""
    board = Image.new("RGB", (1240, 860), (206, 228, 242))
    draw = ImageDraw.Draw(board)
    draw.polygon(
        [(0, 860), (0, 560), (200, 540), (200, 600), (880, 600), (880, 480), (1000, 480), (1000, 640), (1240, 620), (1240, 860)],
        fill=(228, 222, 206),
        outline=INK,
    )
    draw.line([(120, 560), (60, 330), (240, 180)], fill=(120, 116, 110), width=26)
    draw.line([(1180, 620), (1190, 360), (1010, 200)], fill=(120, 116, 110), width=26)
    draw.text((40, 24), "Plan of berths, Skarvoy harbour", font=font("bold", 34), fill=INK)
    draw.text((40, 70), "depths in metres below chart datum", font=font("sans", 22), fill=INK)
    berths = [
        (290, 545, "1", "5.2"),
        (410, 545, "2 ferry", "6.0"),
        (530, 545, "3", "6.0"),
        (650, 545, "4", "6.4"),
        (780, 545, "5 shore power", "6.4"),
        (940, 425, "6 fuel", "5.8"),
        (1090, 575, "7 crane B4", "9.1"),
        (1110, 470, "8 crane B4", "9.1"),
        (175, 420, "9 workboats", "4.1"),
    ]
    for x, y, name, depth in berths:
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill=(196, 40, 36))
        draw.text((x, y - 52), name, font=font("bold", 20), fill=INK, anchor="ma")
        draw.text((x, y + 14), depth, font=font("sans", 20), fill=(30, 80, 120), anchor="ma")
    for x, y, name in [
        (230, 290, "north mole"),
        (1000, 290, "south mole"),
        (500, 700, "customs house"),
        (760, 700, "fish hall"),
        (1100, 720, "ice house"),
        (560, 320, "outer basin"),
    ]:
        draw.text((x, y), name, font=font("serif-italic", 26), fill=INK, anchor="ma")
    return board
