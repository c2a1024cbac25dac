"""The commit rule of the Milvus room: kills before and after each step, and two writers of one document in every order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest

from rag.index.milvus import upkeep
from rag.index.milvus.engine import NEWEST, Engine, Row
from rag.index.milvus.facts import read_facts
from rag.index.milvus.notes import Notes
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.schema import PASSAGES, collection
from rag.index.milvus.writer import MilvusWriter
from rag.types import DocumentId
from tests.scale.test_contract import texts
from tests.unit.index_samples import FINGERPRINT, put

WRITES = ("upsert", "delete")


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def killing(engine: Engine, at: int, *, after: bool) -> Callable[[], int]:
    """Makes the engine's write number `at` the last thing that happens, or that does not. Returns how many there were."""
    count = 0

    def wrapped(name: str) -> Callable[..., None]:
        real = getattr(Engine, name)

        def write(*given: object) -> None:
            nonlocal count
            if threading.current_thread() is not threading.main_thread():  # the lease is renewed beside it
                return real(engine, *given)
            count += 1
            if count == at and not after:
                raise Killed
            real(engine, *given)
            if count == at:
                raise Killed

        return write

    for name in WRITES:
        setattr(engine, name, wrapped(name))
    return lambda: count


def revived(engine: Engine) -> None:
    for name in WRITES:
        engine.__dict__.pop(name, None)


OLD = ["a old one", "a old two", "b stays", "gone soon"]
NEW = ["a new one", "b stays", "c is new"]


@pytest.fixture
def room(milvus: MilvusRoom) -> MilvusRoom:
    milvus.create(FINGERPRINT, {})
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.txt", ["a old one", "a old two"])
        put(writer, "b.txt", ["b stays"])
        put(writer, "gone.txt", ["gone soon"])
        writer.commit()
    return milvus


def change(room: MilvusRoom) -> None:
    with room.writing() as writer:
        put(writer, "a.txt", ["a new one"], stamp="2")
        put(writer, "c.txt", ["c is new"])
        writer.remove("docs", "gone.txt")
        writer.pictures.put_recognised(b"k" * 16, "words")
        writer.commit()


def reset(room: MilvusRoom) -> None:
    with room.writing() as writer:
        put(writer, "a.txt", ["a old one", "a old two"])
        put(writer, "gone.txt", ["gone soon"])
        writer.remove("docs", "c.txt")
        writer.commit()


def documents(room: MilvusRoom) -> dict[str, list[str]]:
    """The texts that are found, by document."""
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        found: dict[str, list[str]] = {}
        import numpy as np

        for one in moment.passages([number for number, _ in moment.nearest_by_kind(np.ones((1, 16), np.float32), 1_000, 0)[0]]):
            found.setdefault(one.passage.document.path, []).append(one.passage.text)
        return {path: sorted(each) for path, each in found.items()}


def test_a_kill_at_any_step_leaves_every_document_old_or_new_and_the_next_run_completes_it(room: MilvusRoom) -> None:
    counting = killing(room.engine, 0, after=False)
    change(room)
    steps = counting()
    revived(room.engine)
    assert steps >= 6 and texts(room) == NEW
    for step in range(1, steps + 1):
        for after in (False, True):
            reset(room)
            assert texts(room) == OLD
            killing(room.engine, step, after=after)
            with pytest.raises(Killed):
                change(room)
            revived(room.engine)
            found = documents(room)
            assert found["b.txt"] == ["b stays"]
            assert found["a.txt"] in (["a old one", "a old two"], ["a new one"])
            assert found.get("c.txt", ["c is new"]) == ["c is new"] and found.get("gone.txt", ["gone soon"]) == ["gone soon"]
            change(room)
            assert texts(room) == NEW and list(room.check(read_data=True)) == []
    upkeep.sweep(room.engine, room.name, older_than=-5)
    assert texts(room) == NEW and rows(room) == 3


def rows(room: MilvusRoom) -> int:
    return room.engine.count(collection(room.name, PASSAGES), 'key != ""', {"consistency_level": "Strong"})


class Turns:
    """Lets two threads take their steps in a given order."""

    def __init__(self, order: list[int]) -> None:
        self._order = iter([*order, None])
        self._next = next(self._order)
        self._done: set[int] = set()
        self._changed = threading.Condition()

    def wait(self, who: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._next in (who, None) or self._next in self._done, timeout=60)

    def took(self) -> None:
        with self._changed:
            self._next = next(self._order, None)
            self._changed.notify_all()

    def ended(self, who: int) -> None:
        with self._changed:
            self._done.add(who)
            self._changed.notify_all()


STEPS = 4  # sees the version, writes passages, writes the document, deletes what it saw


def writer_without_lease(room: MilvusRoom) -> MilvusWriter:
    """As of a machine that was cut off, and writes although another has the lease meanwhile."""
    facts = read_facts(Notes(room.engine, room.name), room.place, NEWEST)
    assert facts is not None
    return MilvusWriter(room.engine, room.name, facts, lambda: None)


def orders() -> Iterator[list[int]]:
    for first in combinations(range(2 * STEPS), STEPS):
        yield [1 if at in first else 2 for at in range(2 * STEPS)]


def taking_turns(room: MilvusRoom, who: int, turns: Turns) -> None:
    engine = room.engine
    for name in ("get", "upsert", "delete"):
        real = getattr(Engine, name)

        def call(where: str, *given: object, real: Callable = real, name: str = name) -> list[Row] | None:
            counted = where.endswith(("_passages", "_documents")) and (name != "get" or "version" in given[1])  # type: ignore[operator]
            if not counted:
                return real(engine, where, *given)
            turns.wait(who)
            try:
                return real(engine, where, *given)
            finally:
                turns.took()

        setattr(engine, name, call)


def test_two_writers_of_one_document_leave_one_of_the_two_whole_in_every_order(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    both = [milvus, MilvusRoom(milvus.place)]
    both[1].engine = Engine(milvus.address, "")  # as of another process
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        writer.commit()
    for order in orders():
        for room in both:
            revived_all(room.engine)
        with milvus.writing() as writer:
            put(writer, "a.txt", ["before", "common"], stamp="0")
            writer.commit()
        turns = Turns(order)
        failed: list[BaseException] = []

        def write(who: int, room: MilvusRoom, turns: Turns = turns, failed: list[BaseException] = failed) -> None:
            try:
                writer = writer_without_lease(room)
                put(writer, "a.txt", [f"by {who}", "common"], stamp=str(who))
                taking_turns(room, who, turns)
                writer.commit()
            except (Exception, Killed) as error:  # noqa: BLE001 - told to the test's own thread
                failed.append(error)
            finally:
                turns.ended(who)

        threads = [threading.Thread(target=write, args=(who, room)) for who, room in enumerate(both, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        for room in both:
            revived_all(room.engine)
        assert not failed, (order, failed)
        assert documents(milvus)["a.txt"] in (["by 1", "common"], ["by 2", "common"]), order
        assert list(milvus.check(read_data=False)) == [], order
    upkeep.sweep(milvus.engine, milvus.name, older_than=-5)
    assert len(documents(milvus)["a.txt"]) == 2 == rows(milvus)


def test_a_version_that_another_writer_brings_back_is_not_deleted_by_who_replaced_it(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    other = MilvusRoom(milvus.place)
    other.engine = Engine(milvus.address, "")
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.txt", ["before", "common"], stamp="0")
        writer.commit()
    replaces = writer_without_lease(milvus)
    put(replaces, "a.txt", ["after", "common"], stamp="1")

    def delete(where: str, expression: str) -> None:
        if where.endswith("_passages"):
            brings_back = writer_without_lease(other)
            put(brings_back, "a.txt", ["before", "common"], stamp="0")
            brings_back.commit()
        Engine.delete(milvus.engine, where, expression)

    milvus.engine.delete = delete  # type: ignore[method-assign]
    replaces.commit()
    revived_all(milvus.engine)
    assert documents(milvus)["a.txt"] == ["before", "common"]
    assert list(milvus.check(read_data=True)) == []
    upkeep.sweep(milvus.engine, milvus.name, older_than=-5)
    assert documents(milvus)["a.txt"] == ["before", "common"] and rows(milvus) == 2


def revived_all(engine: Engine) -> None:
    for name in ("get", "upsert", "delete"):
        engine.__dict__.pop(name, None)


def test_a_vector_that_a_waiting_document_needs_outlives_the_version_that_held_it(room: MilvusRoom) -> None:
    from tests.unit.index_samples import document, key_of, passage, unit_rows

    with room.writing() as writer:
        waits = document("w.txt")
        wanted = [(passage(waits, at, text), key_of(text)) for at, text in enumerate(("a old two", "never seen"))]
        writer.put_document(waits, digest=b"w", loader="text 1", passages=wanted, path_words="")
        put(writer, "a.txt", ["a new one"], stamp="2")
        writer.commit()
        assert writer.known([key_of("a old two")]) == {key_of("a old two")}
        writer.put_vectors([key_of("never seen")], unit_rows(1, 9))
        writer.commit()
        assert documents(room)["w.txt"] == ["a old two", "never seen"]
        assert writer.digest(DocumentId("docs", "w.txt")) == b"w"
    assert upkeep.sweep(room.engine, room.name, older_than=-5) == 0


def test_an_index_that_was_killed_while_it_was_made_is_made_again(milvus: MilvusRoom) -> None:
    from rag.index.milvus.schema import DOCUMENTS, create_collections

    create_collections(milvus.engine, milvus.name, 16)
    milvus.engine.drop(collection(milvus.name, DOCUMENTS))
    milvus.engine._client.release_collection(collection(milvus.name, PASSAGES))
    milvus.engine._client.drop_index(collection(milvus.name, PASSAGES), "vector")
    assert not milvus.exists()
    milvus.create(FINGERPRINT, {})
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.txt", ["whole again"])
        writer.commit()
    assert texts(milvus) == ["whole again"]


def test_a_collection_of_somebody_else_is_left_alone(milvus: MilvusRoom) -> None:
    from pymilvus import DataType, MilvusClient

    from rag.errors import IndexFailure

    client = MilvusClient(milvus.address.uri)
    schema = MilvusClient.create_schema(description="photos of a stranger")
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection("index_passages", schema=schema)
    with pytest.raises(IndexFailure, match="left alone"):
        milvus.create(FINGERPRINT, {})
    assert client.list_collections() == ["index_passages"]
