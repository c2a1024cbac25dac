"""Stored postings of common words give the passages, scores and shares that the full text gives, whatever changed since."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from rag.index.lexical import postings, postings_cache
from rag.index.lexical.bm25_search import containing
from rag.index.lexical.postings import build_postings, open_postings, postings_file
from rag.index.lexical.postings_cache import PostingsCache
from rag.index.locations import warm_up
from rag.index.reader.open_index import open_index
from rag.index.writer.writer import writing
from tests.unit.index_samples import made, put, snapshot_of
from tests.zipf import full_text, queries

PASSAGES = 20_000
EVERYTHING = np.arange(1, PASSAGES + 1)


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    made = full_text(str(tmp_path_factory.mktemp("zipf") / "full.sqlite"), PASSAGES)
    made.execute(
        "CREATE TABLE facts(name TEXT PRIMARY KEY, value ANY); INSERT INTO facts VALUES ('commit 1', 'a'), ('commit 2', 'b')"
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(connection, tmp_path_factory):
    found = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "COMMON", 40)
        build_postings(found, connection, 1, EVERYTHING)
    return found


def truth(connection, words, k, allowed=EVERYTHING):
    """FTS5's own BM25 over every passage with any of the words."""
    match = " OR ".join(f'"{word}"' for word in words.split())
    statement = "SELECT rowid, -bm25(lexical, 1.0, 1.2, 0.7) FROM lexical WHERE lexical MATCH ? ORDER BY 2 DESC, 1"
    held = set(allowed.tolist())
    return [row for row in connection.execute(statement, (match,)) if row[0] in held][:k]


@pytest.mark.parametrize("allowed", [EVERYTHING, EVERYTHING[::10], EVERYTHING[5000:5003]])
def test_postings_give_what_bm25_over_everything_gives(connection, folder, allowed):
    kept = open_postings(folder, connection, 1)
    assert kept.last == PASSAGES
    for words in queries(connection, 20, PASSAGES):
        exact = truth(connection, words, 20, allowed)
        found = containing(connection, words, 20, allowed, PASSAGES, kept=kept)
        assert {number for number, _, _ in found} <= set(allowed.tolist())
        assert [score / (1 - score) for _, score, _ in found] == pytest.approx([score for _, score in exact], rel=0.02, abs=0.12)
        one_by_one = {n: share for n, _, share in containing(connection, words, PASSAGES, allowed[:3000], PASSAGES)}
        assert all(share == pytest.approx(one_by_one[number]) for number, _, share in found if number in one_by_one)


def test_words_without_a_stored_posting_count_as_well(connection, folder):
    kept = open_postings(folder, connection, 1)
    words = queries(connection, 5, PASSAGES)[4]
    assert [word in kept for word in words.split()] == [True, True, True, False]
    assert "qqqq" not in kept and kept.of("qqqq") is None
    assert containing(connection, words, 3, EVERYTHING, PASSAGES, kept=kept)[0][0] == truth(connection, words, 1)[0][0]
    start = words.split()[0][:3] + "*"
    found = [containing(connection, start, 5, EVERYTHING, PASSAGES, kept=how) for how in (kept, None)]
    assert [score for _, score, _ in found[0]] == pytest.approx([score for _, score, _ in found[1]], abs=1e-4)


def test_later_passages_are_added_and_ended_ones_skipped(connection, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(postings, "COMMON", 40)
    build_postings(tmp_path, connection, 1, EVERYTHING[:9000])
    words = queries(connection, 1, PASSAGES)[0]
    short = open_postings(tmp_path, connection, 1)
    wanted = containing(connection, words, 50, EVERYTHING, PASSAGES, kept=open_postings(folder, connection, 1))
    found = containing(connection, words, 50, EVERYTHING, PASSAGES, kept=short)
    assert [number for number, *_ in found] == [number for number, *_ in wanted]
    whole = postings_file(folder).read_bytes()
    build_postings(tmp_path, connection, 2, EVERYTHING)
    grown = open_postings(tmp_path, connection, 2)
    for word in words.split():
        for one, other in zip(grown.of(word), open_postings(folder, connection, 2).of(word), strict=True):
            np.testing.assert_array_equal(one, other)
    build_postings(tmp_path, connection, 2, EVERYTHING[::2])
    assert 0.4 < postings_file(tmp_path).stat().st_size / len(whole) < 0.6


def test_damaged_postings_and_those_of_another_history_are_not_used(connection, folder, tmp_path):
    file = postings_file(tmp_path)
    whole = postings_file(folder).read_bytes()
    random = np.random.default_rng(0)
    for at in random.integers(0, len(whole), 60).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(random.integers(8))
        file.write_bytes(damaged)
        assert open_postings(tmp_path, connection, 1) is None
    for mean_length in (0, 1, 15, 40, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:mean_length])
        assert open_postings(tmp_path, connection, 1) is None
    file.write_bytes(whole)
    assert open_postings(tmp_path, connection, 2) is not None
    assert open_postings(tmp_path, connection, 0) is None
    connection.execute("UPDATE facts SET value = 'another' WHERE name = 'commit 1'")
    assert open_postings(tmp_path, connection, 1) is None
    connection.execute("UPDATE facts SET value = 'a' WHERE name = 'commit 1'")


@pytest.fixture
def index(tmp_path, monkeypatch):
    monkeypatch.setattr(postings_cache, "WORTH_KEEPING", 30)
    monkeypatch.setattr(postings, "COMMON", 3)
    return made(tmp_path / "index", {f"{at}.md": [f"harbour {at}", f"crane harbour {'night ' * (at % 5)}"] for at in range(20)})


def said(folder):
    """(text, score, share) of what the lane finds, by query."""
    with snapshot_of(folder) as snapshot:
        found = {
            words: snapshot.containing(words, 50) for words in ("harbour crane", "night harbour", "7 harbour", '"crane harbour"')
        }
        return {
            words: [
                (stored.passage.text, round(score, 3), round(share, 3))
                for stored, (_, score, share) in zip(snapshot.passages([n for n, *_ in each]), each, strict=True)
            ]
            for words, each in found.items()
        }


def ranked(answers):
    return {words: sorted((-score, text, share) for text, score, share in each) for words, each in answers.items()}


def test_a_large_index_stores_postings_and_later_changes_are_applied(index):
    before = said(index)
    assert [remark.split(" in ")[0] for remark in warm_up(index)] == ["passages.words was built once for all searches,"]
    assert warm_up(index) == () and ranked(said(index)) == ranked(before)
    first = postings_file(index).stat().st_mtime_ns
    with writing(index) as writer:
        put(writer, "new.md", ["crane crane crane harbour"])
        writer.remove("docs", "3.md")
        put(writer, "4.md", ["no more of it"])
        writer.commit()
    with_arrays = said(index)
    assert with_arrays["harbour crane"][0][0] == "crane crane crane harbour"
    assert not {text for text, *_ in with_arrays["harbour crane"]} & {"harbour 3", "harbour 4", "no more of it"}
    assert warm_up(index) == () and postings_file(index).stat().st_mtime_ns == first
    bare = shutil.copytree(index, index.with_name("bare"))
    postings_file(bare).unlink()
    for words, found in said(bare).items():  # the stored weights use the mean length at the time of the build
        assert {text: score for text, score, _ in found} == pytest.approx(
            {text: score for text, score, _ in with_arrays[words]}, abs=0.02
        )
    with writing(index) as writer:
        writer.compact()
    assert {text for text, *_ in said(index)["harbour crane"]} == {text for text, *_ in with_arrays["harbour crane"]}


def test_an_index_whose_postings_cannot_be_written_is_complete(index):
    before = said(index)
    postings_file(index).mkdir()
    assert warm_up(index) == ("passages.words cannot be written (Is a directory), so common words are looked up one by one",)
    assert said(index) == before


def test_an_open_index_uses_postings_that_another_process_built(index):
    words = PostingsCache(index)
    with open_index(index) as opened, opened._reading() as connection:
        assert words.at(connection, opened.generation) is None
        warm_up(index)
        kept = words.at(connection, opened.generation)
        assert kept is not None and "harbour" in kept and words.at(connection, opened.generation) is kept
        assert words.at(connection, 0) is None and words.at(connection, opened.generation) is kept
    other = PostingsCache(index)
    with open_index(index) as opened, opened._reading() as connection:
        assert other.at(connection, 0) is None and other.at(connection, opened.generation) is not None


def test_the_mean_length_is_that_of_live_passages(index):
    with writing(index) as writer:
        put(writer, "long.md", ["many words " * 500])
        writer.commit()
        writer.remove("docs", "long.md")
        writer.commit()
    with snapshot_of(index) as snapshot:
        lengths = [len(f"harbour {at}".split()) for at in range(20)] + [2 + at % 5 for at in range(20)]
        assert snapshot.live.mean_length == pytest.approx(np.mean(lengths))
    texts = {f"{at}.md": [f"harbour {at}", f"crane harbour {'night ' * (at % 5)}"] for at in range(20)}
    with snapshot_of(made(index.with_name("never"), texts)) as never, snapshot_of(index) as snapshot:
        assert snapshot.live.mean_length == pytest.approx(never.live.mean_length)
