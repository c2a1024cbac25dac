"""Adds a model to an index, fills what its further models lack, and drops one.

Knows settings, models and the writer; reads no folder: the contents are those of the index.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import Settings, load_settings
from rag.errors import AnotherModel, BackendError, EmbedderMismatch, IndexLocked, Interrupted, MissingExtra, WrongRequest
from rag.humanize import counted
from rag.index.locations import existing_room
from rag.indexing.fill import Filled, fill_space
from rag.indexing.live_run import shown_to_others
from rag.indexing.run import model_memory
from rag.indexing.stand_in import SETTING, end_stand_in, stand_in_for
from rag.loaders.policy import policy_of
from rag.models.canaries import compare_canaries
from rag.models.further import open_to_fill, refuse_other
from rag.models.loading import ModelCache
from rag.models.selection import choose_embedder, choose_kept, remembered, this_machine
from rag.models.small_download import fetch_if_named

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool
    from rag.index.catalog.spaces import Space
    from rag.index.room import Room
    from rag.index.writing import IndexWriter
    from rag.indexing.report import Tell

Say = Callable[[str], None]


def add_model(
    index: str | Path = "", *, tell: Tell | None = None, say: Say = lambda _: None, models: ModelCache | None = None, **flags: Any
) -> Filled:
    """Adds a vector space for the model that the keywords name, as settings, and fills it; goes on with one begun before.

    The index is searched meanwhile, and other writers are let in. WrongRequest for the model the index has already;
    EmbedderMismatch for one of the same name with other vectors; Interrupted, BackendError, with what was made committed.
    """
    room = existing_room(index)
    settings = load_settings({**flags, "index": index or None})
    models = models or ModelCache()
    with shown_to_others(room.place, tell) as told:
        space = add_space(room, settings, models, say)
        kept = room.settings()
        embedder = models.embedder(choose_embedder(settings, {}, this_machine()))
        first = models.embedder(choose_kept(settings, kept, this_machine()))
        room.wait_for_turn(say)
        with room.filling(say) as turn:
            return fill_space(
                turn, space, embedder, first, policy_of(kept), files=_files(settings),
                commit_seconds=settings.commit_seconds, say=say, tell=told,
            )  # fmt: skip


def add_space(room: Room, settings: Settings, models: ModelCache, say: Say) -> Space:
    """The vector space of the model that the settings name: an empty one, or the one that the index has begun.

    WrongRequest for the first model of the index; EmbedderMismatch for one of the same name with other vectors; BackendError.
    """
    chosen = choose_embedder(settings, {}, this_machine())
    fetch_if_named(chosen, say)
    embedder = models.embedder(chosen)
    name = embedder.fingerprint.model
    if embedder.fingerprint == room.fingerprint():
        raise WrongRequest(f"{room.place} is made with {name} already", remedy="name another; `rag models` lists those it has")
    first = models.embedder(choose_kept(settings, room.settings(), this_machine()))
    if embedder.modalities - first.modalities:
        blind = first.fingerprint.model
        say(f"{blind} does not see, so pictures are known to this index by their words, and {name} is given those")
    with room.writing(say) as writer:
        space = writer.spaces.named(name)
        if space is None:
            space = writer.spaces.add(name, embedder.fingerprint, model_memory(settings, chosen, embedder))
        else:
            refuse_other(room.place, space, embedder)
            compare_canaries(room.place, space.settings, embedder)
            writer.spaces.keep_settings(space, dict(space.settings) | remembered(chosen, settings))  # a server may have moved
        writer.commit()
    return space


def fill_all(
    room: Room, settings: Settings, models: ModelCache, say: Say, tell: Tell, stop: threading.Event | None = None
) -> tuple[str, ...]:
    """Fills every further space of an index, and says what was done. A model that cannot be asked now is a note.

    Other writers are let in meanwhile. Where another run fills them already, that is left to it. Interrupted once `stop` is set.
    """
    if not room.spaces():
        return ()
    notes: list[str] = []
    try:
        with room.filling(say, _pausing(stop)) as turn:
            kept = room.settings()
            policy, first = policy_of(kept), models.embedder(choose_kept(settings, kept, this_machine()))
            for space in turn.writer.spaces.all():
                if space not in (spaces := turn.writer.spaces).all() or not spaces.missing(space):
                    continue
                try:
                    embedder = open_to_fill(room.place, space, settings, models)
                    filled = fill_space(
                        turn, space, embedder, first, policy, files=_files(settings),
                        commit_seconds=settings.commit_seconds, say=say, tell=tell, stop=stop,
                    )  # fmt: skip
                    notes.append(str(filled))
                except (BackendError, MissingExtra, EmbedderMismatch, AnotherModel, WrongRequest) as error:
                    lacking = counted(len(turn.writer.spaces.missing(space)), "content")
                    notes.append(f"{space.name} lacks {lacking}, which the next run fills: {error.what}; {error.remedy}")
    except IndexLocked as error:
        notes.append(f"{error.what}, which fills the other models")
    except KeyboardInterrupt:
        raise Interrupted("stopped; what is made is committed", remedy="run the same command to go on") from None
    return (*notes, *end_stand_in(room, say))


def _pausing(stop: threading.Event | None) -> Callable[[float], object]:
    """Waits so many seconds; KeyboardInterrupt, as after Ctrl-C, once `stop` is set."""
    if stop is None:
        return time.sleep

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise KeyboardInterrupt

    return pause


def drop_model(name: str, index: str | Path = "", *, say: Say = lambda _: None) -> str:
    """Drops the vector space of that name; returns what was done, as a sentence. Its files are removed.

    For the first one, the next that has a vector of every content takes its place; without one, WrongRequest.
    """
    room = existing_room(index)
    with room.writing(say) as writer:
        spaces = writer.spaces.all()
        chosen = next((space for space in spaces if space.name == name), None)
        if chosen is not None:
            writer.spaces.drop(chosen)
            if stand_in_for(room) == name:
                writer.memory.keep_setting(SETTING, '""')
            writer.commit()
            said = f"{name} was dropped"
        elif name == writer.fingerprint.model:
            heir = _heir(writer, spaces, name)
            writer.put_space_first(heir)
            said = f"{name} was dropped; {heir.name} is the first model of the index now"
        else:
            known = ", ".join((writer.fingerprint.model, *(space.name for space in spaces)))
            raise WrongRequest(f"{room.place} has no model called {name!r}", remedy=f"it has: {known}")
    with room.writing(say):  # removes the files that have no space any more
        return said


def _heir(writer: IndexWriter, spaces: Sequence[Space], name: str) -> Space:
    """The first of the further spaces that lacks no content."""
    if not spaces:
        raise WrongRequest(f"{name} is the only model of the index", remedy="add another first: rag index --add-model NAME")
    lacking = {space.name: len(writer.spaces.missing(space)) for space in spaces}
    for space in spaces:
        if not lacking[space.name]:
            return space
    said = ", ".join(f"{each} lacks {counted(count, 'content')}" for each, count in lacking.items())
    raise WrongRequest(f"no other model can take the place of {name}: {said}", remedy="fill one first: rag index")


def _files(settings: Settings) -> AskPool:
    from rag.decoding.ask_pool import AskPool, shared_pool

    return shared_pool() if settings.jobs != 0 else AskPool(0)
