"""Words counted in memory, and candidates scored: equal to the full text of an index folder with the same passages."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.index.catalog.connection import open_to_read
from rag.index.catalog.documents import StagedDocument
from rag.index.lexical import bm25_search
from rag.index.milvus.rows import passage_rows, too_long
from rag.index.milvus.vocabulary import Vocabulary
from rag.text.folding import REVISION
from tests.unit.index_samples import document, key_of, made, passage

TEXTS = {
    "a.txt": ["harbour crane tide", "crane crane", "der Mietvertrag"],
    "b.txt": ["the harbours of 2024-03-17", "潮汐表 2026", "INV-4421 paid"],
    "c.txt": ["crane harbour", "nothing of it", "tide"],
}
QUERIES = [
    "harbour crane",
    '"harbour crane"',
    "cran*",
    "Vertrag",
    "harbuor",
    "INV4421",
    "潮汐",
    "17.03.2024",
    "the of",
    "unheard",
]


def rows_of(path: str, texts: list[str]) -> list[dict]:
    of = document(path)
    passages = tuple((passage(of, at, text), key_of(text)) for at, text in enumerate(texts))
    return passage_rows(StagedDocument(of, b"d", "text 1", passages, ""))[1]


@pytest.mark.parametrize("words", QUERIES)
def test_scores_are_those_of_the_full_text(tmp_path: Path, words: str) -> None:
    folder = made(tmp_path / "index", TEXTS)
    fields = [row["terms"] for path, texts in TEXTS.items() for row in rows_of(path, texts)]
    vocabulary = Vocabulary.of(REVISION, fields)
    found = {at: (score, share) for at, score, share in vocabulary.scores(vocabulary.wanted(words), fields)}
    with closing(open_to_read(folder)) as connection:
        expected = bm25_search.containing(connection, words, 100, np.arange(1, len(fields) + 1), len(fields), revision=REVISION)
    assert found.keys() == {number - 1 for number, _, _ in expected}
    for number, score, share in expected:
        assert found[number - 1] == pytest.approx((score, share), abs=1e-6)


def test_of_a_large_index_a_part_is_counted_and_rare_words_are_added() -> None:
    fields = [" common rare | |  ", *(["common | | "] * 9)]
    vocabulary = Vocabulary.of(REVISION, (f" {field} " for field in fields), live=1_000)
    assert not vocabulary.exact and vocabulary.document_frequencies(["common", "rare"]) == {"common": 1_000, "rare": 100}
    assert vocabulary.missing("rare unheard") == ["unheard"]
    vocabulary.add_rare(["unheard"])
    assert vocabulary.document_frequencies(["unheard"]) == {"unheard": 1} and vocabulary.corrections("unheard") == {}


def test_a_passage_of_too_many_words_is_cut_and_one_of_too_many_letters_is_refused() -> None:
    of = document("long.txt")
    random = np.random.default_rng(1)
    long = " ".join(f"w{number}" for number in range(20_000))
    _, [row], cut = passage_rows(StagedDocument(of, b"d", "l", ((passage(of, 0, long), b"k"),), "the path"))
    assert cut == 1 and len(row["terms"].encode()) <= 65_535 and row["terms"].endswith(" path ")
    assert too_long([(passage(of, 0, long), b"k")]) == ""
    noise = "".join(map(chr, random.integers(0x4E00, 0x9FFF, 60_000)))
    assert "60,000 characters" in too_long([(passage(of, 0, noise), b"k")])


def test_the_same_document_has_the_same_version_and_another_one_has_not() -> None:
    first, again, other = (rows_of("a.txt", texts) for texts in (["x", "y"], ["x", "y"], ["x", "z"]))
    assert [row["key"] for row in first] == [row["key"] for row in again]
    assert not {row["key"] for row in first} & {row["key"] for row in other}
