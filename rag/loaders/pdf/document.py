"""Opens a PDF with pdfium: by its path, or, where it has none, as the open file it is.

Knows paths; knows no page.
"""

from __future__ import annotations

from pathlib import Path

import pypdfium2 as pdfium

_OPEN_FILES = Path("/proc/self/fd")


def document_of(file: Path) -> pdfium.PdfDocument:
    """The document; PdfiumError or OSError where it cannot be opened.

    pypdfium2 follows links to a real path, which a file in memory does not have.
    """
    if file.parent != _OPEN_FILES or file.resolve().exists():
        return pdfium.PdfDocument(file)
    return pdfium.PdfDocument(file.open("rb"), autoclose=True)
