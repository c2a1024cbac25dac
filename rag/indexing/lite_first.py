"""A new index at once: the built-in model makes it searchable, and the model that was named follows behind.

Knows the two runs, one after the other, and when they are worth it; knows no terminal and no HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import load_settings
from rag.index.locations import existing_room, index_room
from rag.indexing.build import build_index, check_folders
from rag.indexing.run import create_index
from rag.indexing.slow_model import PATIENCE, seconds_needed
from rag.indexing.spaces import add_model, add_space
from rag.indexing.stand_in import end_stand_in, keep_stand_in, stand_in_for
from rag.indexing.watch import watch_index
from rag.location import named_location
from rag.models.loading import ModelCache
from rag.models.selection import REMEMBERED, choose_embedder, this_machine

if TYPE_CHECKING:
    from rag.index.room import Room
    from rag.indexing.report import Report, Tell
    from rag.types import Kind


def build_searchable(
    *folders: str | os.PathLike[str],
    index: str | Path = "",
    kinds: Sequence[Kind] = (),
    tell: Tell | None = None,
    say: Callable[[str], None] = lambda _: None,
    **flags: Any,
) -> Report:
    """As `build_index`; where a new index would be searchable in full only after minutes, lite stands in for its model.

    Then everything is searchable as soon as lite has read it, and once the model has a vector of every content it takes the place
    of lite: the index is that of the model alone. Where it cannot have all (one that only reads, beside pictures without words),
    both stay. Stopped, the next run goes on.
    """
    models = ModelCache()
    if kinds or not stands_in(folders, index=index, models=models, say=say, **flags):
        return build_index(*folders, index=index, kinds=kinds, tell=tell, say=say, models=models, **flags)
    report = _build_with_lite(*folders, index=index, tell=tell, models=models, **flags)
    filled = add_model(index, tell=tell, say=say, models=models, **flags)
    return replace(report, notes=(*report.notes, str(filled), *end_stand_in(existing_room(index), say)))


def watch_searchable(
    *folders: str | os.PathLike[str], index: str = "", seen: Callable[[Report], None], say: Callable[[str], None], **flags: Any
) -> None:
    """As `watch_index`; where a new index would be searchable in full only after minutes, lite stands in for its model.

    The model is filled in a thread while the folders are followed, and then takes the place of lite.
    """
    models = ModelCache()
    of_models = {name: value for name, value in flags.items() if name not in ("kinds", "stop", "sweep_seconds")}
    if flags.get("kinds") or not stands_in(folders, index=index, models=models, say=say, **of_models):
        watch_index(*folders, index=index, seen=seen, say=say, **flags)
        return

    def add_it() -> None:
        add_space(existing_room(index), load_settings({**of_models, "index": index or None}), models, say)

    watch_index(*folders, index=index, seen=seen, say=say, after_first=add_it, **without_model(flags))


def stands_in(
    folders: Sequence[str | os.PathLike[str]],
    *,
    index: str | Path,
    models: ModelCache,
    say: Callable[[str], None],
    **flags: Any,
) -> bool:
    """Whether lite is the first model of the index until the one that the keywords name has everything.

    A new index gets it here, without a document, where that model would need longer than a person waits. BackendError from the
    model that is asked how fast it is, and the errors of folders that cannot be read.
    """
    settings = load_settings({**flags, "index": index or None})
    if not folders:
        return False
    room = index_room(settings.index)
    chosen, fresh = choose_embedder(settings, {}, this_machine()), not room.exists()
    waiting = "" if fresh else stand_in_for(room.up_to_date())
    if chosen.backend == "lite" or not (fresh or waiting):
        return False
    embedder = models.embedder(chosen)
    name = embedder.fingerprint.model
    if not fresh:
        return waiting == name
    wanted = [named_location(one) for one in folders]
    check_folders(wanted, room.place)
    seconds = seconds_needed(wanted, settings, embedder, accelerated=this_machine().accelerator())
    if seconds < PATIENCE:
        return False
    say(f"{name} needs {seconds / 60:.0f} min for this, or more: lite makes all searchable first (else: --no-lite-first)")
    _create_with_lite(room, flags, models)
    keep_stand_in(room, name, say)
    return True


def without_model(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of reading alone: an index answers for its models itself."""
    return {name: value for name, value in flags.items() if name not in REMEMBERED}


def _create_with_lite(room: Room, flags: Mapping[str, Any], models: ModelCache) -> None:
    """Makes an empty index of lite that is read as the flags say."""
    of_reading = without_model(flags)
    settings = load_settings({**of_reading, "index": str(room.place), "backend": "lite", "model": ""})
    chosen = choose_embedder(settings, {}, this_machine())
    create_index(room, settings, chosen, models.embedder(chosen), lambda _: None)


def build_lite_first(
    *folders: str | os.PathLike[str],
    index: str | Path = "",
    tell: Tell | None = None,
    say: Callable[[str], None] = lambda _: None,
    **flags: Any,
) -> Report:
    """As `build_index`, with lite as the first model of a new index; then as `add_model` for the model that the keywords name.

    An index that exists is brought up to date with its own first model. The documents are searchable as soon as lite has read
    them; stopped, the same call goes on.
    """
    models = ModelCache()
    report = _build_with_lite(*folders, index=index, tell=tell, models=models, **flags)
    filled = add_model(index, tell=tell, say=say, models=models, **flags)
    return replace(report, notes=(*report.notes, str(filled)))


def _build_with_lite(
    *folders: str | os.PathLike[str], index: str | Path, tell: Tell | None, models: ModelCache, **flags: Any
) -> Report:
    of_reading = without_model(flags)
    if not index_room(load_settings({"index": index or None}).index).exists():
        of_reading |= {"backend": "lite", "model": ""}
    return build_index(*folders, index=index, tell=tell, models=models, **of_reading)
