"""A writer that steps aside: it commits and closes when another process asks for the lock, and opens anew when that is done.

Knows the lock and the writer; knows nothing of what is written. One at a time fills an index: its turn lasts also meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rag.corpus.file_types import CATALOG_FILE
from rag.errors import IndexLocked, IndexReplaced
from rag.index.files.fill_first import take_asked
from rag.index.files.lock import POLL, Pause, Say, fill_locked, is_asked_for, locked_until_asked, silent
from rag.index.writer.writer import Writer, opened_writer


class SteppingWriter:
    """As `FillTurn`. Made by `stepping_aside`; for one thread. `writer` is another one after every `step_aside`."""

    def __init__(self, folder: Path, say: Say, pause: Pause) -> None:
        self.folder, self._say, self._pause = folder, say, pause
        self._opened = ExitStack()
        self._writer: Writer | None = None
        self._identity = _identity(folder)
        self._generation = 0
        self._open()

    @property
    def writer(self) -> Writer:
        """The open writer."""
        assert self._writer is not None, "nothing is written while another process does"
        return self._writer

    @property
    def is_open(self) -> bool:
        """Whether the lock is held; not while another process writes."""
        return self._writer is not None

    def is_asked_for(self) -> bool:
        """Whether another writer asks for the lock: 10 µs."""
        return is_asked_for(self.folder)

    def has_news(self) -> bool:
        """The same: others write only while this one steps aside."""
        return self.is_asked_for()

    def take_asked(self) -> list[int]:
        """As `rag.index.files.fill_first.take_asked`."""
        return take_asked(self.folder)

    def step_aside(self) -> None:
        """Commits, lets the others write, and opens anew. IndexReplaced where another index stands in its place now.

        Passages have the numbers that they had, unless they are gone; spaces may be gone.
        """
        self._generation = self.writer.commit()
        self.close()
        self._open()

    def close(self) -> None:
        """Releases the lock; what is not committed is dropped."""
        self._writer = None
        self._opened.close()

    def _open(self) -> None:
        opening = ExitStack()
        with opening:
            opening.enter_context(locked_until_asked(self.folder, self._say, self._pause))
            if _identity(self.folder) != self._identity:
                raise IndexReplaced(self.folder)
            writer = opening.enter_context(opened_writer(self.folder))
            if writer.generation < self._generation:  # the catalog was restored from a backup
                raise IndexReplaced(self.folder)
            self._writer, self._opened = writer, opening.pop_all()


@contextmanager
def stepping_aside(folder: Path, say: Say = silent, pause: Pause = time.sleep) -> Iterator[SteppingWriter]:
    """Opens an index for a long run behind all other writers. IndexLocked where another such run has its turn.

    Waits, however long, while others write the index: `say` is told; `pause` may raise to end that. Other errors as `writing`.
    """
    with fill_locked(folder):
        stepping = SteppingWriter(folder, say, pause)
        try:
            yield stepping
        finally:
            stepping.close()


def wait_for_turn(folder: Path, say: Say, pause: Pause = time.sleep) -> None:
    """Returns when no other run has the turn of `stepping_aside`, and tells `say` of the one that has it now."""
    told = False
    while True:
        try:
            with fill_locked(folder):
                return
        except IndexLocked as error:
            if not told:
                say(f"{error.what}, which fills models; this run goes on when that ends")
            told = True
        pause(POLL)


def _identity(folder: Path) -> tuple[int, int]:
    found = (folder / CATALOG_FILE).stat()
    return found.st_dev, found.st_ino
