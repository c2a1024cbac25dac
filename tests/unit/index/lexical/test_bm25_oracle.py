"""The lexical lane's scores are BM25, computed here from its definition and by bm25s: k1 = 1.2, b = 0.75, to 1e-3.

One word and two hundred, words said twice, three weighted columns, passages that have ended.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import bm25s
import pytest

from rag.index.writer.writer import writing
from rag.text.analyzer import stored_terms
from tests.unit.index_samples import made, put, snapshot_of
from tests.zipf import word

K1, B = 1.2, 0.75
WEIGHTS = {"text": 1.0, "caption": 1.2, "path": 0.7}
LEAST_IDF = 0.05
TOLERANCE = 1e-3
VOCABULARY = [word(rank) for rank in range(400)]  # words that have no shorter stem and are no English ones

Fields = Mapping[str, list[str]]  # the terms of one passage, by column


def collection(seed: int, count: int) -> list[dict[str, str]]:
    """Passages of 3 to 120 words, common ones more often, some with a caption and all with a path."""
    rng = random.Random(seed)
    weights = [1 / (rank + 2.7) for rank in range(len(VOCABULARY))]

    def words(least: int, most: int) -> str:
        return " ".join(rng.choices(VOCABULARY, weights, k=rng.randint(least, most)))

    return [
        {"text": words(3, 120), "caption": words(1, 8) if rng.random() < 0.3 else "", "path": words(1, 3)} for _ in range(count)
    ]


def indexed(folder: Path, passages: Sequence[Mapping[str, str]]) -> Path:
    """An index of these passages, numbered from 1, one document each; a document after them has ended."""
    made(folder)
    with writing(folder) as writer:
        for at, one in enumerate(passages):
            put(writer, f"{at}.md", [one["text"]], caption=one["caption"], words=one["path"])
        put(writer, "gone.md", [" ".join(VOCABULARY[:50] * 4)], words="gone")
        writer.commit()
    with writing(folder) as writer:
        writer.remove("docs", "gone.md")
        writer.commit()
    return folder


def reference(passages: Sequence[Fields], asked: Sequence[str]) -> list[float]:
    """BM25 of every passage, from the definition: Σ tf(query) · idf · f (k1 + 1) / (f + k1 (1 − b + b |p| / mean |p|))."""
    lengths = [sum(len(terms) for terms in one.values()) for one in passages]
    mean = sum(lengths) / len(lengths)
    scores = [0.0] * len(passages)
    for term, said in Counter(asked).items():
        frequencies = [sum(WEIGHTS[column] * terms.count(term) for column, terms in one.items()) for one in passages]
        holding = sum(frequency > 0 for frequency in frequencies)
        if not holding:
            continue
        idf = max(LEAST_IDF, math.log((len(passages) - holding + 0.5) / (holding + 0.5)))
        for at, frequency in enumerate(frequencies):
            scores[at] += said * idf * frequency * (K1 + 1) / (frequency + K1 * (1 - B + B * lengths[at] / mean))
    return scores


def asked_of(passages: Sequence[Fields], seed: int, count: int) -> list[str]:
    """Words of a query, some of them more than once. All are known: of others one may be taken for a typing error."""
    known = {term for one in passages for terms in one.values() for term in terms}
    return random.Random(seed).choices(sorted(known), k=count)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 20, 60, 200])
@pytest.mark.parametrize("size", [5, 80, 300])
def test_scores_are_those_of_the_definition(size: int, count: int, tmp_path: Path) -> None:
    passages = collection(size, size)
    terms = [{column: stored_terms(text) for column, text in one.items()} for one in passages]
    with snapshot_of(indexed(tmp_path / "index", passages)) as snapshot:
        for seed in range(5):
            asked = asked_of(terms, 1000 * count + seed, count)
            found = snapshot.containing(" ".join(asked), size)
            expected = reference(terms, asked)
            held = {number: score / (1 - score) for number, score, _ in found}
            assert set(held) == {at for at, score in enumerate(expected, start=1) if score > 0}
            assert held == pytest.approx({number: expected[number - 1] for number in held}, abs=TOLERANCE)
            assert [number for number, _, _ in found] == sorted(held, key=lambda number: (-held[number], number))


def test_scores_are_those_of_bm25s_in_the_same_variant(tmp_path: Path) -> None:
    """bm25s leaves out the constant factor k1 + 1, and its idf has no floor: asked are words in less than a third."""
    passages = [{**one, "caption": "", "path": ""} for one in collection(7, 200)]
    texts = [one["text"].split() for one in passages]
    model = bm25s.BM25(method="robertson", k1=K1, b=B)
    model.index(texts, show_progress=False)
    rare = [term for term in VOCABULARY if 0 < sum(term in text for text in texts) < len(texts) / 3]
    with snapshot_of(indexed(tmp_path / "index", passages)) as snapshot:
        for seed in range(10):
            asked = random.Random(seed).choices(rare, k=12)
            expected = (K1 + 1) * model.get_scores(asked)
            held = {number: score / (1 - score) for number, score, _ in snapshot.containing(" ".join(asked), 200)}
            assert held == pytest.approx({number: float(expected[number - 1]) for number in held}, abs=TOLERANCE)
            assert len(held) == sum(expected > 0)
