"""The walk as a stage of its own: a thread goes through the folders while others read what it found.

Knows the walk and threads; knows no index.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol

from rag.corpus.walk import Seen, walk
from rag.indexing.roots import Target

BUNCH = 256  # what is handed over together, at most
MOMENT = 0.01  # seconds after which it is handed over, however little it is


@dataclass(frozen=True, slots=True)
class Bunch:
    """What a walk came by, in its order."""

    seen: tuple[Seen, ...]
    is_last: bool = False  # the walk has ended
    is_broken: bool = False  # by an error that is a bug: what would have come is not known


class Bunches(Protocol):
    """Where they go."""

    def put_found(self, bunch: Bunch) -> bool:
        """Waits while there are many already; False where nobody takes them any more."""
        ...


class Walking:
    """A walk that goes on. Nobody waits for its thread: a network disk may hold it for minutes."""

    def __init__(self, target: Target, bunches: Bunches) -> None:
        """Starts it."""
        self._target, self._bunches = target, bunches
        self._stopped = False
        threading.Thread(target=self._walk, name="rag-walk", daemon=True).start()

    def stop(self) -> None:
        """It ends at its next step; what it has found may still come."""
        self._stopped = True

    def _walk(self) -> None:
        last = Bunch((), is_last=True, is_broken=True)
        seen: list[Seen] = []
        handed_over = time.monotonic()
        try:
            for one in walk(*self._target):
                seen.append(one)
                if len(seen) < BUNCH and time.monotonic() - handed_over < MOMENT:
                    continue
                if self._stopped or not self._bunches.put_found(Bunch(tuple(seen))):
                    return
                seen.clear()
                handed_over = time.monotonic()
            last = Bunch(tuple(seen), is_last=True)
        finally:  # also after an error that is a bug: the thread that writes must not wait for ever
            self._bunches.put_found(last)
