"""An index in Milvus, opened or not: whether it is there, what it was made with, and how it is read and written.

Knows addresses, the token and collections; knows no passage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path

from rag.config import Settings, load_settings
from rag.errors import IndexFailure, IndexNotFound
from rag.index.catalog.spaces import Space
from rag.index.milvus.address import Address, parse_address
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import Facts, read_facts, write_facts
from rag.index.milvus.lease import leased
from rag.index.milvus.migration import bring_up_to_date
from rag.index.milvus.notes import Notes
from rag.index.milvus.reader import OpenMilvus
from rag.index.milvus.reindexing import kind_wanted, put_under, seal_new
from rag.index.milvus.schema import COLLECTIONS, FORMAT, collection, create_collections, is_complete
from rag.index.milvus.upkeep import findings, sweep
from rag.index.milvus.writer import MilvusWriter
from rag.types import Fingerprint


class MilvusRoom:
    """The index at an address; every method is as `Room` has it. Connects at first use."""

    def __init__(self, address: str) -> None:
        """WrongRequest for an address that is none."""
        self.address = parse_address(address)
        self.place = self.address.shown
        self.name = self.address.name

    @cached_property
    def engine(self) -> Engine:
        """The connection. MissingExtra, IndexFailure."""
        return _engine(self.address, load_settings({}).milvus_token)

    @cached_property
    def _notes(self) -> Notes:
        return Notes(self.engine, self.name)

    def exists(self) -> bool:
        """Whether there is a complete index. IndexFailure where a collection of that name is not ours."""
        if self.address.file is not None and not self.address.file.exists():
            return False
        return is_complete(self.engine, self.name) and read_facts(self._notes, self.place, NEWEST) is not None

    @property
    def uploads(self) -> Path:
        """As `Address.uploads`."""
        return self.address.uploads

    def up_to_date(self) -> MilvusRoom:
        """Brings an index of an older format up to date in place. IndexNotFound, IndexTooNew, IndexTooOld."""
        facts = self._facts()
        if facts.format < FORMAT:
            bring_up_to_date(self.engine, self.name, facts)
        return self

    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the model that made the vectors. IndexNotFound."""
        return self._facts().fingerprint

    def settings(self) -> dict[str, str]:
        """The settings the index was made with. IndexNotFound."""
        return dict(self._facts().settings)

    def spaces(self) -> tuple[Space, ...]:
        """None: a database holds one model's vectors."""
        return ()

    def create(self, fingerprint: Fingerprint, settings: Mapping[str, str]) -> None:
        """Makes an empty index, or completes one that a kill left half made. IndexFailure where one exists."""
        if self.exists():
            raise IndexFailure(
                f"there is already an index at {self.place}", remedy="choose another name at the end of the address"
            )
        self.engine.refuse_old_server()
        create_collections(self.engine, self.name, fingerprint.dim)
        write_facts(self._notes, fingerprint, settings)

    def open(self, structure: str) -> OpenMilvus:
        """Opens it for searching; `structure` is Milvus' own affair. IndexNotFound."""
        facts = self._facts()
        for which in COLLECTIONS:
            self.engine.load(collection(self.name, which))
        return OpenMilvus(self.engine, self.name, facts)

    @contextmanager
    def writing(self, say: Callable[[str], None] = lambda _: None) -> Iterator[MilvusWriter]:
        """The writer, with the lease of the index, which commits confirm. IndexNotFound; IndexLocked while another run has it."""
        if not self.exists():
            raise IndexNotFound(self.place)
        with leased(self._notes, self.place, load_settings({}).milvus_lease, say) as lease:
            yield MilvusWriter(self.engine, self.name, self._facts(), lease.confirm)

    def warm_up(self, settings: Settings, tell: Callable[[str], None]) -> tuple[str, ...]:
        """Puts the vectors under the kind of index that the settings or their number asks for; else says why not."""
        try:
            wanted = kind_wanted(self.engine, self.name, settings.index_kind)
            if wanted == self._facts().index_kind:
                seal_new(self.engine, self.name, wanted)
                return ()
            with leased(self._notes, self.place, settings.milvus_lease, tell):
                return put_under(self.engine, self.name, wanted, tell)
        except IndexFailure as error:
            return (f"{error.what}; {error.remedy}",)

    def check(self, *, read_data: bool) -> Iterator[str]:
        """Documents that miss passages; with `read_data`, passages that cannot be read."""
        yield from findings(self.engine, self.name, self._facts().fingerprint.dim, read_data=read_data)

    def sweep(self) -> int:
        """Deletes rows that no document names and that are older than an hour; returns how many."""
        return sweep(self.engine, self.name)

    def _facts(self) -> Facts:
        facts = read_facts(self._notes, self.place, NEWEST) if self.exists() else None
        if facts is None:
            raise IndexNotFound(self.place)
        return facts


@cache
def _engine(address: Address, token: str) -> Engine:
    """One connection of this process to each place: runs that follow one another share it."""
    return Engine(address, token)
