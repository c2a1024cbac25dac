"""`--rebuild` in a folder and in Milvus: what is kept, other models, searches meanwhile, and real processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rag
from rag.api.library import IndexLibrary
from rag.errors import EmbedderMismatch, IndexLocked, IndexReplaced, WrongRequest
from rag.index.milvus.room import MilvusRoom
from rag.index.room import Room
from rag.search.options import SearchOptions
from rag.types import Content, Fingerprint, Role
from tests.scale.conftest import ROOMS, room_at
from tests.scale.test_sets import is_clean

pytestmark = pytest.mark.usefixtures("nobody_waits")
WIDE = "tests.scale.test_rebuild:WideEmbedder"
MEANWHILE: list[Callable[[], None]] = []  # is done while the model is asked


class WideEmbedder:
    """A model of another dimension than lite's: the letters of a text, counted."""

    fingerprint = Fingerprint("wide", "1", 320, "", "none")
    modalities = frozenset({"text"})
    reads_clues = False
    batch = 8

    def __init__(self, choice: object) -> None:
        """Takes any choice."""

    def embed(self, contents: Sequence[Content], *, role: Role) -> Any:
        if role == "document":
            for each in MEANWHILE:
                each()
        rows = np.full((len(contents), 320), 0.01, np.float32)
        for row, content in zip(rows, contents, strict=True):
            for letter in content.text:
                row[ord(letter) % 320] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    for name in ("tide", "crane"):
        (tmp_path / f"corpus/{name}.txt").write_text(f"all about the {name}")
    return tmp_path / "corpus"


@pytest.fixture(params=ROOMS)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    return room_at(request.param, tmp_path)


def index(*folders: Path, room: Room, **flags: Any) -> rag.Report:
    return rag.build_index(*folders, index=room.place, ocr="never", jobs=0, reranker="none", **flags)


def found(room: Room, words: str, **flags: Any) -> str:
    with rag.open_index(room.place, reranker="none", **flags) as searcher:
        return searcher.query(words)[0].document


def test_roots_ids_recognised_words_and_what_files_said_are_as_before(room: Room, corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "other/corpus"
    other.mkdir(parents=True)
    (other / "storm.txt").write_text("all about the storm")
    index(other, room=room)
    index(corpus, room=room)
    with room.writing() as writer:
        writer.pictures.put_recognised(b"k" * 16, "words")
        writer.commit()

    def held() -> set[tuple[str, str, str]]:
        with rag.open_index(room.place, reranker="none") as searcher:
            return {(hit.id, hit.root, hit.document) for hit in searcher.query("all about", top_k=10, fold=False)}

    before = held()
    report = index(room=room, rebuild=True, frame_seconds=9.0)
    assert (report.indexed, len(before)) == (3, 3) and held() == before
    assert {root for _, root, _ in before} == {"corpus", "corpus-2"}
    assert room.settings()["frame_seconds"] == "9.0" and list(room.check(read_data=True)) == []
    with room.writing() as writer, closing(writer.pictures.open_recognised()) as words:
        assert words.find(b"k" * 16) == "words"
    assert index(room=room).unchanged == 3


def test_another_model_takes_the_place_while_the_old_one_answers(room: Room, corpus: Path) -> None:
    index(corpus, room=room)
    (corpus / "tide.txt").write_text("all about the lighthouse")
    with pytest.raises(EmbedderMismatch):
        index(corpus, room=room, backend=WIDE)
    answered = []
    with rag.open_index(room.place, reranker="none") as searcher:
        MEANWHILE.append(lambda: answered.append((searcher.query("tide")[0].document, found(room, "crane"))))
        try:
            index(room=room, rebuild=True, backend=WIDE)
        finally:
            MEANWHILE.clear()
        assert answered and set(answered) == {("tide.txt", "crane.txt")}
        with pytest.raises(IndexReplaced):
            searcher.index.look_again()
            searcher.index.refresh()
    assert room.fingerprint() == WideEmbedder.fingerprint
    assert found(room, "lighthouse", backend=WIDE) == "tide.txt"
    assert index(room=room, backend=WIDE).unchanged == 2


def test_a_root_that_is_not_there_and_kinds_are_refused_and_the_old_index_stands(room: Room, corpus: Path) -> None:
    index(corpus, room=room)
    with pytest.raises(WrongRequest, match="every kind"):
        index(room=room, rebuild=True, kinds=["text"])
    corpus.rename(corpus.with_name("away"))
    with pytest.raises(WrongRequest, match="is not there"):
        index(room=room, rebuild=True)
    assert found(room, "tide") == "tide.txt"


def test_a_server_goes_on_with_the_new_index(room: Room, corpus: Path) -> None:
    index(corpus, room=room)
    library = IndexLibrary([str(room.place)], rag.load_settings({"reranker": "none"}))
    [name] = library.names

    def asked() -> list[str]:
        return [hit.document for hit in library.search([name], "tide", SearchOptions()).hits][:1]

    assert asked() == ["tide.txt"] and library.status().documents == 2
    (corpus / "tide.txt").rename(corpus / "ebb.txt")
    (corpus / "storm.txt").write_text("all about the storm")
    index(room=room, rebuild=True)
    assert asked() == ["ebb.txt"] and library.status().documents == 3
    with rag.open_index(room.place, reranker="none") as searcher:
        id = searcher.query("tide")[0].id
    index(room=room, rebuild=True)
    assert library.passage(id)[1].passage.document.path == "ebb.txt"
    library.close()


CHILD = """
import os, sys
import rag
from rag.index.milvus import room
from rag.index.milvus.engine import Engine
from rag.index.milvus.notes import Notes
from tests.scale import test_rebuild

def dying(of, name, where):
    real = getattr(of, name)
    def call(self, what, *given):
        at = where(what)
        if at == "before": os._exit(9)
        found = real(self, what, *given)
        if at == "after": os._exit(9)
        return found
    setattr(of, name, call)

room.LINGERS = 0
point = sys.argv[2]
told, stands = ("fact", "successor"), ("fact", "stands")
if point == "told":
    dying(Notes, "write", lambda notes: "before" if told in notes else "")
elif point == "exchanging":
    dying(Notes, "write", lambda notes: "before" if stands in notes else "")
elif point == "exchanged":
    dying(Notes, "write", lambda notes: "after" if stands in notes else "")
elif point == "dropping":
    dying(Engine, "drop", lambda dropped: "after" if dropped.endswith("_documents") else "")
elif point == "taking":
    dying(Engine, "create", lambda made: "before" if made == "index_passages" else "")
else:
    def wait():
        print("building", flush=True)
        sys.stdin.readline()
    test_rebuild.MEANWHILE.append(wait)
try:
    rag.build_index(index=sys.argv[1], rebuild=True, backend=test_rebuild.WIDE, ocr="never", jobs=0, reranker="none")
except rag.errors.IndexLocked as error:
    print(error.what, flush=True)
"""


@contextmanager
def child(room: MilvusRoom, point: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process that rebuilds the index with another model, and dies there or waits for a line while it builds."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, room.place, point],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("point", ["told", "exchanging", "exchanged", "dropping", "taking"])
def test_a_process_that_ends_at_a_step_leaves_one_index_complete(milvus: MilvusRoom, corpus: Path, point: str) -> None:
    index(corpus, room=milvus)
    (corpus / "tide.txt").write_text("all about the lighthouse")
    with rag.open_index(milvus.place, reranker="none") as searcher:  # and this process has the core
        with child(milvus, point) as process:
            assert process.wait(120) == 9
        if point in ("told", "exchanging"):
            searcher.index.look_again()
            assert searcher.query("tide")[0].document == "tide.txt" == found(milvus, "tide")
            assert index(room=milvus, rebuild=True, backend=WIDE).indexed == 2
        else:
            with pytest.raises(IndexReplaced):
                searcher.index.look_again()
                searcher.query("tide")
            assert index(room=milvus, backend=WIDE).unchanged == 2
    assert found(milvus, "lighthouse", backend=WIDE) == "tide.txt"
    assert is_clean(milvus) and list(milvus.check(read_data=True)) == []


def test_a_process_that_is_killed_while_it_builds_leaves_the_old_index_and_nothing_else(milvus: MilvusRoom, corpus: Path) -> None:
    index(corpus, room=milvus)
    with child(milvus, "building") as process:
        assert process.stdout is not None and process.stdout.readline() == "building\n"
        with pytest.raises(IndexLocked, match=f"process {process.pid} on"):
            index(room=milvus, rebuild=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert found(milvus, "tide") == "tide.txt" and not is_clean(milvus)
    assert index(room=milvus).unchanged == 2 and is_clean(milvus)


def test_a_rebuild_that_stood_still_does_not_take_the_place_of_a_later_one(milvus: MilvusRoom, corpus: Path) -> None:
    index(corpus, room=milvus)
    with child(milvus, "building", RAG_MILVUS_LEASE="2") as process:
        assert process.stdout is not None and process.stdout.readline() == "building\n"
        process.send_signal(signal.SIGSTOP)
        ends = time.monotonic() + 60
        while True:
            try:
                index(room=milvus, rebuild=True, frame_seconds=9.0)
                break
            except IndexLocked:
                assert time.monotonic() < ends
                time.sleep(0.2)
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate("\n")
        assert "another run, which got the lease" in said
    assert milvus.settings()["frame_seconds"] == "9.0" and found(milvus, "tide") == "tide.txt"
    assert index(room=milvus).unchanged == 2 and is_clean(milvus)


def test_an_index_whose_facts_cannot_be_read_is_rebuilt_from_the_folders_named(milvus: MilvusRoom, corpus: Path) -> None:
    from rag.errors import IndexDamaged
    from rag.index.milvus.notes import FACT, Notes

    index(corpus, room=milvus)
    Notes(milvus.engine, milvus.name).write({(FACT, "fingerprint"): "nonsense"})
    with pytest.raises(IndexDamaged) as caught:
        index(room=milvus)
    assert "--rebuild" in caught.value.remedy
    with pytest.raises(IndexDamaged) as caught:
        index(room=milvus, rebuild=True)
    assert "name all its folders" in caught.value.remedy
    assert index(corpus, room=milvus, rebuild=True).indexed == 2
    assert found(milvus, "tide") == "tide.txt" and is_clean(milvus)
