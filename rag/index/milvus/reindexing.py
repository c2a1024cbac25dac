"""Puts the vectors of an index in Milvus under another kind of index, where their number or a setting asks for it.

Knows collections and kinds; knows no passage. A note says so while the new index is built, as searches fail then: see `building`.
A kill leaves that note, and the next run completes what it says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from rag.errors import IndexFailure
from rag.index.catalog.spaces import FIRST
from rag.index.milvus.building import Building, broken_off
from rag.index.milvus.engine import NEWEST, Engine, now
from rag.index.milvus.facts import kind_note
from rag.index.milvus.index_kinds import FLAT, KINDS, kind_for
from rag.index.milvus.notes import FACT, Notes
from rag.index.milvus.schema import PASSAGES, collection, probe, space_collection


def has_kind(engine: Engine, index: str, name: str) -> bool:
    """Whether the engine has a kind of index for our vectors: it is asked to make one, in a collection that goes at once."""
    if name == FLAT:
        return True
    kind, probed = KINDS[name], collection(index, "probe")
    schema, indexes = probe(kind.name, kind.build(1_000))
    try:
        engine.create(probed, schema, indexes)
    except IndexFailure:
        return False
    with suppress(IndexFailure):
        engine.drop(probed)
    return True


def kind_wanted(engine: Engine, index: str, asked: str, space: int = FIRST) -> str:
    """The kind that the setting, or `auto` by the number of rows, asks for a space. IndexFailure where the engine lacks it."""
    if asked == "auto":
        rows = engine.count(vectors_of(index, space), 'key != ""', NEWEST)
        return kind_for(rows, lambda each: has_kind(engine, index, each))
    name = asked.upper()
    if not has_kind(engine, index, name):
        what = f"{engine.address.shown}: this Milvus has no index of the kind {name} for 16-bit vectors"
        raise IndexFailure(what, remedy="leave --index-kind out, or use a server that has it")
    return name


def vectors_of(index: str, space: int) -> str:
    """The collection that holds the vectors of a space."""
    return collection(index, PASSAGES) if space == FIRST else space_collection(index, space)


def seal_new(engine: Engine, index: str, name: str, space: int = FIRST) -> None:
    """Has what a run wrote put under the index of that kind at once: a graph finds less of it until then."""
    if not KINDS[name].is_exact:
        with suppress(IndexFailure):  # servers bound how often they are asked, and do it by themselves some minutes later
            engine.seal(vectors_of(index, space))


def put_under(engine: Engine, index: str, name: str, tell: Callable[[str], None], space: int = FIRST) -> tuple[str, ...]:
    """Builds an index of that kind over a space in place of its present one; returns a remark. IndexFailure, StorageFailed."""
    notes = Notes(engine, index)
    before = notes.read(FACT, kind_note(space), NEWEST) or FLAT
    if before == name:
        return ()
    building = Building(name, engine.count(vectors_of(index, space), 'key != ""', NEWEST), now(), space=space)
    tell(f"building an index of the kind {name} over {building.rows:,} vectors in Milvus; searches are refused meanwhile")
    building.write(notes)
    try:
        _build(engine, index, notes, building)
    except IndexFailure:
        with suppress(IndexFailure):
            _build(engine, index, notes, replace(building, kind=before))
        raise
    return (f"vectors lie under {name} now, which finds {KINDS[name].recall}",)


def complete_broken(engine: Engine, index: str, tell: Callable[[str], None]) -> None:
    """Builds the index that a killed run was building, or FLAT where that fails; nothing where none was. For who holds the lease.

    IndexFailure, StorageFailed.
    """
    notes = Notes(engine, index)
    if (building := broken_off(notes)) is not None:
        tell(f"building the index of the kind {building.kind} that was broken off, over {building.rows:,} vectors in Milvus")
        try:
            _build(engine, index, notes, building)
        except IndexFailure:
            _build(engine, index, notes, replace(building, kind=FLAT))


def _build(engine: Engine, index: str, notes: Notes, building: Building) -> None:
    rows, kind = vectors_of(index, building.space), KINDS[building.kind]
    engine.release(rows)
    engine.index_vectors(rows, kind.name, kind.build(building.rows))
    notes.write({(FACT, kind_note(building.space)): building.kind})
    engine.load(rows)
    building.end(notes)
