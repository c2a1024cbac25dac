"""The lexical lane: passages that hold the words of a query, best first, by BM25 over the full text of the catalog.

Knows the full text and the table `terms`; knows no vectors and no files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.questions import Unit, alone, expression, understand, units_of
from rag.index.schema import COLUMN_WEIGHTS, COLUMNS

_ALL_OF = 8  # units asked for together: the rarest
_ANY_OF = 12  # and one by one
_LONGEST_QUERY = 10_000  # characters; the rest of a longer one is not read
_ROWS_OF_ANY = 20_000  # passages that "any of them" may look at: an OR over common words costs 227 ms at 100,000 passages
_BM25 = f"bm25(lexical, {', '.join(map(str, COLUMN_WEIGHTS))})"


def containing(
    connection: apsw.Connection, words: str, k: int, allowed: NDArray[np.int64], columns: Sequence[str] = COLUMNS
) -> list[tuple[int, float]]:
    """The best k (number, score) among the sorted numbers `allowed`; larger is better, equal scores by smaller number.

    Passages that hold all of the (eight rarest) units come first and score 1 + b/(1+b), with b their BM25; then those that hold
    any of the rarest, with b/(1+b). Quoted phrases are in all of these. Where that finds nothing, the words of the phrases
    count one by one, so the lane answers whenever a word is known. Words of a closed class count only where no other is known.
    """
    if unknown := set(columns) - set(COLUMNS):
        raise ValueError(f"no such columns: {', '.join(sorted(unknown))}")
    question = understand(words[:_LONGEST_QUERY])
    ranked = _rarest_first(connection, question.units)
    if k <= 0 or not ranked or not columns:
        return []

    def best(joint: str, units: Sequence[Unit], k: int) -> list[tuple[int, float]]:
        return _best(connection, expression(joint, units, question.unwanted, columns), k, allowed)

    listed = {number: 1.0 + score for number, score in best("AND", [unit for unit, _ in ranked[:_ALL_OF]], k)}
    quoted = [unit for unit, _ in ranked if unit.quoted]
    if len(listed) < k and len(ranked) > 1:
        more = best("AND", quoted, k + len(listed)) if quoted else best("OR", _affordable(ranked), k + len(listed))
        for number, score in more:
            listed.setdefault(number, score)
    if not listed and quoted:
        words_alone = dict.fromkeys(each for unit in question.units for each in (alone(unit) if unit.quoted else (unit,)))
        listed = dict(best("OR", _affordable(_rarest_first(connection, tuple(words_alone))), k))
    return list(listed.items())[:k]


def document_frequencies(connection: apsw.Connection, words: Iterable[str]) -> dict[str, int]:
    """In how many passages each word stands, 0 where in none; a word of several terms is as rare as its rarest."""
    asked = {word: units_of(word) for word in words}
    counts = _counts(connection, {term for units in asked.values() for unit in units for term in (*unit.terms, unit.whole)})
    return {word: min((_frequency(connection, unit, counts) for unit in units), default=0) for word, units in asked.items()}


def _rarest_first(connection: apsw.Connection, units: Sequence[Unit]) -> list[tuple[Unit, int]]:
    """The known units with the number of passages each is in; weak ones only where there is nothing else."""
    counts = _counts(connection, {term for unit in units for term in (*unit.terms, unit.whole)})
    known = [(unit, _frequency(connection, unit, counts)) for unit in units]
    known = [(unit, count) for unit, count in known if count]
    strong = [(unit, count) for unit, count in known if not unit.weak]
    return sorted(strong or known, key=lambda pair: pair[1])


def _frequency(connection: apsw.Connection, unit: Unit, counts: Mapping[str, int]) -> int:
    if unit.prefix:
        start = unit.terms[0]
        question = "SELECT coalesce(sum(passages), 0) FROM terms WHERE term >= ? AND term < ?"
        return int(connection.execute(question, (start, start + "\U0010ffff")).get)
    return counts.get(unit.whole, 0) or min(counts[term] for term in unit.terms)


def _affordable(ranked: Sequence[tuple[Unit, int]]) -> list[Unit]:
    """The rarest units, as many as can be looked at; at least one."""
    taken: list[Unit] = []
    rows = 0
    for unit, count in ranked[:_ANY_OF]:
        rows += count
        if taken and rows > _ROWS_OF_ANY:
            break
        taken.append(unit)
    return taken


def _best(connection: apsw.Connection, match: str, k: int, allowed: NDArray[np.int64]) -> list[tuple[int, float]]:
    """The k best of the allowed passages that match, with b/(1+b)."""
    rows = connection.execute(f"SELECT rowid, -{_BM25} FROM lexical WHERE lexical MATCH ?", (match,))
    table = np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, 2)
    numbers, scores = table[:, 0].astype(np.int64), table[:, 1]
    keep = _holds(allowed, numbers)
    numbers, scores = numbers[keep], np.maximum(scores[keep], 0.0)
    best = np.lexsort((numbers, -scores))[:k]
    return [(int(numbers[at]), float(scores[at] / (1.0 + scores[at]))) for at in best]


def _holds(allowed: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(allowed):
        return np.zeros(len(numbers), np.bool_)
    places = np.searchsorted(allowed, numbers).clip(max=len(allowed) - 1)
    held: NDArray[np.bool_] = allowed[places] == numbers
    return held


def _counts(connection: apsw.Connection, terms: Iterable[str]) -> dict[str, int]:
    counts = dict.fromkeys(terms, 0)
    for term in counts:
        counts[term] = int(connection.execute("SELECT passages FROM terms WHERE term = ?", (term,)).get or 0)
    return counts
