"""Puts the vectors of an index in Milvus under another kind of index, where their number or a setting asks for it.

Knows collections and kinds; knows no passage. Searches fail while the new index is built: it is not done beside a run.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from rag.errors import IndexFailure
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.index_kinds import FLAT, KINDS, kind_for
from rag.index.milvus.notes import FACT, Notes
from rag.index.milvus.schema import PASSAGES, collection, probe

KIND = "kind"


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


def kind_wanted(engine: Engine, index: str, asked: str) -> str:
    """The kind that the setting, or `auto` by the number of rows, asks for. IndexFailure where the engine lacks it."""
    if asked == "auto":
        rows = engine.count(collection(index, PASSAGES), 'key != ""', NEWEST)
        return kind_for(rows, lambda each: has_kind(engine, index, each))
    name = asked.upper()
    if not has_kind(engine, index, name):
        what = f"{engine.address.shown}: this Milvus has no index of the kind {name} for 16-bit vectors"
        raise IndexFailure(what, remedy="leave --index-kind out, or use a server that has it")
    return name


def seal_new(engine: Engine, index: str, name: str) -> None:
    """Has what a run wrote put under the index of that kind at once: a graph finds less of it until then."""
    if not KINDS[name].is_exact:
        with suppress(IndexFailure):  # servers bound how often they are asked, and do it by themselves some minutes later
            engine.seal(collection(index, PASSAGES))


def put_under(engine: Engine, index: str, name: str, tell: Callable[[str], None]) -> tuple[str, ...]:
    """Builds an index of that kind in place of the present one; returns a remark. IndexFailure, StorageFailed."""
    passages, notes = collection(index, PASSAGES), Notes(engine, index)
    before = notes.read(FACT, KIND, NEWEST) or FLAT
    if before == name:
        return ()
    rows = engine.count(passages, 'key != ""', NEWEST)
    tell(f"building an index of the kind {name} over {rows:,} vectors in Milvus; searches wait for it")
    engine.release(passages)
    try:
        engine.index_vectors(passages, KINDS[name].name, KINDS[name].build(rows))
        notes.write({(FACT, KIND): name})
    except IndexFailure:
        with suppress(IndexFailure):
            engine.index_vectors(passages, before, KINDS[before].build(rows))
        raise
    finally:
        engine.load(passages)
    return (f"vectors lie under {name} now, which finds {KINDS[name].recall}",)
