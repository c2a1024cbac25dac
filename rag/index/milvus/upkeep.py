"""Looks after an index in Milvus: what is missing is found, and what nobody names is deleted.

Knows rows; knows no search and no run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rag.errors import IndexDamaged
from rag.index.milvus.engine import NEWEST, Engine, now
from rag.index.milvus.names import among, both
from rag.index.milvus.rows import LOOSE, identity, more_of, number_at, passage_of, vector_of
from rag.index.milvus.schema import DOCUMENTS, PASSAGES, collection

UNNAMED_SECONDS = 3_600  # a run that goes on may name a row that it wrote a while ago
_MOST_SHOWN = 100


def findings(engine: Engine, index: str, dim: int, *, read_data: bool) -> Iterator[str]:
    """What is wrong with an index, at most a hundred findings. With `read_data` every passage and vector is decoded."""
    counts: Counter[str] = Counter()
    for row in engine.every(collection(index, PASSAGES), "", ("document", "version"), NEWEST, 10_000):
        counts[f"{row['document']}-{row['version']}"] += 1
    shown = 0
    for row in engine.every(collection(index, DOCUMENTS), "", ("key", "root", "path", "version", "more"), NEWEST):
        expected = sum(more_of(row).get("kinds", {}).values())
        found = counts[f"{row['key']}-{row['version']}"] if row["version"] else 0
        if expected != found:
            yield f"{identity(row)} has {found} of its {expected} passages: touch the file, then run rag index"
            shown += 1
            if shown == _MOST_SHOWN:
                return
    if read_data:
        fields = ("root", "path", "kind", "text", "more", "vector", "ordinal")
        for row in engine.every(collection(index, PASSAGES), 'document != ""', fields, NEWEST, 500):
            try:
                passage_of(row)
                vector_of(row, dim)
            except IndexDamaged as error:
                yield error.what


def sweep(engine: Engine, index: str, older_than: float = UNNAMED_SECONDS) -> int:
    """Deletes rows of passages that no document names and that are older than so many seconds; returns how many."""
    passages = collection(index, PASSAGES)
    before = number_at(now() - older_than)
    old = [
        (row["key"], f"{row['document']}-{row['version']}")
        for row in engine.every(passages, f"number <= {before}", ("document", "version"), NEWEST, 10_000)
    ]
    named = {
        f"{row['key']}-{row['version']}"
        for row in engine.every(collection(index, DOCUMENTS), 'version != ""', ("version",), NEWEST, 10_000)
    }
    gone = [key for key, owner in old if key.startswith(LOOSE) or owner not in named]
    for start in range(0, len(gone), 1_000):
        engine.delete(
            passages, both(among("key", gone[start : start + 1_000]), f"number <= {before}")
        )  # not one written meanwhile
    return len(gone)
