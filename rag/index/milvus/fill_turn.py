"""The turn of filling further models of an index in Milvus: a lease of its own, so that runs go on writing meanwhile.

Knows leases, facts and the spaces; knows no model. What runs have written since is looked for now and then, and at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import IndexLocked, IndexReplaced
from rag.index.files.fill_first import take_asked
from rag.index.milvus.engine import NEWEST, Engine, at_least, now
from rag.index.milvus.facts import Facts, read_facts
from rag.index.milvus.lease import leased
from rag.index.milvus.notes import FILL_LEASE, Notes
from rag.index.milvus.spaces import MilvusSpaces
from rag.types import Fingerprint

LOOK = 2.0  # seconds between looks for what others have written
SHARE = 20  # of the time that such a look takes, at least, until the next
POLL = 0.5  # seconds between two questions for the turn


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

    def __init__(self, engine: Engine, index: str, facts: Facts, derived: Path, confirm: Callable[[], None]) -> None:
        self._engine, self._index, self._derived, self._confirm = engine, index, derived, confirm
        self._notes = Notes(engine, index)
        self._facts = facts
        self.writer = SpacesWriter(engine, index, facts, confirm)
        self._due = time.monotonic() + LOOK

    def is_asked_for(self) -> bool:
        """Whether others have written, as far as was looked: every `LOOK` seconds, and less often where it takes long."""
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + LOOK
        return self._is_changed(read_facts(self._notes, self._engine.address.shown, at_least(now() - LOOK)))

    def has_news(self) -> bool:
        """Whether others have written until now."""
        return self._is_changed(read_facts(self._notes, self._engine.address.shown, NEWEST))

    def step_aside(self) -> None:
        """Commits, and sees what others wrote. IndexReplaced where another index stands in its place, StorageFailed."""
        self.writer.commit()
        began = time.monotonic()
        facts = read_facts(self._notes, self._engine.address.shown, NEWEST)
        if facts is None:
            raise IndexReplaced(self._engine.address.shown)
        self._facts = facts
        self.writer = SpacesWriter(self._engine, self._index, facts, self._confirm)
        self._due = time.monotonic() + max(LOOK, SHARE * (time.monotonic() - began))

    def take_asked(self) -> list[int]:
        """As `rag.index.files.fill_first.take_asked`, of the searches of this machine and user."""
        return take_asked(self._derived)

    def _is_changed(self, facts: Facts | None) -> bool:
        before = self._facts
        return facts is None or (facts.generation, facts.spaces, facts.fingerprint) != (
            before.generation,
            before.spaces,
            before.fingerprint,
        )


@contextmanager
def filling(
    engine: Engine, index: str, facts: Facts, derived: Path, seconds: float, say: Callable[[str], None]
) -> Iterator[MilvusFillTurn]:
    """Holds the turn. IndexLocked where another run has it, StorageFailed."""
    with leased(Notes(engine, index), engine.address.shown, seconds, say, FILL_LEASE) as lease:
        yield MilvusFillTurn(engine, index, facts, derived, lease.confirm)


def wait_for_turn(
    engine: Engine, index: str, seconds: float, say: Callable[[str], None], pause: Callable[[float], object] = time.sleep
) -> None:
    """Returns when no other run has the turn, and tells `say` of the one that has it now. StorageFailed."""
    is_told = False
    while True:
        try:
            with leased(Notes(engine, index), engine.address.shown, seconds, say, FILL_LEASE):
                return
        except IndexLocked as error:
            if not is_told:
                say(f"{error.what}, which fills models; this run goes on when that ends")
            is_told = True
        pause(POLL)
