"""Counts what an index in Milvus holds.

Knows rows of documents and notes; knows no search.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rag.index.catalog.spaces import Space, SpaceCounts
from rag.index.catalog.status import IndexStatus, most_first
from rag.index.milvus.engine import Engine
from rag.index.milvus.names import among, to_field
from rag.index.milvus.notes import IGNORED, UNREAD, Notes
from rag.index.milvus.rows import identity, more_of
from rag.index.milvus.schema import space_collection
from rag.types import KINDS, Kind, Skipped

if TYPE_CHECKING:
    from rag.index.milvus.facts import Facts
    from rag.index.milvus.live_rows import LiveRows

_FIELDS = ("root", "path", "digest", "skipped", "more")


def read_status(engine: Engine, index: str, facts: Facts, rows: LiveRows, moment: Mapping[str, Any]) -> IndexStatus:
    """Counts all documents: reads one row of each."""
    vectors = rows.count('key != ""')
    size = 2 * facts.fingerprint.dim * vectors
    counted = read_status_of(engine, index, facts, rows, moment, facts.roots)
    spaces = tuple(_counted(index, space, rows, sum(counted.passages.values())) for space in facts.spaces)
    everything = size + sum(space.bytes for space in spaces)
    return replace(counted, vectors=vectors, vector_bytes=size, spaces=spaces, bytes=everything)


def _counted(index: str, space: Space, rows: LiveRows, passages: int) -> SpaceCounts:
    """What a further space holds; rows that no document names any more are counted until they are swept."""
    held = rows.of_space(space_collection(index, space.number), space.fingerprint.dim).count("")
    return SpaceCounts(space.name, space.fingerprint, min(held, passages), 2 * space.fingerprint.dim * held)


def read_status_of(
    engine: Engine, index: str, facts: Facts, rows: LiveRows, moment: Mapping[str, Any], roots: Iterable[str]
) -> IndexStatus:
    """Counts the documents of these roots. Bytes and vectors are those of the whole index: 0 here."""
    known = {root: facts.roots[root] for root in sorted(set(roots) & facts.roots.keys())}
    suffixes: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    kinds: Counter[Kind] = Counter()
    skipped: list[Skipped] = []
    unread: list[Skipped] = []
    unread_count = 0
    notes = Notes(engine, index)
    parts = notes.all_of(UNREAD, moment)
    for row in rows.documents(_FIELDS, among("root", map(to_field, known))) if known else ():
        document = identity(row)
        if row["skipped"]:
            skipped.append(Skipped(document, row["skipped"]))
            continue
        name = PurePosixPath(document.path)
        suffixes[name.suffix.lower()] += 1
        folders[name.parts[0] if len(name.parts) > 1 else ""] += 1
        kinds.update(more_of(row)["kinds"])
        if row["digest"] in parts:
            count, reasons = json.loads(parts[row["digest"]])
            unread_count += count
            unread += [Skipped(document, reason) for reason in reasons]
    left_out = notes.all_of(IGNORED, moment)
    ignored = sum((Counter(json.loads(left_out.get(to_field(root), "{}"))) for root in known), Counter[str]())
    return IndexStatus(
        name=index,
        folder=engine.address.shown,
        format=facts.format,
        generation=facts.generation,
        fingerprint=facts.fingerprint,
        settings=facts.settings,
        roots=known,
        documents=sum(suffixes.values()),
        suffixes=most_first(suffixes),
        folders=most_first(folders),
        passages={kind: kinds.get(kind, 0) for kind in KINDS},
        skipped=tuple(sorted(skipped, key=lambda one: one.document)),
        unread=tuple(sorted(unread, key=lambda one: one.document)),
        unread_count=unread_count,
        ignored=dict(ignored),
        vectors=0,
        vector_bytes=0,
        spaces=(),
        bytes=0,
    )
