"""The dense lane against a NumPy scan of every live passage; passages come back as they were put."""

from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from rag.errors import BackendError, IndexFailure
from rag.index.catalog.index_folder import create
from rag.index.catalog.schema import FORMAT
from rag.index.files.layout import size_on_disk
from rag.index.reader.open_index import open_index
from rag.index.writer.writer import writing
from rag.types import Context, Filters, Lines, Page, Passage, Seconds, Sheet, Slide, Whole
from tests.unit.index_samples import DIM, FINGERPRINT, document, key_of, made, passage, put, snapshot_of, unit_rows, vector_of


def oracle(live: list[tuple[int, bytes]], queries: np.ndarray, k: int) -> list[list[tuple[int, float]]]:
    """The k best of (number, vector key), by a plain matrix product."""
    rows = np.stack([vector_of(key) for _, key in live]).astype(np.float16).astype(np.float32)
    answers = []
    for query in queries:
        scores = rows @ query
        order = sorted(range(len(live)), key=lambda at: (-round(float(scores[at]), 5), live[at][0]))[:k]
        answers.append([(live[at][0], float(scores[at])) for at in order])
    return answers


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert [number for number, _ in one] == [number for number, _ in other]
        np.testing.assert_allclose([score for _, score in one], [score for _, score in other], atol=1e-5)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """12 segments; shared vectors, changed and removed documents."""
    folder = made(tmp_path_factory.mktemp("search") / "index")
    with writing(folder) as writer:
        for commit in range(12):
            for at in range(10):
                put(writer, f"{commit}/{at}.md", [f"text {commit} {at}", f"shared {at % 3}"], kind="page" if at % 2 else "text")
            writer.commit()
        for at in range(10):
            writer.remove("docs", f"3/{at}.md")
            put(writer, f"4/{at}.md", [f"new {at}"])
        writer.commit()
    with snapshot_of(folder) as snapshot:
        yield snapshot


def live(snapshot, allowed=None):
    numbers = sorted(number for number, _ in snapshot.nearest(unit_rows(1, 1), 10_000, allowed)[0])
    return [(stored.number, key_of(stored.passage.text)) for stored in snapshot.passages(numbers)]


@pytest.mark.parametrize("k", [1, 2, 7, 40, 230, 1000])
def test_nearest_is_a_plain_matrix_product(snapshot, k):
    queries = np.concatenate([unit_rows(3, 7), np.stack([vector_of(key_of("shared 1")), vector_of(key_of("text 5 5"))])])
    assert len(live(snapshot)) == 12 * 20 - 20 - 10
    assert_same(snapshot.nearest(queries, k), oracle(live(snapshot), queries, k))


@pytest.mark.parametrize("filters", [Filters(kinds=("page",)), Filters(paths=("5/", "4/1.md")), Filters(paths=("7/3.md",))])
def test_filters_come_before_the_search(snapshot, filters):
    allowed = snapshot.matching(filters)
    queries = unit_rows(2, 9)
    assert len(live(snapshot, allowed)) == len(allowed)
    assert_same(snapshot.nearest(queries, 15, allowed), oracle(live(snapshot, allowed), queries, 15))


def test_nothing_allowed_gives_nothing(snapshot):
    assert snapshot.nearest(unit_rows(2, 1), 5, snapshot.matching(Filters(paths=("nowhere/",)))) == [[], []]
    assert snapshot.nearest(unit_rows(1, 1), 0) == [[]]
    assert snapshot.nearest(np.empty((0, DIM), np.float32), 5) == []


def test_ties_go_to_the_smaller_number_even_at_the_last_place(tmp_path):
    create(tmp_path / "index", FINGERPRINT, {})
    with writing(tmp_path / "index") as writer:
        writer.add_root("docs", Path("/corpus"))
        keys = [bytes([at]) * 16 for at in range(40)]
        for start in (20, 0):  # the vectors of the later passages are in the first segment
            writer.put_vectors(keys[start : start + 20], np.repeat(unit_rows(1, 5), 20, 0))
            writer.put_vectors([b"spread" + bytes([start])], -unit_rows(1, 5))
            writer.commit()
        found = document("a.md")
        writer.put_document(
            found, digest=b"a", loader="l", passages=[(passage(found, at, ""), key) for at, key in enumerate(keys)], path_words=""
        )
        writer.commit()
    with snapshot_of(tmp_path / "index") as snapshot:
        for k in (1, 5, 19, 20, 21, 39, 40):
            assert [number for number, _ in snapshot.nearest(unit_rows(1, 5), k)[0]] == list(range(1, k + 1))


def test_vectors_are_the_stored_ones_in_the_given_order(snapshot):
    numbers = [number for number, _ in live(snapshot)][::-7]
    expected = np.stack([vector_of(key_of(stored.passage.text)) for stored in snapshot.passages(numbers)])
    np.testing.assert_array_equal(snapshot.vectors(numbers), expected.astype(np.float16).astype(np.float32))
    assert snapshot.vectors([]).shape == (0, DIM)
    with pytest.raises(IndexFailure):
        snapshot.vectors([10_000])


@pytest.mark.parametrize("query", [np.ones((1, DIM + 1)), np.full((1, DIM), np.nan)])
def test_a_query_of_another_dimension_or_with_nan_is_refused(snapshot, query):
    with pytest.raises(BackendError):
        snapshot.nearest(query, 3)


def test_an_empty_index_answers(tmp_path):
    with snapshot_of(made(tmp_path / "index")) as snapshot:
        assert snapshot.nearest(unit_rows(1, 1), 3) == [[]]
        assert snapshot.containing("harbour", 3) == []
        assert snapshot.document_frequencies(["harbour"]) == ({"harbour": 0}, 0)
        assert (snapshot.generation, snapshot.status().documents) == (1, 0)


def test_passages_come_back_as_they_were_put(tmp_path):
    folder = made(tmp_path / "index")
    context = Context(title="Title", heading="A › B", slide=3, sheet="Sheet")
    places = [Lines(1, 4), Page(2), Slide(3), Sheet("Größe"), Seconds(1.5, 4.0), Seconds(2, 3), Whole(), Whole()]
    found = document("ordner/ü.bin", modified=77.0)
    put_in = [
        Passage(found.id, at, place, "frame", "video", "text \x00 \n“q”", "caption", context, None if at else 12.5)
        for at, place in enumerate(places)
    ]
    with writing(folder) as writer:
        keyed = [(each, key_of(str(at))) for at, each in enumerate(put_in)]
        writer.put_document(found, digest=b"d", loader="l", passages=keyed, path_words="ordner")
        writer.put_vectors([key for _, key in keyed], unit_rows(8, 1))
        writer.commit()
    with snapshot_of(folder) as snapshot:
        stored = snapshot.passages(range(1, 9))
        assert [each.passage for each in stored] == put_in
        assert [each.dated for each in stored] == [12.5] + [77.0] * 7
        assert {each.file for each in stored} == {Path("/corpus/ordner/ü.bin")}
        assert len({each.id for each in stored}) == 8 and {len(each.id) for each in stored} == {10}
        assert [snapshot.by_id(each.id) for each in stored] == stored
        assert snapshot.by_id("nothing") is None
        assert [each.number for each in snapshot.neighbours(4, reach=2)] == [2, 3, 5, 6]
        assert [each.number for each in snapshot.passages([5, 2, 5])] == [5, 2, 5]


def test_short_ids_are_the_same_after_a_rebuild_and_name_the_live_passage(tmp_path):
    one, two = made(tmp_path / "one", {"a.md": ["x", "y"]}), made(tmp_path / "two", {"b.md": ["z"], "a.md": ["changed", "y"]})
    with snapshot_of(one) as first, snapshot_of(two) as second:
        ids = [each.id for each in first.passages([1, 2])]
        assert [each.id for each in second.passages([2, 3])] == ids
    with writing(one) as writer:
        put(writer, "a.md", ["changed"])
        writer.commit()
    with snapshot_of(one) as snapshot:
        assert snapshot.by_id(ids[0]).passage.text == "changed"
        assert snapshot.by_id(ids[1]) is None


def test_status_counts(snapshot):
    status = snapshot.status()
    assert (status.documents, status.suffixes, status.format, status.generation) == (110, {".md": 110}, FORMAT, 14)
    assert status.passages == {"text": 110, "page": 100, "image": 0, "screenshot": 0, "frame": 0}
    assert (status.roots, snapshot.roots()) == ({"docs": Path("/corpus")}, {"docs": Path("/corpus")})
    assert status.vectors == 12 * 10 + 3 + 10
    assert status.bytes == size_on_disk(status.folder) > 50_000
    assert (status.fingerprint, status.settings) == (FINGERPRINT, {"passage_characters": "1200"})
    assert (snapshot.name, snapshot.fingerprint) == ("index", FINGERPRINT)


def test_the_connection_of_a_thread_is_closed_with_it(tmp_path: Path) -> None:
    """A server may search from many short-lived threads."""
    with open_index(made(tmp_path / "index", {"a.txt": ["harbour"]})) as index:
        for _ in range(5):
            worker = Thread(target=index.status)
            worker.start()
            worker.join()
        assert len(index._connections) == 1
