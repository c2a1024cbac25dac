"""The room on a real Milvus server, 2.3.5 with its etcd and its log: consistency, kills, second writers, the lease, and recall.

Such a server has no 16-bit vectors and no BM25: here vectors have 32 bits, and there are no words (`old_server`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymilvus import MilvusClient

import rag
from rag.errors import IndexFailure, MovedOn
from rag.index.milvus import upkeep
from rag.index.milvus.engine import NEWEST, OWN
from rag.index.milvus.facts import read_facts
from rag.index.milvus.index_kinds import HNSW
from rag.index.milvus.notes import KEPT, Notes
from rag.index.milvus.reader import STALE
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.schema import COLLECTIONS, PASSAGES, collection
from rag.index.milvus.vectors import KnownVectors
from rag.types import DocumentId, Filters, Fingerprint
from tests.scale.milvus_server import MilvusServer, running, why_not
from tests.scale.old_server import play
from tests.scale.oracle import Oracle
from tests.scale.server_tasks import Task, doing, found_in, whole, writer_without_lease
from tests.scale.test_contract import FILTERS, KINDS, allowed_by, places
from tests.unit.index_samples import DIM, FINGERPRINT, document, key_of, passage, put, unit_rows

NUMBERS = count()
pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(why_not()), reason=why_not())]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    with running(tmp_path_factory.mktemp("server")) as started, pytest.MonkeyPatch.context() as patch:
        play(patch.setattr)
        yield started


@pytest.fixture
def room(server: MilvusServer) -> Iterator[MilvusRoom]:
    """An empty index of one root."""
    with empty(server, FINGERPRINT) as made:
        yield made


@contextmanager
def empty(server: MilvusServer, fingerprint: Fingerprint) -> Iterator[MilvusRoom]:
    name = f"index{next(NUMBERS)}"
    made = MilvusRoom(f"milvus://127.0.0.1:{server.port}/{name}")
    made.create(fingerprint, {})
    with made.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        writer.commit()
    yield made
    for which in COLLECTIONS:
        made.engine.drop(collection(name, which))


def commit(room: MilvusRoom, documents: dict[str, list[str]], stamp: str = "1") -> None:
    writer = writer_without_lease(room)
    for path, texts in documents.items():
        put(writer, path, texts, stamp=stamp)
    writer.commit()


def found(room: MilvusRoom) -> dict[str, list[str]]:
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        return found_in(moment)


def test_people_are_told_that_such_a_server_is_too_old(server: MilvusServer) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pymilvus.MilvusClient", MilvusClient)
        refused = MilvusRoom(f"milvus://127.0.0.1:{server.port}/too_old")
        with pytest.raises(IndexFailure, match=r"is Milvus v?2\.3\.5.*, which has no 16-bit vectors and no BM25"):
            refused.create(FINGERPRINT, {})
        assert not refused.exists()


# ---- what is seen, and when -------------------------------------------------------------------------


def test_a_run_reads_what_it_wrote_at_once(room: MilvusRoom) -> None:
    for at in range(6):
        path, texts = f"{at}.txt", [f"one {at}", f"two {at}"]
        keys = [key_of(text) for text in texts]
        writer = writer_without_lease(room)
        put(writer, path, texts, stamp=str(at))
        writer.commit()
        known = KnownVectors(room.engine, collection(room.name, PASSAGES), DIM, listed=0)  # as in a large index
        assert known.known(keys) == set(keys)
        following = writer_without_lease(room)  # the next run, which has nothing in memory
        assert following.digest(DocumentId("docs", path)) == key_of("\n".join(texts))
        twin = following.twin(key_of("\n".join(texts)), "text 1")
        assert twin is not None and [(one.text, key) for one, key in twin.passages] == list(zip(texts, keys, strict=True))
        assert following.known(keys) == set(keys)
        assert dict(following.stamps("docs")) == {f"{each}.txt": str(each) for each in range(at + 1)}


def test_what_a_client_wrote_is_there_at_once_in_its_session_and_not_under_weaker_promises(room: MilvusRoom) -> None:
    missed = {"Session": 0, "Bounded": 0, "Eventually": 0}
    notes = Notes(room.engine, room.name)
    for level in missed:
        for at in range(20):
            notes.write({(KEPT, f"{level} {at}"): "text"})
            missed[level] += notes.read(KEPT, f"{level} {at}", {"consistency_level": level}) is None
    assert OWN == {"consistency_level": "Session"}
    assert missed["Session"] == 0 < missed["Bounded"] and missed["Eventually"] > 0, missed


def test_the_first_moment_of_another_process_sees_all_that_was_committed_before(room: MilvusRoom) -> None:
    expected: dict[str, list[str]] = {}
    with doing("read", room.place) as reader:
        for at in range(9):
            changed = {f"{at % 7}.txt": [f"one {at}", f"two {at}"][: 1 + at % 2]}
            expected |= changed
            commit(room, changed, stamp=str(at))
            assert reader.asked("look" if at % 3 == 2 else "first") == expected


def test_later_moments_of_another_process_are_never_older_than_they_may_be(room: MilvusRoom) -> None:
    with doing("read", room.place) as reader:
        commit(room, {"a.txt": ["0", "0 too"]})
        assert reader.asked("first") == {"a.txt": ["0", "0 too"]}
        for at in range(1, 5):
            before, after = ({"a.txt": [f"{each}", f"{each} too"]} for each in (at - 1, at))
            commit(room, after, stamp=str(at))
            assert reader.asked("again") in (before, after, {})  # whole, as it was or as it is, or just being replaced
            time.sleep(STALE)
            assert reader.asked("again") == after


# ---- a server that is killed ------------------------------------------------------------------------


def test_a_server_that_is_killed_while_a_run_writes_costs_no_commit(server: MilvusServer, tmp_path: Path) -> None:
    expected = {f"note{number}.txt": [f"note {number}: the tide, told the {number}th time"] for number in range(300)}
    for path, [text] in expected.items():
        (tmp_path / path).write_text(text)
    killed = MilvusRoom(f"milvus://127.0.0.1:{server.port}/killed")
    paid: set[str] = set()
    unpaid: set[str] = set()
    committed: set[str] = set()
    for first, at in (("kill", "passages"), ("go on", "documents"), ("", "")):
        with doing("index", killed.place, str(tmp_path)) as run:
            asked, named, since = _followed(run, server, first, at)
            _, said = run.process.communicate()
        assert asked & paid <= unpaid  # of the last commit interval
        paid, unpaid, committed = paid | asked, since | (unpaid - asked), committed | named
        if first:
            assert run.process.returncode == 4, said
            assert f"writing to {killed.place} failed" in said or (first == "go on" and "cannot be read" in said)
            assert "whether the server runs" in said and "space" not in said and named
            begun = time.monotonic()
            server.start()
            held = when_ready(lambda: found(killed))
            print(f"after {time.monotonic() - begun:.0f} s the server has {len(held)} documents, {len(committed)} committed")
            assert held == {path: expected[path] for path in held} and committed <= held.keys()
    assert run.process.returncode == 0 and found(killed) == expected, said
    assert list(killed.check(read_data=True)) == []
    upkeep.sweep(killed.engine, killed.name, older_than=-5)
    assert killed.engine.count(collection(killed.name, PASSAGES), 'key != ""', NEWEST) == 300


def _followed(run: Task, server: MilvusServer, first: str, at: str) -> tuple[set[str], set[str], set[str]]:
    """Kills the server in a run's third commit of documents, before or while it writes there.

    What the model was asked for, what was committed, and what was asked for since.
    """
    asked: set[str] = set()
    named: set[str] = set()
    since: set[str] = set()
    commits = 0
    for one in run.all_said():
        asked |= set(one.get("asked", ()))
        since |= set(one.get("asked", ()))
        if "committed" in one:
            named, since, commits = named | set(one["committed"]), set(), commits + bool(one["committed"])
        if "writes" in one:
            is_last = commits >= 2 and one["writes"] == at
            if is_last and first == "kill":
                server.kill()
            run.tell()
            if is_last and first == "go on":
                time.sleep(random.uniform(0.0, 0.01))
                server.kill()
    return asked, named, since


def when_ready(ask: Callable[[], Any]) -> Any:
    """The answer of a server that has started, once its collections are in memory again."""
    ends = time.monotonic() + 300
    while True:
        try:
            return ask()
        except IndexFailure as error:
            assert "ask again" in error.remedy and time.monotonic() < ends, error
            time.sleep(0.5)


# ---- several writers --------------------------------------------------------------------------------


def test_two_processes_that_write_the_same_documents_at_once_leave_each_whole(room: MilvusRoom) -> None:
    documents, rounds = 3, 20
    with doing("write", room.place, "1", str(documents)) as one, doing("write", room.place, "2", str(documents)) as two:
        assert (one.said(), two.said()) == ("ready", "ready")
        for at in range(rounds):
            for writer in (one, two):
                writer.tell(str(at))
                time.sleep(random.choice((0.0, 0.1)) * random.random())
            with closing(room.open("auto")) as opened, suppress(MovedOn), opened.snapshot() as moment:  # meanwhile
                for texts in found_in(moment).values():
                    assert texts in [whole(who, str(each)) for who in "12" for each in (at - 1, at)], at
            assert (one.said(), two.said()) == ("done", "done")
            now = found(room)
            assert now.keys() == {f"{number}.txt" for number in range(documents)}, at
            assert all(texts in (whole("1", str(at)), whole("2", str(at))) for texts in now.values()), (at, now)
            assert list(room.check(read_data=False)) == [], at
    upkeep.sweep(room.engine, room.name, older_than=-5)
    live = sum(map(len, found(room).values()))
    assert room.engine.count(collection(room.name, PASSAGES), 'key != ""', NEWEST) == live


def test_of_two_processes_one_gets_the_lease_and_after_its_end_the_next_one(room: MilvusRoom) -> None:
    for _ in range(4):
        with doing("hold", room.place) as one, doing("hold", room.place) as two:  # at once
            said = {task: task.said() for task in (one, two)}
            [holder] = [task for task, words in said.items() if words == "held"]
            [refused] = [words for words in said.values() if words != "held"]
            assert f"process {holder.process.pid} on" in refused and "lease lasts until" in refused
            with doing("hold", room.place) as third:
                assert f"process {holder.process.pid} on" in third.said()
            holder.process.kill()
            holder.process.wait()
            with doing("hold", room.place) as fourth:  # at once: the holder is known to be gone
                assert fourth.said() == "held" and fourth.asked() == "released"


# ---- the nearest ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(server: MilvusServer) -> Iterator[tuple[MilvusRoom, Oracle]]:
    """3,000 passages of two roots under FLAT, some documents of them replaced and removed."""
    oracle = Oracle()
    with empty(server, FINGERPRINT) as room:
        writer = writer_without_lease(room)
        writer.add_root("more", Path("/more"))
        for at in range(300):
            put(writer, f"folder{at % 4}/sub/file{at}.txt", ["to be replaced"], modified=1.0)
        put(writer, "gone.txt", ["goes away"])
        writer.commit()
        writer.remove("docs", "gone.txt")
        for at in range(1_000):
            path = f"folder{at % 4}/sub/file{at}.{('txt', 'pdf', 'png')[at % 3]}"
            asked: dict[str, Any] = {"kind": KINDS[at % 5], "modified": 1000.0 + at, "root": "more" if at % 8 == 7 else "docs"}
            texts = [f"text {at} {each}" for each in range(3)]
            put(writer, path, texts, stamp="2", **asked)
            oracle.put(path, texts, **asked)
        for at in range(300):
            if at % 3 or at % 8 == 7:
                writer.remove("docs", f"folder{at % 4}/sub/file{at}.txt")
        writer.commit()
        yield room, oracle


SOME = tuple(DocumentId("docs", f"folder{at % 4}/sub/file{at}.txt") for at in (0, 3, 6, 30))
MORE = (
    Filters(roots=("more",)),
    Filters(roots=("more",), kinds=("text", "image"), after=1100.0, paths=("folder3/**/*1*",)),
    Filters(documents=SOME),
    Filters(paths=("folder1/*/file1?.*", "folder2"), before=1500.0),
)


@pytest.mark.parametrize("wanted", [*FILTERS, *MORE], ids=str)
def test_under_flat_the_nearest_are_those_of_brute_force(filled: tuple[MilvusRoom, Oracle], wanted: Filters) -> None:
    room, oracle = filled
    queries = unit_rows(3, 5)

    def allowed(one: Any) -> bool:
        return allowed_by(wanted)(one) and (not wanted.roots or one.passage.document.root in wanted.roots)

    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        for query, found in zip(queries, moment.nearest_by_kind(queries, 100, 4, moment.matching(wanted)), strict=True):
            truth = oracle.nearest(query, allowed)
            assert len(found) >= min(100, len(truth))
            np.testing.assert_allclose([score for _, score in found[:100]], [score for _, score in truth[:100]], atol=1e-5)
            assert set(places(moment, [number for number, _ in found[:95]])) <= {place for place, _ in truth[:100]}
            for kind in KINDS:
                of_kind = oracle.nearest(query, lambda one, kind=kind: one.passage.kind == kind and allowed(one))[:4]
                assert {place for place, _ in of_kind} <= set(places(moment, [number for number, _ in found]))


ROWS, WIDE = 24_000, 64
NUMBERS_OF_DOCUMENTS = np.arange(ROWS) // 24
GRAPH_FILTERS = {  # and the rows that they leave
    "all": (Filters(), NUMBERS_OF_DOCUMENTS >= 0),
    "half": (Filters(after=12_000.0), NUMBERS_OF_DOCUMENTS >= 500),
    "two kinds of five": (Filters(kinds=("page", "frame")), np.isin(NUMBERS_OF_DOCUMENTS % 5, [1, 4])),
    "a folder of four": (Filters(paths=("folder1",)), NUMBERS_OF_DOCUMENTS % 4 == 1),
    "few": (Filters(before=600.0), NUMBERS_OF_DOCUMENTS < 25),
}


def test_a_graph_that_the_server_builds_finds_nearly_all_of_the_nearest(server: MilvusServer) -> None:
    near = np.random.default_rng(7).integers(200, size=ROWS)
    centres = unit_rows(200, 3, WIDE)
    vectors = centres[near] + 0.6 * unit_rows(ROWS, 4, WIDE)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    stored = vectors.astype(np.float16).astype(np.float32)
    queries = unit_rows(10, 5, WIDE)
    with empty(server, Fingerprint("model", "1", WIDE, "", "plain")) as room:
        with room.writing() as writer:
            for at in range(0, ROWS, 24):
                _put_rows(writer, at, vectors[at : at + 24])
            writer.commit()
        assert _recalls(room, queries, stored) == dict.fromkeys(GRAPH_FILTERS, 1.0)  # under FLAT
        told: list[str] = []
        [remark] = room.warm_up(rag.load_settings({"index_kind": "hnsw"}), told.append)
        assert remark.startswith("vectors lie under HNSW now") and "24,000 vectors" in told[0]
        facts = read_facts(Notes(room.engine, room.name), room.place, NEWEST)
        assert facts is not None and facts.kinds[0] == HNSW == room.engine.index_kind(collection(room.name, PASSAGES))
        assert indexed_rows(room) == (ROWS, 0)
        recalls = _recalls(room, queries, stored)
        print(f"recall of the nearest 100 under HNSW: {recalls}")
        assert min(recalls.values()) >= 0.98 and recalls["few"] == 1.0
        with room.writing() as writer:  # a third is written anew, and is searched by a coarse index until it is sealed
            for at in range(0, ROWS // 3, 24):
                _put_rows(writer, at, vectors[at : at + 24], stamp="2")
            writer.commit()
        print(f"of which a third was written since: {_recalls(room, queries, stored)}")
        assert room.warm_up(rag.load_settings({"index_kind": "hnsw"}), told.append) == ()  # as at the end of a run
        ends = time.monotonic() + 300
        while min((recalls := _recalls(room, queries, stored)).values()) < 0.98:
            assert time.monotonic() < ends, (indexed_rows(room), recalls)
            time.sleep(1)
        [remark] = room.warm_up(rag.load_settings({"index_kind": "flat"}), told.append)
        assert "FLAT" in remark and room.engine.index_kind(collection(room.name, PASSAGES)) == "FLAT"
        assert _recalls(room, queries, stored) == dict.fromkeys(GRAPH_FILTERS, 1.0)


def indexed_rows(room: MilvusRoom) -> tuple[int, int]:
    """How many rows the server has put under the index of vectors, and how many wait for it."""
    said = room.engine._client.describe_index(collection(room.name, PASSAGES), "vector")
    return said["indexed_rows"], said["pending_index_rows"]


def _put_rows(writer: Any, at: int, vectors: np.ndarray, stamp: str = "1") -> None:
    number = at // 24
    made = document(f"folder{number % 4}/file{number}.txt", stamp=stamp, modified=float(at))
    keys = [key_of(f"row {at + each}") for each in range(len(vectors))]
    passages = [(passage(made, each, f"row {at + each}", KINDS[number % 5]), key) for each, key in enumerate(keys)]
    writer.put_document(made, digest=keys[0], loader="text 1", passages=passages, path_words="")
    writer.put_vectors(keys, vectors)


def _recalls(room: MilvusRoom, queries: np.ndarray, stored: np.ndarray) -> dict[str, float]:
    """The share of the nearest 100 that are found, by filter."""
    recalls = {}
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        for name, (wanted, allowed) in GRAPH_FILTERS.items():
            rows = np.flatnonzero(allowed)
            within = moment.matching(wanted)
            hit = 0
            for query, found in zip(queries, moment.nearest_by_kind(queries, 100, 0, within), strict=True):
                truth = set(rows[np.argsort(-(stored[rows] @ query), kind="stable")[:100]].tolist())
                texts = [one.passage.text for one in moment.passages([each for each, _ in found[:100]])]
                hit += len(truth & {int(text.removeprefix("row ")) for text in texts})
            recalls[name] = hit / (100 * len(queries))
    return recalls
