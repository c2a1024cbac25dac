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
from rag.errors import (
    EmbedderMismatch,
    IndexNotFound,
    WrongRequest,
    WrongSetting,
)
from rag.index.locations import expand_home, index_room
from rag.indexing.live_run import shown_to_others
from rag.indexing.rebuild import rebuild_index
from rag.indexing.renewal import can_renew
from rag.indexing.run import create_index, run_over
from rag.indexing.spaces import fill_all
from rag.loaders.policy import fixed_settings, policy_of
from rag.models.canaries import compare_canaries
from rag.models.loading import ModelCache
from rag.models.selection import choose_embedder, choose_kept, this_machine
from rag.types import KINDS, Kind

if TYPE_CHECKING:
    from rag.index.room import Place
    from rag.indexing.report import Report, Tell


def build_index(
    *folders: str | os.PathLike[str],
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
    is made with, and why that one.

    Errors: WrongRequest for a folder that is none, IndexNotFound without folders and index, EmbedderMismatch, IndexLocked,
    StorageFailed, BackendError.
    """
    if not all(os.fspath(one) for one in folders):
        raise WrongRequest("a folder without a name was given", remedy="name a folder; `.` is the current one")
    settings = load_settings({**flags, "index": index or None})
    room = index_room(settings.index)
    folder = room.place
    wanted = [expand_home(one) for one in folders]
    check_folders(wanted, folder)
    check_kinds(kinds)
    if rebuild and room.exists():
        if kinds:
            raise WrongRequest("a rebuild reads every kind", remedy="leave out --kinds or --rebuild")
        if not isinstance(folder, Path):
            raise WrongRequest(
                f"{folder} cannot be rebuilt in place",
                remedy="index the same folders under another name: --index milvus://…/OTHER",
            )
        with shown_to_others(folder, tell) as told:
            report = rebuild_index(folder, wanted, settings, told, say)
            return _with_other_models(report, folder, settings, models or ModelCache(), say, told)
    fresh = not room.exists()
    if fresh and not wanted:
        raise IndexNotFound(folder)
    kept = {} if fresh else room.up_to_date().settings()
    chosen = choose_embedder(settings, kept, this_machine())
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
        report = run_over(room, wanted, embedder, policy_of(kept), settings, kept, frozenset(kinds), told)
        return _with_other_models(report, folder, settings, models, say, told)


def _with_other_models(
    report: Report, folder: Place, settings: Settings, models: ModelCache, say: Callable[[str], None], tell: Tell
) -> Report:
    """Gives the other models of the index what the run has added: they follow behind, and a note says how far."""
    if not isinstance(folder, Path):  # a database holds one model's vectors
        return report
    return replace(report, notes=(*report.notes, *fill_all(folder, settings, models, say, tell)))


def check_kinds(kinds: Sequence[Kind]) -> None:
    """WrongRequest for an unknown kind."""
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise WrongRequest(f"no kind is called {unknown[0]!r}", remedy=f"the kinds are: {', '.join(KINDS)}")


def check_folders(wanted: Sequence[Path], index: Place) -> None:
    """WrongRequest for a folder that does not exist, or that is the index itself."""
    for one in wanted:
        if not one.exists():
            raise WrongRequest(f"no such folder: {one}", remedy="nothing was changed; to forget a folder: rag rm FOLDER")
        if not isinstance(index, Path):
            continue
        real = one.resolve()
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
