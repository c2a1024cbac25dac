"""The sets of collections of one index: which of them stands, how another takes its place, and what is removed of the others.

Knows names, notes and collections; knows no passage and no run. The first set of an index NAME is NAME_passages, NAME_documents
and NAME_notes; a later one has a stem of its own, such as NAME_r0123456789ab, and its descriptions say whose it is: no index can
be taken for it. NAME_notes always stays. It holds the lease, and says which set stands; where it says nothing, the first does.

    1  the set that stands is told its successor     its readers ask from now on which set stands
    2  NAME_notes names the successor                this is the exchange
    3  the other sets are removed                    NAME_passages stays taken, or an older program would make an index there
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from rag.errors import IndexFailure
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import SUCCESSOR
from rag.index.milvus.lease import FENCE, FILL_FENCE
from rag.index.milvus.notes import FACT, FILL_LEASE, LEASE, Notes
from rag.index.milvus.schema import COLLECTIONS, FIRST_SET, FORMAT, NOTES, PASSAGES, TAKEN, collection, is_ours, taken

STANDS = "stands"
_LASTING = tuple((FACT, each) for each in (STANDS, FENCE, FILL_FENCE, "format", SUCCESSOR))  # in NAME_notes, whichever set stands


def new_stem(name: str) -> str:
    """The stem of a set that never was: how the names of its collections begin."""
    return f"{name}_r{secrets.token_hex(6)}"


def described(name: str, stem: str) -> str:
    """How the descriptions of the collections of a set begin."""
    return FIRST_SET if stem == name else f"multimodal-rag set of the index {name}, format "


def standing(engine: Engine, name: str) -> str:
    """The stem of the set that stands, by one request. IndexFailure where there are no notes."""
    return Notes(engine, name).read(FACT, STANDS, NEWEST) or name


def standing_or_first(engine: Engine, name: str) -> str:
    """The same; where there are no notes the first one. IndexFailure where a collection of that name is not ours, IndexTooNew."""
    if collection(name, NOTES) in engine.collections() and is_ours(engine, name, NOTES):
        return standing(engine, name)
    return name


def exchange(engine: Engine, name: str, stem: str) -> None:
    """Puts a complete set in the place of the one that stands; the caller has the lease. StorageFailed, IndexFailure."""
    Notes(engine, standing(engine, name)).write({(FACT, SUCCESSOR): stem})
    Notes(engine, name).write({(FACT, STANDS): stem, (FACT, "format"): str(FORMAT)})


def drop_other_sets(engine: Engine, name: str, confirm: Callable[[], None]) -> int:
    """Removes every set but the one that stands; returns how many rows. StorageFailed, IndexFailure.

    The caller has the lease, as a set that is being built is removed too; `confirm` is asked before each step, and raises where
    the lease is lost.
    """
    stands, rows = standing(engine, name), 0
    later = re.compile(rf"({re.escape(name)}_r[0-9a-f]{{12}})_\w+")
    there = engine.collections()
    for each in there:
        found = later.fullmatch(each)
        if found and found[1] != stands and engine.description(each).startswith(described(name, found[1])):
            confirm()
            rows += _drop(engine, each)
    if stands != name:
        rows += _end_first_set(engine, name, there, confirm)
    if Notes(engine, stands).read(FACT, SUCCESSOR, NEWEST):  # which never came to stand
        Notes(engine, stands).forget([(FACT, SUCCESSOR)])
    return rows


def _end_first_set(engine: Engine, name: str, there: list[str], confirm: Callable[[], None]) -> int:
    """Removes the first set but for its name."""
    rows = 0
    for each in there:
        if re.fullmatch(rf"{re.escape(name)}_space[0-9]+", each) and engine.description(each).startswith(FIRST_SET):
            confirm()
            rows += _drop(engine, each)
    said = {each: engine.description(collection(name, each)) for each in COLLECTIONS if collection(name, each) in there}
    if said.get(PASSAGES) == TAKEN:
        return rows
    confirm()
    Notes(engine, name).forget_all_but((LEASE, FILL_LEASE), _LASTING)
    for which in reversed([each for each in said if each != NOTES and said[each].startswith(FIRST_SET)]):  # passages last
        confirm()
        rows += _drop(engine, collection(name, which))
        said.pop(which)
    if PASSAGES not in said:
        engine.create(collection(name, PASSAGES), *taken())
    return rows


def _drop(engine: Engine, dropped: str) -> int:
    try:
        rows = engine.count(dropped, 'key != ""', NEWEST)
    except IndexFailure:  # one that a kill left half made is not loaded
        rows = 0
    engine.drop(dropped)
    return rows
