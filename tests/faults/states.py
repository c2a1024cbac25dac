"""The content of an index as values that are equal for two indexes of the same documents: for "equal to a clean build"."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.index.reader.snapshot import Snapshot
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.writer.writer import writing
from tests.unit.index_samples import key_of, snapshot_of, unit_rows, vector_of

LONG = os.environ.get("FAULTS") == "long"  # make test-faults-long
QUERIES = np.concatenate([unit_rows(2, 1), vector_of(key_of("c 1 common"))[None], vector_of(key_of("shared"))[None]])
WORDS = ("common", "shared", "new", "a", "three 北京")


def state_of(folder: Path) -> dict[str, Any]:
    """Stamps of documents, passages, vectors and the hits of both lanes. The index must be sound."""
    assert check_structure(folder) == [] and check_bytes(folder) == []
    with snapshot_of(folder) as snapshot:
        numbers = sorted(number for number, _ in snapshot.nearest(QUERIES[:1], 100_000)[0])
        stored = {each.number: each for each in snapshot.passages(numbers)}
        vectors = {stored[number].id: row.tobytes() for number, row in zip(numbers, snapshot.vectors(numbers), strict=True)}
        dense = [_named(stored, hits) for hits in snapshot.nearest(QUERIES, 100_000)]
        spaces = {space.name: _space(snapshot, space.number, stored) for space in snapshot.spaces}
        lexical = {word: _named(stored, snapshot.containing(word, 1000), digits=0) for word in WORDS}
        frequencies = snapshot.document_frequencies(WORDS)
    passages = {each.id: (each.passage, each.dated) for each in stored.values()}
    with writing(folder) as writer:
        stamps = {root: dict(writer.stamps(root)) for root in writer.roots()}
    return {
        "stamps": stamps,
        "passages": passages,
        "vectors": vectors,
        "dense": dense,
        "lexical": lexical,
        "frequencies": frequencies,
        "spaces": spaces,
    }


def _space(snapshot: Snapshot, space: int, stored: dict[int, Any]) -> dict[str, Any]:
    held, rows = snapshot.vectors_in(space, list(stored))
    vectors = {stored[number].id: row.tobytes() for number, row in zip(held, rows, strict=True)}
    return {"vectors": vectors, "dense": [_named(stored, hits) for hits in snapshot.nearest(QUERIES, 100_000, space=space)]}


def documents_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """The texts of every live document by path, read through a new snapshot."""
    with snapshot_of(folder) as snapshot:
        numbers = sorted(number for number, _ in snapshot.nearest(QUERIES[:1], 100_000)[0])
        texts: dict[str, list[str]] = {}
        for each in snapshot.passages(numbers):
            texts.setdefault(each.passage.document.path, []).append(each.passage.text)
    return {path: tuple(found) for path, found in texts.items()}


def _named(stored: dict[int, Any], hits: Sequence[Any], digits: int = 5) -> list[tuple[float, str]]:
    # Full-text scores depend on ended rows until they are compacted, so there only the found passages are compared.
    return sorted((round(-score, digits) if digits else 0.0, stored[number].id) for number, score, *_ in hits)


def spread(count: int, most: int) -> Iterator[int]:
    """At most `most` numbers below `count`, evenly spaced."""
    return iter(sorted({round(at * (count - 1) / max(most - 1, 1)) for at in range(min(count, most))})) if count else iter(())
