"""An index in Milvus by its address: the connection, which set of collections stands, what that says of itself, and the lease.

Knows addresses, the token, sets and leases; knows no passage and no run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

from rag.config import load_settings
from rag.errors import IndexDamaged, IndexFailure, IndexNotFound
from rag.index.catalog.spaces import Space
from rag.index.milvus.address import Address, parse_address
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import Facts, read_facts
from rag.index.milvus.lease import Lease, leased
from rag.index.milvus.notes import Notes
from rag.index.milvus.schema import is_complete
from rag.index.milvus.sets import described, drop_other_sets, standing_or_first
from rag.types import Fingerprint

Found = TypeVar("Found")


class StandingSet:
    """Connects at first use. Every public method is as `Room` has it."""

    def __init__(self, address: str) -> None:
        """WrongRequest for an address that is none."""
        self.address = parse_address(address)
        self.place = self.address.shown
        self.name = self.address.name

    @cached_property
    def engine(self) -> Engine:
        """The connection. MissingExtra, IndexFailure."""
        return _engine(self.address, load_settings({}).milvus_token)

    def exists(self) -> bool:
        """Whether there is a complete index. IndexFailure where a collection of that name is not ours."""
        try:
            self._facts()
        except IndexNotFound:
            return False
        except IndexDamaged:
            return True
        return True

    @property
    def uploads(self) -> Path:
        """As `Address.uploads`."""
        return self.address.uploads

    @property
    def derived(self) -> Path:
        """As `Address.derived`."""
        return self.address.derived

    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the model that made the vectors. IndexNotFound."""
        return self._facts().fingerprint

    def settings(self) -> dict[str, str]:
        """The settings the index was made with. IndexNotFound."""
        return dict(self._facts().settings)

    def spaces(self) -> tuple[Space, ...]:
        """The vector spaces beside the first, by number. IndexNotFound."""
        return self._facts().spaces

    # ---- which set ------------------------------------------------------------------------------

    @property
    def _leases(self) -> Notes:
        """The notes that hold the leases, whichever set stands."""
        return Notes(self.engine, self.name)

    def _stem(self) -> str:
        """The stem of the set that stands."""
        return standing_or_first(self.engine, self.name)

    def _at(self, act: Callable[[str], Found]) -> Found:
        """Does something with the set that stands; again where another took its place meanwhile."""
        if self.address.file is not None and not self.address.file.exists():
            raise IndexNotFound(self.place)
        stem = self._stem()
        while True:
            try:
                return act(stem)
            except IndexFailure:
                before, stem = stem, self._stem()
                if stem == before:
                    raise

    def _facts(self) -> Facts:
        return self._at(self._facts_of)

    def _facts_of(self, stem: str) -> Facts:
        if is_complete(self.engine, stem, described(self.name, stem)):
            facts = read_facts(Notes(self.engine, stem), self.place, NEWEST)
            if facts is not None:
                return facts
        raise IndexNotFound(self.place)

    # ---- who writes -----------------------------------------------------------------------------

    @contextmanager
    def _lease(self, say: Callable[[str], None] = lambda _: None) -> Iterator[Lease]:
        with leased(self._leases, self.place, load_settings({}).milvus_lease, say) as lease:
            yield lease

    @contextmanager
    def _leased(self, say: Callable[[str], None]) -> Iterator[Lease]:
        """The lease, and what killed rebuilds left is removed."""
        with self._lease(say) as lease:
            with suppress(IndexFailure):
                drop_other_sets(self.engine, self.name, lease.confirm)
            yield lease


@cache
def _engine(address: Address, token: str) -> Engine:
    """One connection of this process to each place: runs that follow one another share it."""
    return Engine(address, token)
