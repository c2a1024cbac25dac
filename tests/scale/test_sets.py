"""A further set of collections takes the place of the first: kills at every step, readers across it, collections of others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from rag.errors import IndexFailure, IndexLocked, IndexNotFound, IndexReplaced, IndexTooNew
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import SUCCESSOR
from rag.index.milvus.notes import FACT, LEASE, Notes
from rag.index.milvus.reader import OpenMilvus
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.schema import COLLECTIONS, FORMAT, TAKEN, create_collections, is_complete
from rag.index.milvus.sets import STANDS, standing
from rag.index.milvus.snapshot import MilvusSnapshot
from rag.types import Filters
from tests.scale.test_contract import texts
from tests.unit.index_samples import FINGERPRINT, put, unit_rows

CALLS = ("create", "drop", "upsert", "delete", "get", "select", "every", "count", "load", "collections", "description")
WRITES = CALLS[:4]


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@contextmanager
def killed_at(engine: Engine, at: int) -> Iterator[Callable[[], int]]:
    """Makes the engine's write number `at` the last thing that reaches Milvus; gives how many there were."""
    count, is_dead = 0, False

    def wrapped(name: str) -> Callable[..., object]:
        real = getattr(Engine, name)

        def call(*given: object) -> object:
            nonlocal count, is_dead
            if threading.current_thread() is not threading.main_thread():  # the lease is renewed beside it
                return real(engine, *given)
            if is_dead:
                raise Killed
            found = real(engine, *given)
            if name in WRITES:
                count += 1
                if count == at:
                    is_dead = True
                    raise Killed
            return found

        return call

    for name in CALLS:
        setattr(engine, name, wrapped(name))
    try:
        yield lambda: count
    finally:
        for name in CALLS:
            engine.__dict__.pop(name, None)


pytestmark = pytest.mark.usefixtures("nobody_waits")
OLD, NEW = ["the old one", "the old other"], ["a new one"]


def named(milvus: MilvusRoom, name: str) -> MilvusRoom:
    """Another index of the same database."""
    room = MilvusRoom(milvus.place)
    room.engine, room.name = milvus.engine, name
    return room


def fill(room: MilvusRoom, held: list[str]) -> None:
    room.create(FINGERPRINT, {"clues": "ocr"})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.txt", held)
        writer.pictures.put_recognised(b"k" * 16, "words")
        writer.commit()


def rebuild(room: MilvusRoom, held: list[str], filled: Callable[[], object] = lambda: None) -> None:
    """`filled` is called before the exchange."""
    with room.rebuilding() as rebuilding:
        fill(rebuilding.room, held)
        filled()
        rebuilding.take_place()


def is_clean(room: MilvusRoom) -> bool:
    """Whether there is nothing but the set that stands, and of the first one what stays."""
    stem = standing(room.engine, room.name)
    wanted = {f"{stem}_{each}" for each in COLLECTIONS}
    lasting = {(FACT, each) for each in ("fence", "format", STANDS, SUCCESSOR)}
    if stem != room.name:
        wanted |= {f"{room.name}_notes", f"{room.name}_passages"}
        rows = room.engine.every(f"{room.name}_notes", "", ("sort", "name"), NEWEST)
        assert {(row["sort"], row["name"]) for row in rows if row["sort"] != LEASE} <= lasting
        assert room.engine.description(f"{room.name}_passages") == TAKEN
    return wanted == {each for each in room.engine.collections() if each.startswith(f"{room.name}_")}


def sure(reader: OpenMilvus) -> list[str]:
    """What an open index holds now."""
    reader.look_again()
    with reader.snapshot() as moment:
        found = moment.nearest_by_kind(unit_rows(1, 0), 1_000, 0)[0]
        return sorted(one.passage.text for one in moment.passages([number for number, _ in found]))


@pytest.mark.parametrize("start", ["first", "later"])
def test_a_kill_at_any_step_leaves_one_index_complete_and_the_next_run_removes_the_other(milvus: MilvusRoom, start: str) -> None:
    def made(name: str) -> MilvusRoom:
        room = named(milvus, name)
        fill(room, OLD if start == "first" else ["of before"])
        if start == "later":
            rebuild(room, OLD)
        return room

    room, exchanging = made("whole"), []
    with killed_at(room.engine, 0) as count:
        rebuild(room, NEW, lambda: exchanging.append(count()))
    assert texts(room) == NEW and is_clean(room)
    room, stood = made("killed"), set()
    building = range(1, exchanging[0], 4) if start == "first" else ()  # which is the same for both
    for step in (*building, *range(exchanging[0], count() + 1)):
        with closing(room.open("auto")) as reader:
            with killed_at(room.engine, step), pytest.raises(Killed):
                rebuild(room, NEW)
            held = texts(room)
            stood.add(tuple(held))
            if held == OLD:
                assert sure(reader) == OLD
            else:
                assert held == NEW
                with pytest.raises(IndexReplaced):
                    sure(reader)
        with room.writing() as writer:
            put(writer, "b.txt", ["by the next run"])
            writer.commit()
        assert texts(room) == sorted([*held, "by the next run"]) and is_clean(room), step
        assert list(room.check(read_data=True)) == []
        with room.writing() as writer:
            writer.remove("docs", "b.txt")
            writer.commit()
        if held == NEW and start == "first":
            room = made(f"killed{step}")
        elif held == NEW:
            rebuild(room, OLD)
    assert stood == {tuple(OLD), tuple(NEW)}


def test_what_a_killed_rebuild_left_is_swept_and_its_rows_are_counted(milvus: MilvusRoom) -> None:
    fill(milvus, OLD)
    with killed_at(milvus.engine, 12), pytest.raises(Killed):  # some of its rows are written
        rebuild(milvus, NEW)
    assert not is_clean(milvus)
    assert milvus.sweep() > 0 and is_clean(milvus) and texts(milvus) == OLD
    assert milvus.sweep() == 0


def test_collections_of_others_with_names_alike_are_left_alone(milvus: MilvusRoom) -> None:
    from pymilvus import DataType, MilvusClient

    strange = "index_raaaaaaaaaaaa_passages"
    schema = MilvusClient.create_schema(description="photos of a stranger")
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    milvus.engine.create(strange, schema, None)
    alike = named(milvus, "index_rbbbbbbbbbbbb")
    fill(alike, ["alike"])
    rebuild(alike, ["alike and later"])
    half = named(milvus, "index_rcccccccccccc")
    fill(half, ["a first set"])
    fill(milvus, OLD)
    rebuild(milvus, NEW)
    rebuild(milvus, OLD)
    milvus.sweep()
    assert texts(milvus) == OLD and texts(alike) == ["alike and later"] and texts(half) == ["a first set"]
    assert strange in milvus.engine.collections() and is_clean(alike) and is_clean(half)


def test_an_older_program_refuses_an_index_whose_first_set_ended(milvus: MilvusRoom) -> None:
    """It looks for the first set only: at its collections, and at the format in its notes."""
    fill(milvus, OLD)
    rebuild(milvus, NEW)
    with pytest.raises(IndexTooNew):
        is_complete(milvus.engine, milvus.name)
    with pytest.raises(IndexTooNew):
        create_collections(milvus.engine, milvus.name, 16)
    assert Notes(milvus.engine, milvus.name).read(FACT, "format", NEWEST) == str(FORMAT)
    assert texts(milvus) == NEW


def test_one_rebuild_at_a_time_and_no_run_beside_it(milvus: MilvusRoom) -> None:
    fill(milvus, OLD)
    other = MilvusRoom(milvus.place)
    other.engine = Engine(milvus.address, "")  # as of another process
    with milvus.rebuilding() as rebuilding:
        fill(rebuilding.room, NEW)
        with pytest.raises(IndexLocked), other.rebuilding():
            pass
        with pytest.raises(IndexLocked), other.writing():
            pass
        assert other.sweep() == 0  # what is being built is left alone
        assert texts(other) == OLD
        rebuilding.take_place()
        assert texts(other) == NEW
    assert is_clean(milvus)


def test_a_rebuild_that_fails_leaves_nothing(milvus: MilvusRoom) -> None:
    fill(milvus, OLD)
    with pytest.raises(ValueError, match="no more"), milvus.rebuilding() as rebuilding:
        fill(rebuilding.room, NEW)
        raise ValueError("no more")
    assert texts(milvus) == OLD and is_clean(milvus)


ASKED: Mapping[str, Callable[[MilvusSnapshot], object]] = {
    "nearest": lambda moment: moment.nearest_by_kind(unit_rows(1, 0), 10, 0),
    "words": lambda moment: moment.containing("old", 10),
    "status": lambda moment: moment.status(),
    "everything": lambda moment: moment.everything(),
    "by id": lambda moment: moment.by_id("abcdefgh"),
    "filtered": lambda moment: moment.matching(Filters(kinds=("text",))),
    "paths": lambda moment: moment.document_paths(),
}


def test_a_moment_that_outlasts_its_set_says_so_and_never_answers_as_if_it_were_empty(milvus: MilvusRoom) -> None:
    fill(milvus, OLD)
    for stood in ("first", "later"):
        readers = {name: milvus.open("auto") for name in ASKED}
        held = {name: reader.snapshot() for name, reader in readers.items()}
        moments = {name: each.__enter__() for name, each in held.items()}
        rebuild(milvus, OLD)
        for name, ask in ASKED.items():
            with pytest.raises(IndexFailure) as failed:
                print(stood, name, ask(moments[name]))
            with pytest.raises(IndexReplaced):
                held[name].__exit__(type(failed.value), failed.value, None)
        for reader in readers.values():
            with pytest.raises(IndexReplaced):
                reader.refresh()


def test_a_search_that_began_before_the_exchange_ends_from_the_old_set(
    milvus: MilvusRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(milvus, OLD)
    answered = []

    def lingers(_: float) -> None:
        found = moment.nearest_by_kind(unit_rows(1, 0), 10, 0)[0]
        answered.append(sorted(one.passage.text for one in moment.passages([number for number, _ in found])))
        answered.append(texts(milvus))

    monkeypatch.setattr("rag.index.milvus.room.time", SimpleNamespace(sleep=lingers))
    with closing(milvus.open("auto")) as reader, reader.snapshot() as moment:
        rebuild(milvus, NEW)
    assert answered == [OLD, NEW]


def test_a_search_asks_no_more_for_it(milvus: MilvusRoom) -> None:
    fill(milvus, OLD)
    asked = []
    for _ in range(2):
        with closing(milvus.open("auto")) as reader:
            before = milvus.engine.calls
            sure(reader)
            asked.append(milvus.engine.calls - before)
        rebuild(milvus, OLD)
    assert asked[0] == asked[1] <= 4


def test_a_set_that_was_lost_is_made_again(milvus: MilvusRoom) -> None:
    fill(milvus, OLD)
    rebuild(milvus, OLD)
    milvus.engine.drop(f"{standing(milvus.engine, milvus.name)}_documents")
    with pytest.raises(IndexNotFound):
        milvus.settings()
    assert not milvus.exists()
    fill(milvus, NEW)
    assert texts(milvus) == NEW and is_clean(milvus)
