"""The induction talk: six slides of six seconds, each faded in, as exported from a slide program. No sound, no subtitles.

Knows the words of the slides.
"""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image, ImageDraw

from samples.make.places import font, place
from samples.make.video import SIZE, encode

RATE = 10
SECONDS = 6
SLIDES = (
    ("Welcome aboard", ("Induction talk for new colleagues", "Skarvoy Harbour Trust", "chart room, every Tuesday at 10")),
    (
        "Three ways to raise the alarm",
        ("1  Red button at every berth", "2  Radio channel 12: say MAYDAY HARBOUR", "3  Telephone 200, any hour"),
    ),
    (
        "Your life jacket",
        ("Size S to 60 kg, M to 80 kg, L above", "Crotch strap closed, always", "Cartridge green? Good. Red? Swap it"),
    ),
    ("Where you must not stand", ("Inside the loop of a rope", "Between a load and the wall", "Under the jib of crane B4")),
    ("If somebody falls in", ("Shout, point, never look away", "Throw the ring, then the line", "Ladders have yellow tops")),
    ("Questions?", ("Ask Ines, extension 201", "Coffee is in the radio room", "The kettle belongs to the night shift")),
)


def draw_slide(number: int) -> Image.Image:
    """One slide, counted from 0."""
    title, lines = SLIDES[number]
    board = Image.new("RGB", SIZE, (248, 249, 250))
    draw = ImageDraw.Draw(board)
    draw.rectangle((0, 0, SIZE[0], 84), fill=(18, 64, 106))
    draw.text((32, 42), title, font=font("bold", 36), fill="white", anchor="lm")
    for row, line in enumerate(lines):
        draw.text((48, 120 + row * 62), line, font=font("sans", 28), fill=(30, 40, 52))
    draw.text((SIZE[0] - 20, SIZE[1] - 18), f"{number + 1}", font=font("sans", 16), fill=(120, 130, 140), anchor="rs")
    return board


def _show() -> Iterator[Image.Image]:
    before = Image.new("RGB", SIZE, (18, 64, 106))
    for number in range(len(SLIDES)):
        slide = draw_slide(number)
        for frame in range(SECONDS * RATE):
            yield Image.blend(before, slide, min(1.0, (frame + 1) / 5))
        before = slide


def save_talk() -> None:
    """videos/induction-talk.mp4, 36 s."""
    encode(_show(), place("videos", "induction-talk.mp4"), RATE)
