"""Makes files that cannot be read as what they claim to be, for the report of skipped documents.

Knows what is wrong with each; they lie outside the corpus.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from samples.make.places import BROKEN, CORPUS

BOMB_SIDE = 20_000  # pixels; 400 million in all, 1.2 GB as RGB


def write_broken() -> None:
    """broken/: a cut PDF, an empty picture, a text called .jpg, a picture bomb, a video without its index."""
    BROKEN.mkdir(parents=True, exist_ok=True)
    (BROKEN / "cut-in-the-post.pdf").write_bytes((CORPUS / "reports" / "annual-report-2025.pdf").read_bytes()[:30_000])
    (BROKEN / "empty.png").write_bytes(b"")
    (BROKEN / "not-a-picture.jpg").write_text("This is a shopping list: milk, rope, two lamps.\n", encoding="utf-8")
    write_bomb(BROKEN / "poster-huge.png")
    talk = (CORPUS / "videos" / "induction-talk.mp4").read_bytes()
    (BROKEN / "no-index.mp4").write_bytes(talk[: talk.rindex(b"moov") - 4])


def write_bomb(file: Path) -> None:
    """A valid PNG of BOMB_SIDE squared, one bit a pixel, packed row by row."""
    packer = zlib.compressobj(9)
    stripe = b"\x00" + b"\xff\x00" * (BOMB_SIDE // 16)  # filter type 0, then eight white and eight black pixels in turn
    body = b"".join(packer.compress(stripe) for _ in range(BOMB_SIDE)) + packer.flush()
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    packed = [
        struct.pack(">I", len(words)) + kind + words + struct.pack(">I", zlib.crc32(kind + words)) for kind, words in chunks
    ]
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
