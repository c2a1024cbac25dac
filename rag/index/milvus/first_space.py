"""Puts a further vector space in the place of the first one: fills another set of collections with its vectors, row by row.

Knows rows, notes and collections; asks no model and reads no file. Documents, versions and keys of rows stay, so ids stay too,
and the other spaces follow as they are. Which set stands is not decided here: the caller exchanges them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from rag.index.catalog.row_codec import fingerprint_to_json
from rag.index.catalog.spaces import FIRST, Space
from rag.index.milvus.engine import NEWEST, Engine, Row
from rag.index.milvus.facts import Facts, kind_note
from rag.index.milvus.live_rows import LiveRows
from rag.index.milvus.notes import FACT, FILL_LEASE, LEASE, SETTING, SPACE, Notes
from rag.index.milvus.rows import vector_of
from rag.index.milvus.schema import (
    DOCUMENT_FIELDS,
    DOCUMENTS,
    NO_VECTOR,
    PASSAGE_FIELDS,
    PASSAGES,
    SPACE_FIELDS,
    collection,
    create_space,
    space_collection,
)
from rag.index.writer.first_space import CANARIES

if TYPE_CHECKING:
    from rag.types import Vectors

_AT_ONCE = 1_000  # rows that are copied together


def fill_set(engine: Engine, stem: str, facts: Facts, space: Space, fresh: str, confirm: Callable[[], None]) -> None:
    """Fills the empty set `fresh` with what the set `stem` holds, and the vectors of a space in the place of the first one's.

    The space must have a vector for every content. `confirm` is asked between the steps. The notes that complete it come last.
    StorageFailed, IndexFailure.
    """
    rows = LiveRows(engine, stem, facts.fingerprint.dim, NEWEST, facts.generation)
    heirs = rows.of_space(space_collection(stem, space.number), space.fingerprint.dim)
    for part in _parts(rows.every("", (*PASSAGE_FIELDS, "vkey"))):
        confirm()
        places, vectors = heirs.held([row["key"] for row in part])
        engine.upsert(collection(fresh, PASSAGES), _with_vectors(part, places, vectors))
    for other in facts.spaces:
        if other != space:
            create_space(engine, fresh, other.number, other.fingerprint.dim)
            _copy_space(engine, rows, other, space_collection(stem, other.number), space_collection(fresh, other.number), confirm)
    for part in _parts(engine.every(collection(stem, DOCUMENTS), "", DOCUMENT_FIELDS, NEWEST)):
        confirm()
        engine.upsert(collection(fresh, DOCUMENTS), [row | {"none": list(NO_VECTOR)} for row in part])
    confirm()
    _copy_notes(Notes(engine, stem), Notes(engine, fresh), space)


def _copy_space(engine: Engine, rows: LiveRows, space: Space, old: str, new: str, confirm: Callable[[], None]) -> None:
    dim = space.fingerprint.dim
    for part in _parts(rows.of_space(old, dim).every("", (*SPACE_FIELDS, "vector"))):
        confirm()
        engine.upsert(new, [{name: row[name] for name in SPACE_FIELDS} | {"vector": vector_of(row, dim)} for row in part])


def _copy_notes(old: Notes, new: Notes, space: Space) -> None:
    """All notes but those of leases and of the set itself; the fingerprint, which completes the set, comes last."""
    gone = {(FACT, "fingerprint"), (FACT, "successor"), (FACT, "stands"), (FACT, "building"), (FACT, kind_note(FIRST))}
    gone |= {(SPACE, str(space.number)), (FACT, kind_note(space.number)), (SETTING, CANARIES)}
    found = {name: text for name, text in old.everything(NEWEST) if name not in gone and name[0] not in (LEASE, FILL_LEASE)}
    settings = {(SETTING, name): text for name, text in space.settings.items()}
    new.write(found | settings | {(FACT, kind_note(FIRST)): "FLAT"})
    new.write({(FACT, "fingerprint"): fingerprint_to_json(space.fingerprint)})


def _with_vectors(part: Iterable[Row], places: Iterable[int], vectors: Vectors) -> list[Row]:
    rows = list(part)
    return [rows[at] | {"vector": vector.astype("float16")} for at, vector in zip(places, vectors, strict=True)]


def _parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while part := list(islice(rows, _AT_ONCE)):
        yield part
