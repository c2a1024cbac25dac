"""The walk-through of the fire pump: the diagram with one part lit after the other, its words only in the subtitles. 32 s.

Knows the steps; the diagram is the one in diagrams/.
"""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from samples.make.drawings import draw_pump
from samples.make.places import place
from samples.make.video import SIZE, encode

RATE = 10
STEPS = (  # seconds, part that is lit, subtitle
    (0, 4, "", "This is the pump that feeds every hydrant on the quay. We start it by hand once a week."),
    (4, 9, "sea chest", "Weed collects at the inlet. Look through the grating first; eels have been found there."),
    (9, 14, "valve V3", "Before you open the basket, shut this one, or the harbour comes into the room with you."),
    (14, 19, "drain cock D1", "Let the rest run off into a bucket. When it stops dripping, the lid may come off."),
    (19, 24, "strainer", "Rinse the basket with fresh water, put a thin smear of tallow on the rubber ring, close the lid."),
    (24, 28, "fire pump", "Never let it turn dry: thirty seconds without water and the shaft seal is gone."),
    (28, 32, "pressure gauge", "Eight bar within a minute, and we are done. Write it in the book and sign."),
)


def _film() -> Iterator[Image.Image]:
    for start, end, part, _ in STEPS:
        lit, plain = draw_pump(SIZE, part), draw_pump(SIZE)
        for frame in range((end - start) * RATE):
            yield plain if part and frame < 6 and frame % 4 < 2 else lit


def _clock(seconds: int) -> str:
    return f"00:00:{seconds:02d},000"


def save_pump() -> None:
    """videos/pump-walkthrough.mp4 and its subtitles."""
    encode(_film(), place("videos", "pump-walkthrough.mp4"), RATE)
    cues = [f"{number}\n{_clock(start)} --> {_clock(end)}\n{words}\n" for number, (start, end, _, words) in enumerate(STEPS, 1)]
    place("videos", "pump-walkthrough.srt").write_text("\n".join(cues), encoding="utf-8")
