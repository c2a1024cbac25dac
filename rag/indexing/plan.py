"""What `rag index` would do: documents that are new, changed or gone, and the cost of reading them.

Knows the walk, and what the index says of earlier runs; opens no document, asks no model and writes nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.config import load_settings
from rag.corpus.file_types import family_of
from rag.corpus.sources import is_there, root_of
from rag.corpus.walk import Root, walk
from rag.decoding.tasks import size_in
from rag.errors import IndexNotFound
from rag.index.locations import index_room
from rag.index.survey import NothingKnown, Survey
from rag.indexing.build import check_folders, check_kinds
from rag.indexing.moved_roots import find_moves
from rag.indexing.outdated import describe_outdated
from rag.indexing.progress import Rate, read_rate
from rag.indexing.roots import Target, choose_root, heeded_files, without_repeats
from rag.indexing.scan import ChangeDetector
from rag.indexing.sight import seeing, versions_with
from rag.indexing.tally import RunTally
from rag.loaders.policy import policy_of
from rag.location import Location, named_location
from rag.types import Kind, Skipped


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would find. Copies, moves and captions show only when files are read: a run may do a little less or more."""

    new: Mapping[str, int]  # documents by family
    changed: Mapping[str, int]
    gone: int
    unchanged: int
    megabytes: float  # 10⁶ bytes to read
    passages: int  # as many of each family as its documents in this index have; one for a picture; each at most one model call
    unknown: Mapping[str, int]  # documents of which the index holds none alike: counted as one passage each, the least they give
    seconds: float | None  # at the rate of the last long run; None without one, or with unknown documents
    ignored: Mapping[str, int]  # left out by rule, counted by reason
    skipped: tuple[Skipped, ...]  # cannot be looked at
    notes: tuple[str, ...]


def plan_index(*folders: str | os.PathLike[str], index: str = "", kinds: Sequence[Kind] = (), **flags: Any) -> Plan:
    """What `build_index` would do with the same arguments now. Changes nothing.

    Errors: WrongRequest for a folder that is none, IndexNotFound where neither a folder nor an index is named.
    """
    settings = load_settings({**flags, "index": index or None})
    room = index_room(settings.index)
    wanted = [named_location(one) for one in folders]
    check_folders(wanted, room.place)
    check_kinds(kinds)
    if not room.exists():
        if not wanted:
            raise IndexNotFound(room.place)
        return _plan(NothingKnown(), wanted, frozenset(kinds), None, heeded_files(settings, {}), {})
    with room.surveyed() as known:
        kept = room.settings()
        versions = versions_with(seeing(room.fingerprint(), policy_of(kept)))
        return _plan(known, wanted, frozenset(kinds), read_rate(room.derived), heeded_files(settings, kept), versions)


@dataclass(slots=True)
class _Counts:
    new: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    megabytes: float = 0.0


def _plan(
    known: Survey,
    wanted: Sequence[Location],
    kinds: frozenset[Kind],
    rate: Rate | None,
    heeded: tuple[str, ...],
    versions: Mapping[str, int],
) -> Plan:
    counts, tally = _Counts(), RunTally()
    for target in (one._replace(heeded=heeded) for one in _targets(known, wanted, tally, versions)):
        changes = ChangeDetector(target, known, tally, kinds)
        for change in filter(None, map(changes.classify, walk(*target))):
            path = change.found.path
            (counts.changed if change.known else counts.new)[family_of(path)] += 1
            counts.megabytes += size_in(change.found.stamp) / 1e6
        counts.gone += len(changes.gone())
    coming = counts.new + counts.changed
    each = {"picture": 1.0, **known.passages_each(family_of)}
    unknown = {family: count for family, count in coming.items() if family not in each}
    passages = round(sum(count * each.get(family, 1.0) for family, count in coming.items()))
    seconds = passages / rate.passages_per_second if rate and not unknown else None
    return Plan(
        dict(counts.new), dict(counts.changed), counts.gone, tally.unchanged, counts.megabytes, passages, unknown, seconds,
        dict(tally.ignored), tuple(tally.skipped), tuple(tally.notes),
    )  # fmt: skip


def _targets(known: Survey, wanted: Sequence[Location], tally: RunTally, versions: Mapping[str, int]) -> list[Target]:
    moves = find_moves(map(root_of, wanted) if wanted else known.roots.values(), known.roots, known)
    tally.notes += [*map(str, moves), *describe_outdated(known.outdated(versions), "would be")]
    roots = {**known.roots, **{moved.root: moved.new for moved in moves}}
    targets = []
    for one in wanted:
        target, _ = choose_root(one, roots)
        roots[target.root.name] = target.root.folder
        targets.append(target)
    if not wanted:
        for name, place in roots.items():
            if is_there(place):
                targets.append(Target(Root(name, place)))
            else:
                tally.notes.append(f"{place} is not there: what the index holds of it would be kept")
    return without_repeats(targets)
