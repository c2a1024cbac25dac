"""Prefers results whose folder is there to equal ones of a folder that is gone: unplugged, renamed, mounted elsewhere.

Knows groups and folders; knows no index and opens no file.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from rag.corpus import sources
from rag.location import Location
from rag.search.dedup import DuplicateGroup
from rag.search.grouping import Group
from rag.types import StoredPassage

IsThere = Callable[[Group], bool]


def whose_folder_is_there() -> IsThere:
    """Whether the root of a group's document is a folder now; each root is looked at once."""
    known: dict[tuple[str, str], bool] = {}

    def is_there(group: Group) -> bool:
        stored = group.best.stored
        root = (stored.index, stored.passage.document.root)
        if root not in known:
            known[root] = sources.is_there(_root_folder(stored))
        return known[root]

    return is_there


def present_first(groups: Sequence[Group], is_there: IsThere) -> list[Group]:
    """The groups, where equal contents change places so that those that are there come first; all others stay in place.

    Equal are passages of one kind with the same words; a picture without words is equal to nothing here.
    """
    places: dict[Hashable, list[int]] = {}
    for at, one in enumerate(groups):
        passage = one.best.stored.passage
        if passage.text:
            places.setdefault((passage.kind, passage.text), []).append(at)
    ordered = list(groups)
    for equal in places.values():
        if len(equal) > 1:
            for at, one in zip(equal, sorted((groups[each] for each in equal), key=lambda each: not is_there(each)), strict=True):
                ordered[at] = one
    return ordered


def shown_if_present(results: Sequence[DuplicateGroup], is_there: IsThere) -> list[DuplicateGroup]:
    """Folded results, each showing its first document that is there; one of which nothing is there stays as it is."""
    return [one if is_there(one.shown) else _with_present(one, is_there) for one in results]


def _with_present(result: DuplicateGroup, is_there: IsThere) -> DuplicateGroup:
    found = next((each for each in result.others if is_there(each)), None)
    if found is None:
        return result
    return replace(result, shown=found, others=(result.shown, *(each for each in result.others if each is not found)))


def _root_folder(stored: StoredPassage) -> Location:
    document = stored.passage.document.path
    return stored.file.parents[document.count("/")]
