"""Files the benchmarks read, made once under .work/bench and kept.

Knows formats; knows nothing of what is measured.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.zipf import word

HOME = Path(__file__).parents[2] / ".work/bench"
VOCABULARY = 20_000  # words: 200,000 of these hold 13,000 that differ, as real texts of that length do
_COMMON = 1 / (np.arange(VOCABULARY) + 2.7) ** 1.05  # Zipf's law, in Mandelbrot's form
_CHANCES = _COMMON / _COMMON.sum()
_PICTURES = 60  # of 12 megapixels that differ
_RATE, _KEYS, _SCENE = 25, 100, 300  # of films: frames a second, frames between keyframes, frames of one scene


def folder_of(name: str, count: int, write: Callable[[Path, int], None], suffix: str) -> Path:
    """A folder of so many files, each made by `write(file, number)` where it is not there yet."""
    folder = HOME / f"{name}-{count}"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        file = folder / f"{name}{number:05}{suffix}"
        if not file.exists():
            write(file, number)
    return folder


def photo(file: Path, number: int) -> None:
    """A JPEG of 12 megapixels: soft shapes and some grain, about 1.6 MB. From the 61st on pictures repeat, files do not."""
    from PIL import Image

    if number >= _PICTURES:
        shown = file.with_name(f"photo{number % _PICTURES:05}.jpg").read_bytes()
        file.write_bytes(shown + number.to_bytes(8))  # after the end mark: no decoder reads it
        return
    random = np.random.default_rng(number)
    soft = Image.fromarray(random.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((4000, 3000), Image.Resampling.BICUBIC)
    grain = random.integers(-6, 6, (3000, 4000, 1))
    pixels = (np.asarray(soft, np.int16) + grain).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(file, quality=85)


def report(file: Path, number: int, pages: int = 10) -> None:
    """A PDF of A4 pages, each with 40 lines of words as common as in real texts, and a picture of 600 × 400 pixels."""
    from PIL import Image

    random = np.random.default_rng(number)
    shown = io.BytesIO()
    small = Image.fromarray(random.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    small.resize((600, 400), Image.Resampling.BICUBIC).save(shown, "JPEG", quality=85)
    picture = shown.getvalue()
    kids = " ".join(f"{5 + 2 * page} 0 R" for page in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /XObject /Subtype /Image /Width 600 /Height 400 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode "
        + f"/Length {len(picture)} >>\nstream\n".encode() + picture + b"\nendstream",
    ]  # fmt: skip
    for page in range(pages):
        words = [word(int(rank)) for rank in random.choice(VOCABULARY, 400, p=_CHANCES)]
        lines = "".join(f"({' '.join(words[at : at + 10])}) Tj T*\n" for at in range(0, 400, 10))
        drawn = (
            f"q 400 0 0 260 90 540 cm /I Do Q\nBT /F 10 Tf 60 500 Td 11 TL\n(page {page} of {number}) Tj T*\n{lines}ET".encode()
        )
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {6 + 2 * page} 0 R "
            f"/Resources << /Font << /F 3 0 R >> /XObject << /I 4 0 R >> >> >>".encode()
        )
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n".encode() + drawn + b"\nendstream")
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.7\n")
    places = []
    for place, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{place} 0 obj\n".encode() + body + b"\nendobj\n")
    table = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode() + b"".join(b"%010d 00000 n \n" % at for at in places))
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode())
    file.write_bytes(out.getvalue())


def letter(file: Path, number: int) -> None:
    """A text of about 1,000 characters: one passage."""

    letters = np.random.default_rng(number).choice(list("abcdefghijklmnoprstuw"), (140, 6))
    file.write_text(" ".join("".join(word) for word in letters))


def chapter(file: Path, number: int) -> None:
    """A text of 20 paragraphs of 100 to 300 words, as common and as rare as those of real texts: about 25 passages."""
    import numpy as np

    words, cumulated = _vocabulary()
    random = np.random.default_rng(number)
    paragraphs = [
        " ".join(words[np.searchsorted(cumulated, random.random(length)).clip(max=len(words) - 1)])
        for length in random.integers(100, 301, 20)
    ]
    file.write_text("\n\n".join(paragraphs))


@cache
def _vocabulary() -> tuple[Any, Any]:
    """200,000 words, and the cumulated chances of each by Zipf's law."""
    import numpy as np

    from tests import zipf

    chances = 1 / (np.arange(zipf.VOCABULARY) + 2.7) ** 1.05
    return np.array([zipf.word(rank) for rank in range(zipf.VOCABULARY)]), np.cumsum(chances / chances.sum())


def film(file: Path, number: int, minutes: int) -> None:
    """H.264 of 1920 × 1080, 25 frames a second, a keyframe every 4 s; every 12 s a new picture that moves, with grain."""
    import av
    from PIL import Image

    random = np.random.default_rng(number)
    options = {"preset": "ultrafast", "crf": "26", "g": str(_KEYS), "threads": "0"}
    with av.open(str(file), "w") as made:
        stream = made.add_stream("libx264", rate=_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        grain = random.integers(-4, 5, (1080, 1920), dtype=np.int8)
        shown = np.empty((1620, 1920), np.uint8)  # brightness above colours
        for at in range(minutes * 60 * _RATE):
            if at % _SCENE == 0:
                small = Image.fromarray(random.integers(16, 235, (24, 16), dtype=np.uint8))
                planes = np.asarray(small.resize((1920, 1620), Image.Resampling.BICUBIC), np.int16)
                scene = (planes[:1080] + grain).clip(16, 235).astype(np.uint8)
                shown[1080:] = planes[1080:]
            shown[:1080] = np.roll(scene, at % _SCENE, axis=1)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="yuv420p")))
        made.mux(stream.encode(None))


def screen(file: Path, number: int) -> None:
    """A screenshot of 1280 × 800: a bar, and 24 lines of words, dark on white."""
    from PIL import Image, ImageDraw, ImageFont

    random = np.random.default_rng(number)
    shown = Image.new("RGB", (1280, 800), "white")
    drawn = ImageDraw.Draw(shown)
    drawn.rectangle((0, 0, 1280, 40), fill=(40, 60, 90))
    for line in range(24):
        words = " ".join("".join(random.choice(list("abcdefghijklmnoprstuw"), 6)) for _ in range(9))
        drawn.text((40, 64 + 30 * line), words, fill=(20, 20, 20), font=ImageFont.load_default(18))
    shown.save(file)
