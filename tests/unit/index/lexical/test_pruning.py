"""The lexical lane with common words: as good as BM25 over everything, and never empty where a word is known."""

from __future__ import annotations

from itertools import pairwise

import apsw
import numpy as np
import pytest

from rag.index.lexical.bm25_search import containing
from rag.index.lexical.pruning import at_least, pruning_steps
from rag.text.query_syntax import understand
from tests.zipf import full_text, queries

PASSAGES = 20_000


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    made = full_text(str(tmp_path_factory.mktemp("zipf") / "full.sqlite"), PASSAGES)
    yield made
    made.close()


def truth(connection: apsw.Connection, words: str, k: int = 10) -> list[int]:
    """FTS5's own BM25 over every passage with any of the words."""
    match = " OR ".join(f'"{word}"' for word in words.split())
    statement = "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY bm25(lexical, 1.0, 1.2, 0.7), rowid LIMIT ?"
    return [number for (number,) in connection.execute(statement, (match, k))]


def numbers(connection, words, k=100, allowed=None):
    allowed = np.arange(1, PASSAGES + 1) if allowed is None else allowed
    return [number for number, _, _ in containing(connection, words, k, allowed, PASSAGES)]


def test_the_ten_best_are_those_of_bm25_over_everything(connection):
    recalls = []
    for words in queries(connection, 100, PASSAGES):
        best = set(truth(connection, words))
        recalls.append(len(best & set(numbers(connection, words)[:10])) / len(best))
    assert np.mean(recalls) >= 0.95


def test_few_allowed_passages_are_scored_as_by_bm25(connection):
    for words in queries(connection, 30, PASSAGES):
        match = " OR ".join(f'"{word}"' for word in words.split())
        allowed = np.arange(1, 300)
        statement = "SELECT rowid, -bm25(lexical, 1.0, 1.2, 0.7) FROM lexical WHERE lexical MATCH ? AND rowid < 300"
        exact = {number: score for number, score in connection.execute(statement, (match,)) if score > 0.5}
        found = {number: score / (1 - score) for number, score, _ in containing(connection, words, 300, allowed, PASSAGES)}
        for number, score in exact.items():
            assert found[number] == pytest.approx(score, abs=0.2)


def test_all_matches_among_ten_allowed_passages_are_found(connection):
    words = queries(connection, 1, PASSAGES)[0]
    match = " OR ".join(f'"{word}"' for word in words.split())
    holding = [number for (number,) in connection.execute("SELECT rowid FROM lexical WHERE lexical MATCH ?", (match,))]
    some = np.array(sorted({*holding[5:5000:700], 7, 8, 9}))
    assert set(numbers(connection, words, allowed=some)) == set(some.tolist()) & set(holding)


@pytest.mark.parametrize("part", [2, 10, 40])
def test_with_a_filter_the_best_are_those_of_bm25_over_what_it_allows(connection, part):
    allowed = np.arange(1, PASSAGES + 1)[::part]
    recalls = []
    for words in queries(connection, 25, PASSAGES):
        best = {number for number in truth(connection, words, PASSAGES) if number % part == 1 % part}
        best = set([number for number in truth(connection, words, PASSAGES) if number in best][:10])
        recalls.append(len(best & set(numbers(connection, words, allowed=allowed)[:10])) / max(1, len(best)))
    assert np.mean(recalls) >= 0.9


def test_a_word_in_most_passages_is_answered(connection):
    [(commonest, often)] = connection.execute("SELECT term, passages FROM terms ORDER BY passages DESC LIMIT 1")
    found = numbers(connection, commonest)
    assert often > PASSAGES / 3 and len(found) == 100
    assert len(set(found[:10]) & set(truth(connection, commonest, 50))) >= 5


def test_every_pruning_step_is_broader_than_the_one_before(connection):
    words = queries(connection, 1, PASSAGES)[0]
    counts = dict(connection.execute("SELECT term, passages FROM terms"))
    ranked = sorted(((unit, counts[unit.terms[0]]) for unit in understand(words).units), key=lambda pair: pair[1])
    steps, first = pruning_steps(ranked, PASSAGES)
    lets_through = [
        {number for (number,) in connection.execute("SELECT rowid FROM lexical WHERE lexical MATCH ?", (step.expression,))}
        for step in steps
    ]
    assert 0 <= first < len(steps) > 2
    assert all(narrow <= broad for narrow, broad in pairwise(lets_through))


@pytest.mark.parametrize("wanted", [1, 2, 3, 4])
def test_at_least_n_of_four(connection, wanted):
    units = understand(queries(connection, 1, PASSAGES)[0]).units[:4]
    holders = [
        {number for (number,) in connection.execute("SELECT rowid FROM lexical WHERE lexical MATCH ?", (unit.expression,))}
        for unit in units
    ]
    expected = {number for number in set().union(*holders) if sum(number in held for held in holders) >= wanted}
    match = at_least(wanted, units)
    assert {n for (n,) in connection.execute("SELECT rowid FROM lexical WHERE lexical MATCH ?", (match,))} == expected
