"""Files left alone because they killed their reader: kept by content, and no reason to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.indexing.quarantine import FILE, name_of, read_quarantine, write_quarantine


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    kept = {name_of(b"\x01\xff", "pdf.pdf:1"): "its reader crashed (SIGSEGV)"}
    write_quarantine(tmp_path, kept)
    assert read_quarantine(tmp_path) == kept == {"01ff:pdf.pdf:1": "its reader crashed (SIGSEGV)"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 200_000, b"\xff\xfe", b"null"])
def test_a_damaged_file_quarantines_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert read_quarantine(tmp_path) == {}
