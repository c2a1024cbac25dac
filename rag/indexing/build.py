"""Builds an index or brings it up to date: what every caller of the write path shares.

Knows settings, folders and the write path; knows no terminal and no HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import Settings, load_settings, origin
from rag.corpus.sources import real_place, require_something
from rag.errors import (
    EmbedderMismatch,
    IndexNotFound,
    WrongRequest,
    WrongSetting,
)
from rag.index.locations import index_room
from rag.indexing.live_run import shown_to_others
from rag.indexing.rebuild import rebuild_index
from rag.indexing.renewal import can_renew
from rag.indexing.run import create_index, run_over
from rag.indexing.spaces import fill_all
from rag.loaders.policy import fixed_settings, policy_of
from rag.location import Location, ObjectPath, named_location
from rag.models.canaries import compare_canaries
from rag.models.loading import ModelCache
from rag.models.selection import choose_embedder, choose_kept, this_machine
from rag.models.small_download import fetch_if_named
from rag.types import KINDS, Kind

if TYPE_CHECKING:
    from rag.index.room import Place, Room
    from rag.indexing.report import Report, Tell


def build_index(
    *folders: str | os.PathLike[str] | ObjectPath,
    index: str | Path = "",
    rebuild: bool = False,
    kinds: Sequence[Kind] = (),
    tell: Tell | None = None,
    models: ModelCache | None = None,
    say: Callable[[str], None] = lambda _: None,
    **flags: Any,
) -> Report:
    """Indexes folders, or brings every known root up to date where none is named. Keywords are settings.

    With `kinds`, only documents that give passages of these kinds are read; what the index holds of others stays.
    `models` holds those opened before, and keeps the one opened here for the next run. `say` is told which model a new index
    is made with, and why that one. The other models of the index follow behind: other writers are let in, and a note says how
    far they came.

    Errors: WrongRequest for a folder that is none, IndexNotFound without folders and index, EmbedderMismatch, IndexLocked,
    StorageFailed, BackendError.
    """
    models = models or ModelCache()
    settings = load_settings({**flags, "index": index or None})
    room = index_room(settings.index)
    folder = room.place
    if rebuild and room.exists():
        report = _rebuild(room, folders, settings, kinds, tell, say)
    else:
        report = update_index(*folders, index=index, kinds=kinds, tell=tell, models=models, say=say, **flags)
    with shown_to_others(folder, tell) as told:
        return replace(report, notes=(*report.notes, *fill_all(room, settings, models, say, told)))


def update_index(
    *folders: str | os.PathLike[str] | ObjectPath,
    index: str | Path = "",
    kinds: Sequence[Kind] = (),
    tell: Tell | None = None,
    models: ModelCache | None = None,
    say: Callable[[str], None] = lambda _: None,
    **flags: Any,
) -> Report:
    """As `build_index`, for the first model of the index alone. IndexNotFound, EmbedderMismatch, and its other errors."""
    settings = load_settings({**flags, "index": index or None})
    room = index_room(settings.index)
    folder = room.place
    wanted = _checked(folders, folder)
    check_kinds(kinds)
    fresh = not room.exists()
    if fresh and not wanted:
        raise IndexNotFound(folder)
    kept = {} if fresh else room.up_to_date().settings()
    chosen = choose_embedder(settings, kept, this_machine())
    fetch_if_named(chosen, say)
    models = models or ModelCache()
    embedder = models.embedder(chosen)
    if fresh:
        create_index(room, settings, chosen, embedder, say)
        kept = room.settings()
    _refuse_other_reading(folder, kept, settings, flags)
    if embedder.fingerprint in {space.fingerprint for space in room.spaces()}:  # it is one of the others: all are brought up
        embedder = models.embedder(choose_kept(settings, kept, this_machine()))
    made_by = room.fingerprint()
    if made_by != embedder.fingerprint and not can_renew(embedder, made_by):
        raise EmbedderMismatch(folder, made_by, embedder.fingerprint)
    if not fresh:
        compare_canaries(folder, kept, embedder)
    with shown_to_others(folder, tell) as told:
        return run_over(room, wanted, embedder, policy_of(kept), settings, kept, frozenset(kinds), told, say)


def _rebuild(
    room: Room,
    folders: Sequence[str | os.PathLike[str] | ObjectPath],
    settings: Settings,
    kinds: Sequence[Kind],
    tell: Tell | None,
    say: Callable[[str], None],
) -> Report:
    wanted = _checked(folders, room.place)
    check_kinds(kinds)
    if kinds:
        raise WrongRequest("a rebuild reads every kind", remedy="leave out --kinds or --rebuild")
    with shown_to_others(room.place, tell) as told:
        return rebuild_index(room, wanted, settings, told, say)


def _checked(folders: Sequence[str | os.PathLike[str] | ObjectPath], index: Place) -> list[Location]:
    """The folders and prefixes. WrongRequest for one that is none."""
    if not all(map(str, folders)):
        raise WrongRequest("a folder without a name was given", remedy="name a folder; `.` is the current one")
    wanted = [named_location(one) for one in folders]
    check_folders(wanted, index)
    return wanted


def check_kinds(kinds: Sequence[Kind]) -> None:
    """WrongRequest for an unknown kind."""
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise WrongRequest(f"no kind is called {unknown[0]!r}", remedy=f"the kinds are: {', '.join(KINDS)}")


def check_folders(wanted: Sequence[Location], index: Place) -> None:
    """WrongRequest for a folder or prefix that does not exist, or that is the index itself; BackendError for a silent store."""
    for one in wanted:
        require_something(one)
        if not isinstance(index, Path):
            continue
        real = real_place(one)
        if real == index.resolve() or index.resolve() in real.parents:
            raise WrongRequest(f"{one} is the index itself", remedy="name the folder of your files")


def _refuse_other_reading(folder: Place, kept: Mapping[str, str], settings: Settings, flags: Mapping[str, Any]) -> None:
    """An index read in two ways would answer in two ways."""
    for key, value in fixed_settings(settings).items():
        if kept.get(key, value) != value and origin(key, flags) != "default":
            raise WrongSetting(
                f"{folder} was made with {key} = {kept[key]}; {origin(key, flags)} asks for {value}",
                remedy="leave it out, or read everything anew: rag index --rebuild",
            )
