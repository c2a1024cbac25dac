"""Looks after an index in Milvus: what is missing is found, and what nobody names is deleted.

Knows rows; knows no search and no run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rag.errors import IndexDamaged
from rag.index.catalog.spaces import Space
from rag.index.milvus.engine import NEWEST, Engine, now
from rag.index.milvus.facts import Facts
from rag.index.milvus.names import among, both
from rag.index.milvus.rows import LOOSE, identity, more_of, number_at, passage_of, vector_of
from rag.index.milvus.schema import DOCUMENTS, PASSAGES, collection, space_collection

UNNAMED_SECONDS = 3_600  # a run that goes on may name a row that it wrote a while ago
_MOST_SHOWN = 100


def findings(engine: Engine, index: str, facts: Facts, *, read_data: bool) -> Iterator[str]:
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
                vector_of(row, facts.fingerprint.dim)
            except IndexDamaged as error:
                yield error.what
        for space in facts.spaces:
            yield from _findings_of(engine, space_collection(index, space.number), space)


def _findings_of(engine: Engine, rows: str, space: Space) -> Iterator[str]:
    for row in engine.every(rows, "", ("root", "path", "vector"), NEWEST, 500):
        try:
            vector_of(row, space.fingerprint.dim)
        except IndexDamaged as error:
            yield f"{space.name}: {error.what}"


def sweep(engine: Engine, index: str, spaces: Sequence[Space] = (), older_than: float = UNNAMED_SECONDS) -> int:
    """Deletes rows of passages that no document names and that are older than so many seconds; returns how many.

    Those of the further spaces go as well.
    """
    before = number_at(now() - older_than)
    everything = [collection(index, PASSAGES), *(space_collection(index, space.number) for space in spaces)]
    old = [
        (rows, row["key"], f"{row['document']}-{row['version']}")
        for rows in everything
        for row in engine.every(rows, f"number <= {before}", ("document", "version"), NEWEST, 10_000)
    ]
    named = {
        f"{row['key']}-{row['version']}"
        for row in engine.every(collection(index, DOCUMENTS), 'version != ""', ("version",), NEWEST, 10_000)
    }
    for rows in everything:
        gone = [key for of, key, owner in old if of == rows and (key.startswith(LOOSE) or owner not in named)]
        for start in range(0, len(gone), 1_000):  # not one that was written meanwhile
            engine.delete(rows, both(among("key", gone[start : start + 1_000]), f"number <= {before}"))
    return sum(key.startswith(LOOSE) or owner not in named for _, key, owner in old)
