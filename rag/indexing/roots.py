"""What one run looks at: folders given by a person, as roots of the index and parts of them.

Knows roots and paths; opens no file and knows no model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from rag.config import Settings
from rag.corpus.ignore import IGNORE_FILES
from rag.corpus.sources import real_place, root_of
from rag.corpus.walk import Root
from rag.location import Location

if TYPE_CHECKING:
    from rag.index.writing import IndexWriter


class Target(NamedTuple):
    """What one run looks at: a root, or the folder or file `under` it."""

    root: Root
    under: str = ""
    heeded: tuple[str, ...] = IGNORE_FILES  # the ignore files that leave something out


def choose_root(folder: Location, roots: Mapping[str, Location]) -> tuple[Target, bool]:
    """The target that `folder` means, and whether its root is new: inside a known root it is a part of that root.

    A single file makes its folder the root. Names are the folder's own, numbered where taken.
    """
    real = real_place(folder)
    inside = [name for name, known in roots.items() if real == known or known in real.parents]
    if inside:
        name = max(inside, key=lambda one: len(roots[one].parts))  # the innermost
        under = _below(real, roots[name])
        return Target(Root(name, roots[name]), "" if under == "." else under), False
    base = root_of(folder)
    under = "" if base == real else real.name
    stem = base.name or "root"
    name = next(name for number in range(len(roots) + 1) if (name := stem if not number else f"{stem}-{number + 1}") not in roots)
    return Target(Root(name, base), under), True


def heeded_files(settings: Settings, kept: Mapping[str, str]) -> tuple[str, ...]:
    """The ignore files that leave something out: as was said for this run, else as the index `kept` it, else all of them."""
    is_kept = "ignore" in kept and "ignore" not in settings.model_fields_set
    return tuple(f".{name}" for name in (json.loads(kept["ignore"]) if is_kept else settings.ignore))


def without_repeats(targets: Sequence[Target]) -> list[Target]:
    """Without targets that lie in another one of the same root, so that no document is looked at twice."""
    kept: list[Target] = []
    for target in sorted(dict.fromkeys(targets), key=lambda one: len(one.under)):
        if not any(other.root == target.root and _covers(other, target.root.folder / target.under) for other in kept):
            kept.append(target)
    return [target for target in dict.fromkeys(targets) if target in kept]


def merge_nested_roots(writer: IndexWriter, targets: Sequence[Target]) -> None:
    """Removes the roots that lie in a target and whose documents now belong to the root of that target.

    One of which the outer root holds nothing (an absent disk, a folder that its ignore rules leave out) stays.
    """
    roots = writer.roots()
    for name, known in list(roots.items()):
        for outer in (target for target in targets if target.root.name in roots.keys() - {name} and _covers(target, known)):
            under = _below(known, outer.root.folder)
            if next(writer.stamps(outer.root.name, under), None) is not None:
                writer.remove_root(name)
                del roots[name]
                break


def _covers(target: Target, folder: Location) -> bool:
    return folder.is_relative_to(target.root.folder / target.under)


def _below(place: Location, root: Location) -> str:
    return PurePosixPath(*place.parts[len(root.parts) :]).as_posix()
