"""Indexes and searches with models that count their calls. Knows the Python interface only."""

from __future__ import annotations

from pathlib import Path

import rag
from tests.e2e.conftest import COUNTING


def index(*folders: Path, **flags: object) -> rag.Report:
    return rag.build_index(*folders, backend=COUNTING, ocr="never", **flags)


def found(words: str, **asked: object) -> list[str]:
    with rag.open_index(backend=COUNTING) as searcher:
        return [hit.document for hit in searcher.query(words, **asked)]
