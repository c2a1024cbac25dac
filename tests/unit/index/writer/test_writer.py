"""The writer: what it stores, what it reuses, and when that becomes visible."""

from pathlib import Path

import numpy as np
import pytest

from rag.errors import BackendError, IndexFailure
from rag.index.reader.open_index import open_index
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.writer.writer import writing
from rag.types import CaptionOf, DocumentId
from tests.unit.index_samples import DIM, document, key_of, made, passage, put, snapshot_of, unit_rows, vector_of


@pytest.fixture
def folder(tmp_path):
    yield made(
        tmp_path / "index", {"a.md": ["one", "two"], "notes/b.md": ["three"], "notes-old/c.md": ["four"], "notes.md": ["x"]}
    )
    assert check_structure(tmp_path / "index") == [] and check_bytes(tmp_path / "index") == []


def texts(folder):
    with snapshot_of(folder) as snapshot:
        numbers = sorted(number for number, _ in snapshot.nearest(unit_rows(1, 1), 100)[0])
        return [stored.passage.text for stored in snapshot.passages(numbers)]


def test_stamps_are_sorted_by_bytes_and_bounded_by_a_folder(folder):
    with writing(folder) as writer:
        assert [path for path, _ in writer.stamps("docs")] == ["a.md", "notes-old/c.md", "notes.md", "notes/b.md"]
        assert list(writer.stamps("docs", "notes")) == [("notes/b.md", "1")]
        assert list(writer.stamps("docs", "notes/")) == [("notes/b.md", "1")]
        assert list(writer.stamps("docs", "notes.md")) == [("notes.md", "1")]
        assert list(writer.stamps("docs", "nowhere")) == []


def test_stamps_stream_while_documents_are_put_and_removed(folder):
    with writing(folder) as writer:
        for at in range(2500):
            writer.put_skipped(document(f"many/{at:04}"), "unreadable")
        writer.commit()
        seen = []
        for path, _ in writer.stamps("docs", "many"):
            seen.append(path)
            writer.remove("docs", path)
            if len(seen) % 700 == 0:
                writer.commit()
        assert seen == [f"many/{at:04}" for at in range(2500)]
        assert list(writer.stamps("docs", "many")) == []


def test_a_changed_document_takes_the_place_of_the_old_one(folder):
    with writing(folder) as writer:
        put(writer, "a.md", ["two", "five"], stamp="2")
        assert writer.commit() == 2
        assert dict(writer.stamps("docs"))["a.md"] == "2"
    assert texts(folder) == ["three", "four", "x", "two", "five"]


def test_numbers_are_never_reused(folder):
    with writing(folder) as writer:
        for path in ("notes/b.md", "notes-old/c.md", "notes.md", "a.md"):
            writer.remove("docs", path)
        writer.commit()
        put(writer, "a.md", ["one"])
        writer.commit()
    with snapshot_of(folder) as snapshot:
        assert [number for number, _ in snapshot.nearest(unit_rows(1, 1), 9)[0]] == [6]


def test_nothing_pending_makes_no_generation(folder):
    with writing(folder) as writer:
        writer.add_root("docs", Path("/corpus"))
        writer.pictures.put_captions("docs", "a.md", [])
        assert writer.remove("docs", "nowhere.md") is False
        writer.put_vectors([key_of("one")], vector_of(key_of("one"))[None])
        writer.put_vectors([], np.empty((0, DIM), np.float32))
        assert writer.commit() == 1


def test_what_is_not_committed_is_dropped(folder):
    with writing(folder) as writer:
        put(writer, "new.md", ["new"])
        writer.remove("docs", "a.md")
    assert texts(folder) == ["one", "two", "three", "four", "x"]


def test_a_document_waits_for_its_vectors(folder):
    with writing(folder) as writer:
        found = document("late.md", stamp="2")
        keyed = [(passage(found, at, text), key_of(text)) for at, text in enumerate(["one", "late", "later"])]
        writer.put_document(found, digest=b"late", loader="l 1", passages=keyed, path_words="")
        writer.put_vectors([key_of("late")], vector_of(key_of("late"))[None])
        writer.commit()
        assert "late.md" not in dict(writer.stamps("docs"))
        assert writer.known([key_of("one"), key_of("late"), key_of("later")]) == {key_of("one"), key_of("late")}
        assert writer.twin(b"late", "l 1").id == found.id
        assert texts(folder) == ["one", "two", "three", "four", "x"]
    with writing(folder) as writer:  # the run stopped there; the next one needs only the missing vectors
        assert writer.known([key for _, key in keyed]) == {key_of("one"), key_of("late")}
        writer.put_document(found, digest=b"late", loader="l 1", passages=keyed, path_words="")
        writer.put_vectors([key_of("later")], vector_of(key_of("later"))[None])
        writer.commit()
    assert texts(folder) == ["one", "two", "three", "four", "x", "one", "late", "later"]
    with snapshot_of(folder) as snapshot:
        assert snapshot.status().vectors == 7


def test_a_document_is_inserted_with_the_last_of_its_vectors_and_not_at_the_commit(folder):
    with writing(folder) as writer:
        found = document("new.md")
        passages = [(passage(found, at, text), key_of(text)) for at, text in enumerate(("red", "blue", "red"))]
        writer.put_document(found, digest=b"d", loader="text 1", passages=passages, path_words="")
        twin = writer.twin(b"d", "text 1")
        assert twin is not None and twin.id == found.id
        settled = []
        for text in ("other", "red", "blue"):
            writer.put_vectors([key_of(text)], vector_of(key_of(text))[None])
            settled.append((writer.settled_documents, writer.settled_passages))
        assert settled == [(0, 0), (0, 0), (1, 3)]
        writer.commit()
        assert (writer.settled_documents, writer.give_up_waiting()) == (0, 0)
    with snapshot_of(folder) as snapshot:
        assert snapshot.status().documents == 5


def test_the_counts_of_terms_are_the_same_however_often_they_are_written(tmp_path, monkeypatch):
    texts = {f"{name}.md": [f"{name} common", f"common {at} words"] for at, name in enumerate("abcdef")}

    def counts(place):
        made(place, texts)
        with writing(place) as writer:
            put(writer, "a.md", ["a new"], stamp="2")
            writer.remove("docs", "b.md")
            put(writer, "b.md", ["b back"])
            writer.commit()
        with snapshot_of(place) as snapshot:
            return snapshot.document_frequencies(["common", "a", "b", "words", "new", "back", "0", "1"])[0]

    rarely = counts(tmp_path / "rarely")
    monkeypatch.setattr("rag.index.writer.changes.TERMS", 0)
    assert counts(tmp_path / "often") == rarely == {"common": 8, "a": 1, "b": 1, "words": 4, "new": 1, "back": 1, "0": 0, "1": 0}


def test_a_twin_has_all_that_is_needed_to_put_it_again(folder):
    with writing(folder) as writer:
        digest = key_of("one\ntwo")
        assert writer.twin(b"unknown", "text 1") is None
        twin = writer.twin(digest, "text 1")
        assert (twin.id, twin.loader, twin.caption) == (DocumentId("docs", "a.md"), "text 1", "")
        assert [(each.text, key) for each, key in twin.passages] == [("one", key_of("one")), ("two", key_of("two"))]
        writer.remove("docs", "a.md")  # moved: ended in this run
        assert writer.twin(digest, "text 1") == twin
        moved = document("moved.md")
        passages = [(passage(moved, each.ordinal, each.text), key) for each, key in twin.passages]
        writer.put_document(moved, digest=digest, loader=twin.loader, passages=passages, path_words="")
        assert writer.twin(digest, "text 1").id == moved.id
        writer.commit()
    with snapshot_of(folder) as snapshot:
        assert snapshot.status().vectors == 5
        assert snapshot.passages([6])[0].passage.document.path == "moved.md"


def test_skipped_files_are_kept_with_their_reason_until_they_change(folder):
    with writing(folder) as writer:
        writer.put_skipped(document("broken.pdf", stamp="7"), "truncated")
        writer.put_skipped(document("a.md", stamp="8"), "no longer \udcff readable")
        writer.commit()
        assert {("broken.pdf", "7"), ("a.md", "8")} <= set(writer.stamps("docs"))
    with snapshot_of(folder) as snapshot:
        reasons = {skipped.document.path: skipped.reason for skipped in snapshot.status().skipped}
        assert reasons == {"broken.pdf": "truncated", "a.md": "no longer ? readable"}
        assert snapshot.status().documents == 3
    with writing(folder) as writer:
        put(writer, "broken.pdf", ["mended"])
        writer.commit()
    with snapshot_of(folder) as snapshot:
        assert [skipped.document.path for skipped in snapshot.status().skipped] == ["a.md"]


def test_names_need_not_be_utf8(folder):
    strange = "b\udcff/ü\udc80.md"
    with writing(folder) as writer:
        put(writer, strange, ["text with a lone \ud800 surrogate"], words="strange")
        writer.add_root("r\udcff", Path("/r\udcff"))
        writer.commit()
        assert strange in dict(writer.stamps("docs", "b\udcff"))
        assert writer.roots() == {"docs": Path("/corpus"), "r\udcff": Path("/r\udcff")}
    with snapshot_of(folder) as snapshot:
        stored = snapshot.passages([snapshot.containing("strange", 1)[0][0]])[0]
        assert (stored.passage.document.path, stored.passage.text) == (strange, "text with a lone ? surrogate")


def test_roots_are_added_moved_and_removed(folder):
    with writing(folder) as writer:
        writer.add_root("photos", Path("/photos"))
        put(writer, "a.md", ["photo"], root="photos")
        writer.add_root("docs", Path("/elsewhere"))
        writer.commit()
        writer.remove_root("photos")
        writer.commit()
        assert writer.roots() == {"docs": Path("/elsewhere")}
        with pytest.raises(IndexFailure, match="photos"):
            list(writer.stamps("photos"))
        writer.add_root("photos", Path("/photos"))
        assert list(writer.stamps("photos")) == []
        writer.commit()
    assert texts(folder) == ["one", "two", "three", "four", "x"]
    with snapshot_of(folder) as snapshot:
        assert snapshot.passages([1])[0].file == Path("/elsewhere/a.md")


def test_captions_belong_to_the_document_that_gives_them(folder):
    with writing(folder) as writer:
        writer.pictures.put_captions(
            "docs", "b.md", [CaptionOf("x.png", "second"), CaptionOf("y.png", "other"), CaptionOf("x.png", "third")]
        )
        writer.pictures.put_captions("docs", "a.md", [CaptionOf("x.png", "first")])
        writer.commit()
        assert writer.pictures.captions_for("docs", "x.png") == ["first", "second", "third"]
        assert writer.pictures.captions_from("docs", "a.md") == [CaptionOf("x.png", "first")]
        writer.remove("docs", "a.md")
        writer.pictures.put_captions("docs", "b.md", [CaptionOf("x.png", "new")])
        assert writer.pictures.captions_for("docs", "x.png") == ["new"]
        assert writer.pictures.captions_for("docs", "y.png") == []
        writer.commit()


def test_recognised_words_are_kept_by_content(folder):
    with writing(folder) as writer:
        assert writer.pictures.recognised(b"picture") is None
        writer.pictures.put_recognised(b"picture", "EXIT")
        writer.pictures.put_recognised(b"blank", "")
        writer.commit()
    with writing(folder) as writer:
        assert (writer.pictures.recognised(b"picture"), writer.pictures.recognised(b"blank")) == ("EXIT", "")


@pytest.mark.parametrize("vectors", [np.full((1, DIM), np.nan), np.full((1, DIM), 1e9), np.ones((1, DIM - 1)), np.ones((2, DIM))])
def test_vectors_of_a_wrong_shape_or_not_finite_are_refused(folder, vectors):
    with writing(folder) as writer:
        with pytest.raises(BackendError):
            writer.put_vectors([b"key"], vectors)
        assert writer.known([b"key"]) == set()
        assert writer.commit() == 1


def test_a_document_that_cannot_be_put_leaves_nothing(folder):
    with writing(folder) as writer:
        wrong = passage(document("z.md"), 0, "one", kind="sculpture")
        with pytest.raises(KeyError):
            writer.put_document(document("a.md"), digest=b"z", loader="l", passages=[(wrong, key_of("one"))], path_words="")
        writer.commit()
    assert texts(folder) == ["one", "two", "three", "four", "x"]


def test_a_snapshot_stays_at_its_generation_and_the_next_one_moves_on(folder):
    with open_index(folder) as index, writing(folder) as writer:
        with index.snapshot() as snapshot:
            before = snapshot.nearest(unit_rows(1, 1), 10)
            writer.remove("docs", "a.md")
            put(writer, "new.md", ["harbour"])
            with snapshot_of(folder) as other:  # before the commit nobody sees anything
                assert (other.generation, other.nearest(unit_rows(1, 1), 10)) == (1, before)
            writer.commit()
            assert snapshot.nearest(unit_rows(1, 1), 10) == before
            assert snapshot.containing("harbour", 3) == []
            assert [stored.passage.text for stored in snapshot.passages([1, 2])] == ["one", "two"]
            assert snapshot.by_id(snapshot.passages([1])[0].id).number == 1
        assert (index.refresh(), index.generation, index.refresh()) == (True, 2, False)
        with index.snapshot() as snapshot:
            assert sorted(number for number, _ in snapshot.nearest(unit_rows(1, 1), 10)[0]) == [3, 4, 5, 6]
            assert [number for number, _, _ in snapshot.containing("harbour", 3)] == [6]


def test_many_threads_may_search_one_open_index(folder):
    from concurrent.futures import ThreadPoolExecutor

    def ask(_):
        with index.snapshot() as snapshot:
            return snapshot.nearest(unit_rows(1, 1), 3), snapshot.containing("one", 3)

    with open_index(folder) as index:
        expected = ask(0)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(64)))
    assert answers == [expected] * 64
    with pytest.raises(IndexFailure, match="closed"):
        index.status()
