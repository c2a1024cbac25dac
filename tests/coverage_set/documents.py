"""The whole set, as one table.

Knows the modules that make it; knows no format and no reader.
"""

from __future__ import annotations

from tests.coverage_set import open_document, pages, pdfs, pictures, sheets, texts, word

SAMPLES = (
    *texts.SAMPLES,
    *pages.SAMPLES,
    *word.SAMPLES,
    *sheets.SAMPLES,
    *open_document.SAMPLES,
    *pdfs.SAMPLES,
    *pictures.SAMPLES,
)
