"""Brings the notes of an index of an older format up to date, one format after the other, in place.

Knows formats, notes and collections; knows no passage. A step may be repeated: a kill leaves an index of the older format.

    1 → 2   the notes say under which kind of index the vectors lie
    2 → 3   another set of collections may stand in the place of the first: older programs would not look for it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rag.errors import IndexFailure
from rag.index.milvus.engine import Engine
from rag.index.milvus.facts import Facts
from rag.index.milvus.notes import FACT, Notes
from rag.index.milvus.schema import FORMAT, PASSAGES, collection


def bring_up_to_date(engine: Engine, index: str, facts: Facts) -> None:
    """Takes every step from the format of an index to ours. IndexFailure where none leads on, StorageFailed."""
    notes = Notes(engine, index)
    for older in range(facts.format, FORMAT):
        if older not in STEPS:
            raise IndexFailure(
                f"{engine.address.shown} has format {facts.format}, from which no step leads to format {FORMAT}",
                remedy="index its folders under another name: rag index FOLDER --index milvus://HOST:19530/OTHER",
            )
        STEPS[older](engine, index, notes)
        notes.write({(FACT, "format"): str(older + 1)})


def _name_the_kind(engine: Engine, index: str, notes: Notes) -> None:
    notes.write({(FACT, "kind"): engine.index_kind(collection(index, PASSAGES))})


def _as_it_is(engine: Engine, index: str, notes: Notes) -> None:
    """Where no note names another set, the first one stands."""


STEPS: Mapping[int, Callable[[Engine, str, Notes], None]] = {1: _name_the_kind, 2: _as_it_is}
