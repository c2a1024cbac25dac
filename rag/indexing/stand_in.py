"""Lite as the stand-in for a slow model: it goes, and the model is the index's first, once that has a vector of every content.

Knows the writer and the setting that says so; knows no folder and no model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from rag.humanize import counted

SETTING = "stand_in"  # the name of the model for which the first one stands in


def keep_stand_in(folder: Path, model: str, say: Callable[[str], None]) -> None:
    """Keeps that the first model stands in for another."""
    from rag.index.writer.writer import writing

    with writing(folder, say) as writer:
        writer.memory.keep_setting(SETTING, json.dumps(model))
        writer.commit()


def stand_in_for(folder: Path) -> str:
    """The model for which the first one of an index stands in; "" where it stands for itself."""
    from rag.index.catalog.index_folder import settings_of

    return str(json.loads(settings_of(folder).get(SETTING, '""')))


def end_stand_in(folder: Path, say: Callable[[str], None]) -> tuple[str, ...]:
    """Puts the model in the place of its stand-in, and says so; or says how much it lacks; () where nothing is to be done yet."""
    from rag.index.writer.writer import writing

    wanted = stand_in_for(folder)
    if not wanted:
        return ()
    with writing(folder, say) as writer:
        space, first = writer.spaces.named(wanted), writer.fingerprint.model
        if space is None:
            return ()
        if lacking := len(writer.spaces.missing(space)):
            return (f"{first} stays beside {wanted}, which lacks {counted(lacking, 'content')}",)
        writer.put_space_first(space)
        writer.memory.keep_setting(SETTING, '""')
        writer.commit()
    with writing(folder, say):  # removes the files of the stand-in
        return (f"{first} has stood in for {wanted}, which is the model of the index now",)
