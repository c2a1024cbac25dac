"""Fills the further models of an index in a thread, behind the runs of a process that follows folders.

Knows the fill; knows no folder that is followed. Each run asks for the index as another process would, and the fill steps aside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.config import load_settings
from rag.errors import Interrupted, RagError
from rag.index.locations import existing_room
from rag.indexing.spaces import fill_all
from rag.models.loading import ModelCache


class BackgroundFill:
    """Made once for an index; the keywords are settings. `close` it: what is made is committed."""

    def __init__(self, index: str | Path, say: Callable[[str], None], **flags: Any) -> None:
        self._settings = load_settings({**flags, "index": index or None})
        self._index, self._say = index, say
        self._models = ModelCache()  # of its own: an embedder is for one run at a time
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()  # of the two that follow
        self._is_asked = self._runs = False

    def start(self) -> None:
        """Fills what is missing now; a fill that is under way looks once more when it is done."""
        with self._turn:
            self._is_asked = True
            if not self._runs:
                self._runs = True
                self._thread = threading.Thread(target=self._fill, name="rag-fill", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Ends the fill: waits for the calls that are under way, and commits."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _fill(self) -> None:
        while self._is_to_go_on():
            try:
                for note in fill_all(
                    existing_room(self._index), self._settings, self._models, self._say, lambda _: None, self._stop
                ):
                    self._say(note)
            except Interrupted:
                continue  # it was told to stop
            except RagError as error:
                self._say(f"{error.what}; {error.remedy}")
            except BaseException:  # a bug: it is seen, and the next run may try again
                with self._turn:
                    self._runs = False
                raise

    def _is_to_go_on(self) -> bool:
        """Whether it was asked to fill since it began the last time, and not to stop."""
        with self._turn:
            self._runs = self._is_asked and not self._stop.is_set()
            self._is_asked = False
            return self._runs
