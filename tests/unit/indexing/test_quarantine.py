"""Files left alone because they killed their reader, and files that took too long: what is kept, and for how long."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.index.files.kept_texts import KeptTexts
from rag.indexing.quarantine import FILE, Quarantine
from rag.types import Document, DocumentId

LONG = Document(DocumentId("r", "a.pdf"), Path("a.pdf"), stamp="9:1:1:1")


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    Quarantine(KeptTexts(tmp_path)).put(b"\x01\xff", "pdf.pdf:1", "its reader crashed (SIGSEGV)")
    again = Quarantine(KeptTexts(tmp_path))
    assert again.reason(b"\x01\xff", "pdf.pdf:1") == "its reader crashed (SIGSEGV)"
    assert again.reason(b"\x01\xff", "pdf.pdf:2") is None
    assert json.loads((tmp_path / FILE).read_text()) == {"01ff:pdf.pdf:1": "its reader crashed (SIGSEGV)"}


def test_what_took_too_long_is_known_by_its_version_until_it_was_read(tmp_path: Path) -> None:
    Quarantine(KeptTexts(tmp_path)).put_late(LONG, "too long")
    kept = Quarantine(KeptTexts(tmp_path))
    assert kept.is_late(LONG)
    assert not kept.is_late(Document(LONG.id, LONG.file, stamp="9:2:1:1"))
    kept.forget_late(LONG)
    assert not Quarantine(KeptTexts(tmp_path)).is_late(LONG)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 200_000, b"\xff\xfe", b"null"])
def test_a_damaged_file_quarantines_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    kept = Quarantine(KeptTexts(tmp_path))
    assert kept.reason(b"\x01\xff", "pdf.pdf:1") is None and not kept.is_late(LONG)
