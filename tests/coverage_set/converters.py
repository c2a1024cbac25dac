"""The best that a free converter makes of each format of the set, as `python -m tests.bench.coverage` measured it.

Knows numbers; knows no converter. Measured on 2026-11-28 with markitdown 0.1.9, docling 2.143.0, unstructured 0.27.35,
kreuzberg 4.10.4 with Tesseract 5.3, and LibreOffice 7.4.7; the whole table is in tests/bench/README.md.
"""

from __future__ import annotations

BEST = {  # the share of the words of all documents of a format that it holds in their order
    "txt": 1.000,  # markitdown, unstructured
    "md": 1.000,  # markitdown, docling
    "ipynb": 1.000,  # kreuzberg
    "py": 1.000,  # markitdown, unstructured
    "csv": 1.000,  # docling, kreuzberg, LibreOffice
    "tsv": 1.000,  # markitdown, docling, unstructured
    "json": 1.000,  # kreuzberg
    "srt": 1.000,  # markitdown
    "html": 0.860,  # markitdown
    "htm": 0.947,  # docling, unstructured
    "svg": 1.000,  # markitdown, unstructured, kreuzberg
    "epub": 1.000,  # markitdown
    "eml": 1.000,  # docling, kreuzberg
    "docx": 0.789,  # markitdown
    "xlsx": 0.656,  # markitdown
    "pptx": 1.000,  # markitdown
    "odt": 0.788,  # kreuzberg
    "ods": 0.667,  # LibreOffice
    "odp": 0.400,  # docling, LibreOffice
    "fodt": 1.000,  # markitdown, unstructured, LibreOffice
    "rtf": 0.872,  # markitdown, kreuzberg, LibreOffice
    "doc": 0.583,  # LibreOffice
    "xls": 1.000,  # markitdown, docling, LibreOffice
    "ppt": 0.000,  # none
    "pdf": 0.810,  # kreuzberg
    "png": 1.000,  # kreuzberg
    "jpg": 0.000,  # none
    "webp": 1.000,  # kreuzberg
    "tiff": 0.500,  # kreuzberg
}
