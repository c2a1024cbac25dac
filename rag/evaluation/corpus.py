"""The documents of a judged set as files, and an index of them.

Knows sets and the write path; knows no measure and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rag.errors import WrongRequest
from rag.evaluation.judged import JudgedSet, SourceDocument


def write_documents(documents: Iterable[SourceDocument], folder: Path) -> int:
    """Writes each document to a file of its own below `folder`; the count. WrongRequest where two have one path."""
    count = 0
    for one in documents:
        count += 1
        file = folder / one.path
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with file.open("x", encoding="utf-8") as out:
                out.write(one.text)
        except FileExistsError as error:
            raise WrongRequest(f"the set has two documents called {one.path}", remedy="give each a name of its own") from error
    return count


def index_documents(judged: JudgedSet, folder: Path, say: Callable[[str], None] = lambda _: None, **flags: Any) -> Path:
    """An index of the documents of a set, made below `folder` by the write path; flags are settings. WrongRequest without any."""
    from rag.indexing.build import build_index

    if judged.documents is None:
        raise WrongRequest(
            f"{judged.name} has no documents of its own", remedy="index its documents, and name the index with --index"
        )
    corpus, index = folder / "corpus", folder / "index"
    corpus.mkdir(parents=True)
    count = write_documents(judged.documents(), corpus)
    say(f"indexing the {count} documents of {judged.name}")
    report = build_index(corpus, index=str(index), **flags)
    if report.skipped:
        first = report.skipped[0]
        say(f"note: {len(report.skipped)} documents were skipped, the first, {first.document.path}: {first.reason}")
    return index
