"""Files the benchmarks read, made once under .work/bench and kept.

Knows formats; knows nothing of what is measured.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

HOME = Path(__file__).parents[2] / ".work/bench"


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
    """A JPEG of 12 megapixels: soft shapes and some grain, about 1.6 MB."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(number)
    soft = Image.fromarray(random.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((4000, 3000), Image.Resampling.BICUBIC)
    grain = random.integers(-6, 6, (3000, 4000, 1))
    pixels = (np.asarray(soft, np.int16) + grain).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(file, quality=85)


def report(file: Path, number: int, pages: int = 10) -> None:
    """A PDF of A4 pages, each with 40 lines of text and a picture of 600 × 400 pixels."""
    import numpy as np
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
        words = ["".join(random.choice(list("abcdefghijklmnoprstuw"), 6)) for _ in range(400)]
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
    import numpy as np

    letters = np.random.default_rng(number).choice(list("abcdefghijklmnoprstuw"), (140, 6))
    file.write_text(" ".join("".join(word) for word in letters))
