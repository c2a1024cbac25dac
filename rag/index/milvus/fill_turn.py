"""The turn of filling further models of an index in Milvus: a lease of its own, so that runs go on writing meanwhile.

Knows leases, facts and the spaces; knows no model. What runs have written since is looked for now and then, and at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import IndexLocked
from rag.index.files.fill_first import take_asked
from rag.index.milvus.engine import Engine
from rag.index.milvus.facts import Facts
from rag.index.milvus.lease import leased
from rag.index.milvus.notes import FILL_LEASE, Notes
from rag.index.milvus.spaces import MilvusSpaces
from rag.types import Fingerprint

LOOK = 2.0  # seconds between looks for what others have written
SHARE = 20  # of the time that such a look takes, at least, until the next
POLL = 0.5  # seconds between two questions for the turn

Standing = Callable[[], tuple[Engine, str, Facts]]  # the set of collections that stands now: its stem, and its facts


class SpacesWriter:
    """As `SpaceWriter`: writes vectors of further spaces, and nothing else."""

    def __init__(self, engine: Engine, index: str, facts: Facts, confirm: Callable[[], None]) -> None:
        self.fingerprint: Fingerprint = facts.fingerprint
        self.remarks: list[str] = []
        self.spaces = MilvusSpaces(engine, index, facts, lambda: facts.roots)
        self._generation, self._confirm = facts.generation, confirm

    def commit(self) -> int:
        """Writes the vectors. StorageFailed; IndexLocked where another run has got the turn meanwhile."""
        if self.spaces.is_changed:
            self._confirm()
            self.spaces.write()
        return self._generation


class MilvusFillTurn:
    """As `FillTurn`. Made by `filling`."""

    is_open = True  # others write at the same time

    def __init__(self, standing: Standing, derived: Path, confirm: Callable[[], None]) -> None:
        self._standing, self._derived, self._confirm = standing, derived, confirm
        engine, self._index, self._facts = standing()
        self.writer = SpacesWriter(engine, self._index, self._facts, confirm)
        self._due = time.monotonic() + LOOK

    def is_asked_for(self) -> bool:
        """Whether others have written, as far as was looked: every `LOOK` seconds, and less often where it takes long."""
        return time.monotonic() >= self._due and self.has_news()

    def has_news(self) -> bool:
        """Whether others have written until now. IndexNotFound where the index is gone."""
        began, (_, index, facts) = time.monotonic(), self._standing()
        self._wait(began)
        return (index, *_told_apart_by(facts)) != (self._index, *_told_apart_by(self._facts))

    def step_aside(self) -> None:
        """Commits, and sees what others wrote. StorageFailed; IndexNotFound where the index is gone."""
        self.writer.commit()
        before, began = self.writer.spaces, time.monotonic()
        engine, self._index, self._facts = self._standing()
        self.writer = SpacesWriter(engine, self._index, self._facts, self._confirm)
        self.writer.spaces.go_on_from(before)  # the model is still at work on some of them
        self._wait(began)

    def take_asked(self) -> list[int]:
        """As `rag.index.files.fill_first.take_asked`, of the searches of this machine and user."""
        return take_asked(self._derived)

    def _wait(self, began: float) -> None:
        self._due = time.monotonic() + max(LOOK, SHARE * (time.monotonic() - began))


def _told_apart_by(facts: Facts) -> tuple[object, ...]:
    return facts.generation, facts.spaces, facts.fingerprint


@contextmanager
def filling(
    leases: Notes, place: str, standing: Standing, derived: Path, seconds: float, say: Callable[[str], None]
) -> Iterator[MilvusFillTurn]:
    """Holds the turn. IndexLocked where another run has it, StorageFailed."""
    with leased(leases, place, seconds, say, FILL_LEASE) as lease:
        yield MilvusFillTurn(standing, derived, lease.confirm)


def wait_for_turn(
    leases: Notes, place: str, seconds: float, say: Callable[[str], None], pause: Callable[[float], object] = time.sleep
) -> None:
    """Returns when no other run has the turn, and tells `say` of the one that has it now. StorageFailed."""
    is_told = False
    while True:
        try:
            with leased(leases, place, seconds, say, FILL_LEASE):
                return
        except IndexLocked as error:
            if not is_told:
                say(f"{error.what}, which fills models; this run goes on when that ends")
            is_told = True
        pause(POLL)
