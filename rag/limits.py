"""The limits of loaders: how documents are cut, how large they may be; the only place of these defaults.

Knows numbers; knows no file and no setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HELD_BYTES = 500_000_000  # of files unpacked from others that one reader has in memory at a time


@dataclass(frozen=True, slots=True)
class Limits:
    """How finely a loader cuts, and its size limits. Every field can change passages, so all are part of their identity."""

    passage_characters: int = 1200  # a text span is at most this long
    frame_seconds: float = 4.0  # at most one frame per this many seconds of video
    frames: str = "keyframes"  # "keyframes": the nearest keyframe to each moment; "uniform": that exact moment
    max_pixels: int = 1_310_720  # pictures are decoded down to this many pixels: the models see no more
    max_source_pixels: int = 100_000_000  # a picture with more is refused as a bomb
    max_file_bytes: int = 2_000_000_000
    max_text_bytes: int = 50_000_000
    max_pages: int = 5_000
    # Of what is inside files; left out of `repr`, and so of the identity of documents that cannot hold others.
    max_depth: int = field(default=3, repr=False)  # files in files: a picture in a document in an archive is at depth 2
    max_members: int = field(default=10_000, repr=False)  # in one document, at all depths
    max_unpacked_bytes: int = field(default=2_000_000_000, repr=False)  # of one document, at all depths
