"""Passages to show, and a PDF page with words at a known place. Knows no test."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from rag.loaders.base import Limits
from rag.media.results import Picture
from rag.types import DocumentId, Kind, Locator, Passage, StoredPassage, Whole

SAMPLES = Path(__file__).parents[2] / "samples/corpus"
LIMITS = Limits()


def passage(root: Path, path: str, kind: Kind, locator: Locator | None = None) -> StoredPassage:
    where = Passage(DocumentId("root", path), 0, locator or Whole(), kind, "text" if kind == "text" else "image")
    return StoredPassage(1, "abc", where, root / path, 0.0)


def seen(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.content)).convert("RGB"))


def pdf(file: Path, words: str, box: str = "0 0 400 300", extra: str = "", at: str = "100 200") -> Path:
    """One page with words in 24-point Helvetica."""
    drawn = f"BT /F1 24 Tf {at} Td ({words}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] {extra} /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = "%PDF-1.4\n"
    places = []
    for number, one in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"xref\n0 6\n0000000000 65535 f \n{table}trailer << /Root 1 0 R /Size 6 >>\nstartxref\n{len(out)}\n%%EOF\n"
    file.write_text(out, "latin-1")
    return file
