"""Counts what an index in Milvus holds.

Knows rows of documents and notes; knows no search.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rag.index.catalog.status import IndexStatus, most_first
from rag.index.milvus.engine import Engine
from rag.index.milvus.notes import IGNORED, UNREAD, Notes
from rag.index.milvus.rows import identity, more_of
from rag.index.milvus.schema import FORMAT
from rag.types import KINDS, Kind, Skipped

if TYPE_CHECKING:
    from rag.index.milvus.facts import Facts
    from rag.index.milvus.live_rows import LiveRows

_FIELDS = ("root", "path", "digest", "skipped", "more")


def read_status(engine: Engine, index: str, facts: Facts, rows: LiveRows, moment: Mapping[str, Any]) -> IndexStatus:
    """Counts all documents: reads one row of each."""
    suffixes: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    kinds: Counter[Kind] = Counter()
    skipped: list[Skipped] = []
    unread: list[Skipped] = []
    unread_count = 0
    notes = Notes(engine, index)
    parts = notes.all_of(UNREAD, moment)
    for row in rows.documents(_FIELDS):
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
    vectors = rows.count('key != ""')
    ignored = sum((Counter(json.loads(text)) for text in notes.all_of(IGNORED, moment).values()), Counter[str]())
    return IndexStatus(
        folder=engine.address.shown,
        format=FORMAT,
        generation=facts.generation,
        fingerprint=facts.fingerprint,
        settings=facts.settings,
        roots=facts.roots,
        documents=sum(suffixes.values()),
        suffixes=most_first(suffixes),
        folders=most_first(folders),
        passages={kind: kinds.get(kind, 0) for kind in KINDS},
        skipped=tuple(sorted(skipped, key=lambda one: one.document)),
        unread=tuple(sorted(unread, key=lambda one: one.document)),
        unread_count=unread_count,
        ignored=dict(ignored),
        vectors=vectors,
        vector_bytes=2 * facts.fingerprint.dim * vectors,
        spaces=(),
        bytes=2 * facts.fingerprint.dim * vectors,
    )
