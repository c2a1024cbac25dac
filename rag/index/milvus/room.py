"""An index in Milvus, opened or not: whether it is there, what it was made with, and how it is read, written and built anew.

Knows addresses, the token and collections; knows no passage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial

from rag.config import Settings, load_settings
from rag.errors import IndexDamaged, IndexFailure, IndexLocked, IndexNotFound
from rag.index.catalog.spaces import FIRST, Space
from rag.index.files.uninterruptible import uninterruptible
from rag.index.milvus.building import broken_off, explaining, refuse_while_building
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import Facts, write_facts
from rag.index.milvus.fill_turn import MilvusFillTurn, filling, wait_for_turn
from rag.index.milvus.first_space import fill_set
from rag.index.milvus.index_kinds import FLAT
from rag.index.milvus.lease import Lease
from rag.index.milvus.migration import bring_up_to_date
from rag.index.milvus.notes import RECOGNISED, Notes
from rag.index.milvus.reader import STALE, OpenMilvus
from rag.index.milvus.reindexing import complete_broken, kind_wanted, put_under, seal_new
from rag.index.milvus.schema import COLLECTIONS, FORMAT, collection, create_collections, space_collection
from rag.index.milvus.sets import described, drop_other_sets, exchange, new_stem, standing
from rag.index.milvus.standing_set import StandingSet
from rag.index.milvus.survey import MilvusSurvey
from rag.index.milvus.upkeep import findings, sweep
from rag.index.milvus.writer import MilvusWriter
from rag.index.room import Rebuild
from rag.types import Fingerprint

LINGERS = STALE + 1.0  # seconds for which the old set stays after an exchange: searches that began before end meanwhile


class MilvusRoom(StandingSet):
    """The index at an address; every method is as `Room` has it. Connects at first use."""

    def up_to_date(self) -> MilvusRoom:
        """Brings an index of an older format up to date in place. IndexNotFound, IndexTooNew, IndexTooOld."""

        def bring(stem: str) -> None:
            facts = self._facts_of(stem)
            if facts.format < FORMAT:
                bring_up_to_date(self.engine, stem, facts)

        self._at(bring)
        return self

    @contextmanager
    def surveyed(self) -> Iterator[MilvusSurvey]:
        """What it knows of its documents. IndexNotFound."""
        stem = self._stem()
        yield MilvusSurvey(self.engine, stem, self._facts_of(stem))

    def create(self, fingerprint: Fingerprint, settings: Mapping[str, str]) -> None:
        """Makes an empty index, or completes one that a kill left half made. IndexFailure where one exists."""
        if self.exists():
            raise IndexFailure(
                f"there is already an index at {self.place}", remedy="choose another name at the end of the address"
            )
        self.engine.refuse_old_server()
        stem = self._stem()
        create_collections(self.engine, stem, fingerprint.dim, described(self.name, stem))
        write_facts(Notes(self.engine, stem), fingerprint, settings)

    def open(self, structure: str) -> OpenMilvus:
        """Opens it for searching; `structure` is Milvus' own affair. IndexNotFound; IndexBuilding while another kind is built."""

        def opened(stem: str) -> OpenMilvus:
            facts = self._facts_of(stem)
            refuse_while_building(Notes(self.engine, stem), self._leases, self.place)  # loading it would stop what builds it
            for which in COLLECTIONS:
                self.engine.load(collection(stem, which))
            for space in facts.spaces:
                self.engine.load(space_collection(stem, space.number))
            return OpenMilvus(self.engine, self.name, stem, facts)

        return self._at(opened)

    @contextmanager
    def writing(self, say: Callable[[str], None] = lambda _: None) -> Iterator[MilvusWriter]:
        """The writer, with the lease of the index, which commits confirm. IndexNotFound; IndexLocked while another run has it."""
        if not self.exists():
            raise IndexNotFound(self.place)
        with self.engine.patience.held(), self._leased(say) as lease:
            stem = self._stem()
            complete_broken(self.engine, stem, say)
            yield MilvusWriter(self.engine, stem, self._facts_of(stem), lease.confirm, partial(self._put_first, lease))

    @contextmanager
    def rebuilding(self, say: Callable[[str], None] = lambda _: None) -> Iterator[Rebuild]:
        """A further set of collections, which an exchange of one note puts in the place of the first; the lease lasts throughout.

        IndexNotFound; IndexLocked while another run has the lease, or has got it meanwhile.
        """
        with suppress(IndexDamaged):
            self.up_to_date()
        with self._leased(say) as lease:
            fresh = _NewSet(self, new_stem(self.name), lease)
            try:
                yield Rebuild(fresh, partial(self._exchange, fresh, lease, say))
            finally:
                self._drop_old(fresh.stem, lease)

    def _exchange(self, fresh: _NewSet, lease: Lease, say: Callable[[str], None]) -> None:
        with suppress(IndexFailure):  # else `warm_up` does it, and searches wait
            kind = kind_wanted(self.engine, fresh.stem, load_settings({}).index_kind)
            put_under(self.engine, fresh.stem, kind, say)
        with uninterruptible():
            lease.confirm()
            exchange(self.engine, self.name, fresh.stem)

    def _put_first(self, lease: Lease, stem: str, space: Space) -> tuple[str, Facts]:
        """Another set, with a space in the place of the first one, takes the place of that one; its stem and facts."""
        facts, fresh = self._facts_of(stem), _NewSet(self, new_stem(self.name), lease)
        create_collections(self.engine, fresh.stem, space.fingerprint.dim, described(self.name, fresh.stem))
        fill_set(self.engine, stem, facts, space, fresh.stem, lease.confirm)
        self._exchange(fresh, lease, lambda _: None)
        self._drop_old(fresh.stem, lease)
        return fresh.stem, fresh._facts_of(fresh.stem)

    def _drop_old(self, stem: str, lease: Lease) -> None:
        """Removes what does not stand: the old set, once searches that began before have ended, or the new one that failed."""
        with suppress(IndexFailure):  # the next run does it
            if standing(self.engine, self.name) == stem:
                time.sleep(LINGERS)
            drop_other_sets(self.engine, self.name, lease.confirm)

    def recognised(self) -> Iterator[tuple[bytes, str]]:
        """The words recognised in pictures, by key; of a damaged index perhaps none."""
        with suppress(IndexFailure):
            found = Notes(self.engine, self._stem()).all_of(RECOGNISED, NEWEST)
            yield from ((bytes.fromhex(name), words) for name, words in found.items())

    @contextmanager
    def filling(
        self, say: Callable[[str], None] = lambda _: None, pause: Callable[[float], object] = time.sleep
    ) -> Iterator[MilvusFillTurn]:
        """The turn of filling, which is a lease of its own: nothing is waited for. IndexNotFound; IndexLocked."""
        seconds = load_settings({}).milvus_lease
        with (
            self.engine.patience.held(),
            filling(self._leases, self.place, self._standing, self.address.derived, seconds, say) as turn,
        ):
            yield turn

    def wait_for_turn(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Returns when no other run has the turn of `filling`. StorageFailed."""
        wait_for_turn(self._leases, self.place, load_settings({}).milvus_lease, say)

    def _standing(self) -> tuple[Engine, str, Facts]:
        """The set that stands: its stem and facts."""
        return self._at(lambda stem: (self.engine, stem, self._facts_of(stem)))

    def warm_up(self, settings: Settings, tell: Callable[[str], None]) -> tuple[str, ...]:
        """Puts the vectors under the kind of index that the settings or their number asks for; else says why not."""
        try:
            if broken_off(Notes(self.engine, self._stem())) is not None:
                with self._leased(tell):
                    complete_broken(self.engine, self._stem(), tell)
            said: list[str] = []
            facts = self._facts()
            for space in (FIRST, *(each.number for each in facts.spaces)):
                wanted = kind_wanted(self.engine, self._stem(), settings.index_kind, space)
                if wanted == facts.kinds.get(space, FLAT):
                    seal_new(self.engine, self._stem(), wanted, space)
                    continue
                with self._leased(tell):
                    said += put_under(self.engine, self._stem(), wanted, tell, space)
            return tuple(said)
        except IndexFailure as error:
            return (f"{error.what}; {error.remedy}",)

    def check(self, *, read_data: bool) -> Iterator[str]:
        """Documents that miss passages; with `read_data`, passages that cannot be read."""
        stem = self._stem()
        with explaining(Notes(self.engine, stem), self._leases, self.place):
            yield from findings(self.engine, stem, self._facts_of(stem), read_data=read_data)

    def sweep(self) -> int:
        """Deletes rows that no document names and that are older than an hour, and what rebuilds left; returns how many."""
        stem = self._stem()
        with explaining(Notes(self.engine, stem), self._leases, self.place):
            removed = sweep(self.engine, stem, self._facts_of(stem).spaces)
        with suppress(IndexLocked), self._lease() as lease:  # a run that goes on has removed what it found
            removed += drop_other_sets(self.engine, self.name, lease.confirm)
        return removed


class _NewSet(MilvusRoom):
    """The set that a rebuild makes, as an index of its own: written by the lease of the rebuild."""

    def __init__(self, old: MilvusRoom, stem: str, lease: Lease) -> None:
        super().__init__(old.place)
        self.engine, self.name, self.stem, self._held = old.engine, old.name, stem, lease

    def _stem(self) -> str:
        return self.stem

    @contextmanager
    def _leased(self, say: Callable[[str], None]) -> Iterator[Lease]:
        yield self._held
