"""What is inside files and cannot be read is counted by `rag status`, with its reasons, as long as it is there."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from rag.index.catalog.unread_parts import KEPT
from tests.e2e.conftest import Ran


def archive(*broken: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as opened:
        opened.writestr("plan.txt", "The harbour plan is kept in the office.")
        for name in broken:
            opened.writestr(name, b"%PDF-1.7 nothing more" + name.encode())
    return held.getvalue()


def test_what_is_inside_and_not_read_is_counted_until_it_is_mended(tmp_path: Path, rag: Callable[..., Ran]) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "papers.zip").write_bytes(archive("one.pdf", "two.pdf"))
    rag("index", str(corpus))
    (corpus / "moved").mkdir()
    shutil.move(corpus / "papers.zip", corpus / "moved/papers.zip")  # taken over without being read
    rag("index", str(corpus))
    found = rag("status", "--json").json
    assert (found["unread_count"], [one["document"] for one in found["unread"]]) == (2, ["moved/papers.zip"] * 2)
    assert ["one.pdf" in found["unread"][0]["reason"], "two.pdf" in found["unread"][1]["reason"]] == [True, True]
    said = rag("status").out
    assert "not read    2 inside documents\n" in said and "moved/papers.zip: inside it: one.pdf: is cut off" in said
    (corpus / "moved/papers.zip").write_bytes(archive())
    rag("index", str(corpus))
    rag("compact")
    assert (rag("status", "--json").json["unread_count"], "not read    0" in rag("status").out) == (0, True)


def test_a_document_with_very_many_is_counted_whole_and_told_in_part(tmp_path: Path, rag: Callable[..., Ran]) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "papers.zip").write_bytes(archive(*(f"{number}.pdf" for number in range(KEPT + 5))))
    rag("index", str(corpus))
    found = rag("status", "--json").json
    assert (found["unread_count"], len(found["unread"])) == (KEPT + 5, KEPT)
    assert f"not read    {KEPT + 5} parts of 1 document: rag status --json lists them" in rag("status").out
