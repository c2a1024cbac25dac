"""Lite as the stand-in for a slow model: it goes, and the model is the index's first, once that has a vector of every content.

Knows the writer and the setting that says so; knows no place and no model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from rag.humanize import counted

if TYPE_CHECKING:
    from rag.index.room import Room

SETTING = "stand_in"  # the name of the model for which the first one stands in


def keep_stand_in(room: Room, model: str, say: Callable[[str], None]) -> None:
    """Keeps that the first model stands in for another."""
    with room.writing(say) as writer:
        writer.memory.keep_setting(SETTING, json.dumps(model))
        writer.commit()


def stand_in_for(room: Room) -> str:
    """The model for which the first one of an index stands in; "" where it stands for itself."""
    return str(json.loads(room.settings().get(SETTING, '""')))


def end_stand_in(room: Room, say: Callable[[str], None]) -> tuple[str, ...]:
    """Puts the model in the place of its stand-in, and says so; or says how much it lacks; () where nothing is to be done yet."""
    wanted = stand_in_for(room)
    if not wanted:
        return ()
    with room.writing(say) as writer:
        space, first = writer.spaces.named(wanted), writer.fingerprint.model
        if space is None:
            return ()
        if lacking := len(writer.spaces.missing(space)):
            return (f"{first} stays beside {wanted}, which lacks {counted(lacking, 'content')}",)
        writer.put_space_first(space)
        writer.memory.keep_setting(SETTING, '""')
        writer.commit()
    with room.writing(say):  # removes the files of the stand-in
        return (f"{first} has stood in for {wanted}, which is the model of the index now",)
