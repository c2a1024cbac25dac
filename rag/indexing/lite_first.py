"""A new index at once: the built-in model makes it searchable, and the model that was named follows behind.

Knows the two runs, one after the other; knows no terminal and no HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import load_settings
from rag.index.files.layout import is_index
from rag.index.locations import index_folder
from rag.indexing.build import build_index
from rag.indexing.spaces import add_model
from rag.models.loading import ModelCache
from rag.models.selection import REMEMBERED

if TYPE_CHECKING:
    from rag.indexing.report import Report, Tell


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
    of_reading = {name: value for name, value in flags.items() if name not in REMEMBERED}
    fresh = not is_index(index_folder(load_settings({"index": index or None}).index))
    if fresh:
        of_reading |= {"backend": "lite", "model": ""}
    report = build_index(*folders, index=index, tell=tell, models=models, **of_reading)
    filled = add_model(index, tell=tell, say=say, models=models, **flags)
    return replace(report, notes=(*report.notes, str(filled)))
