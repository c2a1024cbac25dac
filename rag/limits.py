"""How documents are cut into passages, and how far a reader goes: the one home of these defaults.

Knows numbers; knows no file and no setting.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How a loader cuts and how far it goes. All of it changes passages, so all of it is part of their identity."""

    passage_characters: int = 1200  # a text span is at most this long
    frame_seconds: float = 4.0  # at most one frame in this many seconds of video
    frames: str = "keyframes"  # "keyframes": the nearest keyframe to each moment; "uniform": that exact moment
    max_pixels: int = 1_310_720  # pictures are decoded down to this many pixels: the models see no more
    max_source_pixels: int = 100_000_000  # a picture with more is a bomb
    max_file_bytes: int = 2_000_000_000
    max_text_bytes: int = 50_000_000
    max_pages: int = 5_000
