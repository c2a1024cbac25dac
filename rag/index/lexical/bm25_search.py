"""The lexical lane: finds the passages that match the words of a query, best first, by BM25 over the catalog's full text.

Knows the full text and the table `terms`; knows no vectors and no files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.schema import COLUMN_WEIGHTS, COLUMNS
from rag.index.lexical.bm25 import Scoring, idf, information, score
from rag.index.lexical.compounds import with_compounds
from rag.index.lexical.phrase_postings import PhrasePostings
from rag.index.lexical.postings import Postings
from rag.index.lexical.postings_search import Wanted, occurrences, search_postings
from rag.index.lexical.pruning import any_of, pruning_steps
from rag.index.lexical.typing_errors import corrected
from rag.text.folding import REVISION
from rag.text.query_syntax import ParsedQuery, Unit, understand, units_of

_MAX_PRUNED_UNITS = 16  # of a query that is answered from few passages; more units would be slower than their postings
_CORRECTED = 0.5  # of a word: one that the query does not say, but may mean
_MAX_READ = 500_000  # occurrences read from the full text for one query, 0.4 µs each
_MAX_QUERY_CHARACTERS = 10_000  # the rest of a longer query is ignored
_MIN_FOUND = 10  # passages: a step that matches fewer is followed by a broader one
_MAX_SCORED = 20_000  # passages scored one by one, 2–3 µs each; more are ranked by FTS5 itself, 1 µs each
_MAX_BY_NUMBER = 400  # passages: where a filter allows no more, they are looked up by number, 0.1 ms each
_BM25 = f"bm25(lexical, {', '.join(map(str, COLUMN_WEIGHTS))})"


class Frequencies(NamedTuple):
    """How often the units of a query occur in one or more full texts."""

    live: int  # passages
    counts: tuple[int, ...]  # passages with each unit, in the order of the query


def containing(
    connection: apsw.Connection,
    words: str,
    k: int,
    allowed: NDArray[np.int64],
    live: int,
    columns: Sequence[str] = COLUMNS,
    mean: float = 0.0,
    kept: Postings | None = None,
    revision: int = REVISION,
    read: PhrasePostings | None = None,
    everywhere: Frequencies | None = None,
) -> list[tuple[int, float, float]]:
    """The best k (number, score, share) among the ascending passage numbers `allowed`; ties by smaller number.

    score   b / (1 + b), where b is the BM25 of `rag.index.lexical.bm25` over the `live` passages
    share   the share of the query that the passage contains, 0…1: Σ information of its units ÷ Σ over all units of the query,
            unknown ones included

    `revision` is that of the folding by which the full text was made. `mean` is the mean number of terms in a live passage (0:
    use the full text's mean, which includes ended passages); `kept` are the stored postings of the common words, `read` those
    read from the full text so far; `everywhere`, where several full texts are searched as one, are the frequencies in all of
    them, and `live` is then not used. Every unit counts, as often as the query says it; function words ("the", "of") are searched
    for only where no other word is known, and beside other words their share is 0. A word in no passage that is no English word
    counts as the most common word one letter away. Only where common words of a large index have no stored postings, short
    queries score those passages first that may be best, and others where fewer than ten were found. Where an allowed passage
    contains a unit that is searched for, the result is not empty.
    """
    ranked = wanted_units(connection, words, live, revision, everywhere)
    live = live if everywhere is None else everywhere.live
    return best_of(connection, ranked, k, allowed, live, columns, mean, kept, read)


def wanted_units(
    connection: apsw.Connection, words: str, live: int, revision: int = REVISION, everywhere: Frequencies | None = None
) -> list[Wanted]:
    """The units of a query that the full text knows, rarest first, with their weights: the first half of `containing`."""
    parsed = understand(words[:_MAX_QUERY_CHARACTERS], revision)
    counted, times = _counted_units(connection, parsed, live, everywhere)
    live = live if everywhere is None else everywhere.live
    shares = _shares(counted, live)
    return [Wanted(unit, n, times[unit] * unit.counts * idf(live, n), shares[unit]) for unit, n in _rarest_first(counted)]


def best_of(
    connection: apsw.Connection,
    ranked: Sequence[Wanted],
    k: int,
    allowed: NDArray[np.int64],
    live: int,
    columns: Sequence[str] = COLUMNS,
    mean: float = 0.0,
    kept: Postings | None = None,
    read: PhrasePostings | None = None,
) -> list[tuple[int, float, float]]:
    """The second half of `containing`: the best k among `allowed`, int64 (n,), for units that were looked up before."""
    if unknown := set(columns) - set(COLUMNS):
        raise ValueError(f"no such columns: {', '.join(sorted(unknown))}")
    if k <= 0 or not ranked or not columns or not len(allowed):
        return []
    search = _Search(connection, ranked, allowed, live, columns, mean, kept, read or PhrasePostings(mean))
    return [(number, -low / (1 - low), min(1.0, share)) for low, number, share in sorted(search.best(k))[:k]]


def frequencies(connection: apsw.Connection, words: str, live: int, revision: int = REVISION) -> Frequencies:
    """How often the units of a query occur in this full text, for `everywhere`."""
    units = [with_compounds(connection, unit, live) for unit in understand(words[:_MAX_QUERY_CHARACTERS], revision).units]
    counted = _counted(connection, units)
    return Frequencies(live, tuple(counted[unit] for unit in units))


def meeting(connection: apsw.Connection, question: ParsedQuery, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the ascending numbers, int64, whose passages contain every required unit and no excluded one."""
    if question.demanded:
        match = " AND ".join(unit.expression for unit in question.demanded)
        numbers = numbers[_held_in(_matching(connection, match), numbers)]
    if question.unwanted:
        numbers = numbers[~_held_in(_matching(connection, any_of(question.unwanted)), numbers)]
    return numbers


def document_frequencies(connection: apsw.Connection, words: Iterable[str], revision: int = REVISION) -> dict[str, int]:
    """How many passages contain each word, 0 where none does; a word of several terms is as rare as its rarest term."""
    asked = {word: units_of(word, revision) for word in words}
    counts = _counts(connection, [unit for units in asked.values() for unit in units])
    return {word: min((_frequency(connection, unit, counts) for unit in units), default=0) for word, units in asked.items()}


class _Search:
    """One query to the full text."""

    def __init__(
        self,
        connection: apsw.Connection,
        ranked: Sequence[Wanted],
        allowed: NDArray[np.int64],
        live: int,
        columns: Sequence[str],
        mean: float,
        kept: Postings | None,
        read: PhrasePostings,
    ) -> None:
        self.connection, self.ranked = connection, ranked
        self.allowed, self.live, self.columns = allowed, live, columns
        self.mean, self.kept, self.read = mean, kept, read
        self.mask = np.zeros(int(allowed[-1]) + 1, np.bool_)
        self.mask[allowed] = True
        self.allowed_bytes = self.mask.tobytes()
        self.everything = any_of([one.unit for one in ranked])

    def best(self, k: int) -> list[tuple[float, int, float]]:
        """(−BM25, number, share) of at least the best k passages, unordered."""
        long = len(self.ranked) > _MAX_PRUNED_UNITS
        if len(self.columns) == len(COLUMNS) and (long or occurrences(self.kept, self.read, self.ranked) <= _MAX_READ):
            return search_postings(self.connection, self.kept, self.read, self.ranked, self.mask, k)
        if len(self.allowed) <= _MAX_BY_NUMBER:
            return self._scored(self.everything, numbers=self.allowed) or []
        steps, at = pruning_steps([(one.unit, one.holding) for one in self.ranked], self.live)
        part = len(self.allowed) / max(self.live, 1)
        while at + 1 < len(steps) and steps[at + 1].passages * part <= _MAX_SCORED / 10 and steps[at + 1].passages <= _MAX_SCORED:
            at += 1  # the filter leaves few of their passages
        narrowed = False
        while True:
            step = steps[at]
            found = self._scored(step.expression) if step.passages * part <= 5 * _MAX_SCORED else None
            if found is None and at and not narrowed and step.passages * part <= 5 * _MAX_SCORED:
                at, narrowed = at - 1, True  # the words co-occur, so the step matched more than expected
                continue
            if found is None:
                return self._ordered(step.expression, k)
            if len(found) >= min(k, _MIN_FOUND) or at + 1 == len(steps):
                return found
            at += 1
            if narrowed:
                return self._ordered(steps[at].expression, k)

    def _scored(self, expression: str, numbers: NDArray[np.int64] | None = None) -> list[tuple[float, int, float]] | None:
        """All allowed passages that match the expression, scored; None where they are too many."""
        scoring = Scoring(
            phrases=[len(one.unit.phrases) for one in self.ranked],
            idfs=[one.factor for one in self.ranked],
            weights=[one.share for one in self.ranked],
            allowed=self.allowed_bytes,
            mean=self.mean,
        )
        match = self._in_columns(self.everything if expression == self.everything else f"({self.everything} AND {expression})")
        every = score(self.connection, match, scoring, _MAX_SCORED, numbers)
        return scoring.found if every else None

    def _ordered(self, expression: str, k: int) -> list[tuple[float, int, float]]:
        """The best k of very many by FTS5's own BM25, then scored as usual."""
        statement = f"SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY {_BM25} LIMIT ?"
        most = int(4 * k * self.live / len(self.allowed)) + 1
        while True:
            rows = [number for (number,) in self.connection.execute(statement, (self._in_columns(expression), most))]
            kept = [number for number in rows if number < len(self.allowed_bytes) and self.allowed_bytes[number]][:k]
            if len(kept) == k or len(rows) < most:
                return self._scored(self.everything, numbers=np.array(kept, np.int64)) or []
            most *= 8

    def _in_columns(self, match: str) -> str:
        return match if len(self.columns) == len(COLUMNS) else f"{{{' '.join(self.columns)}}} : {match}"


def _counted_units(
    connection: apsw.Connection, parsed: ParsedQuery, live: int, everywhere: Frequencies | None
) -> tuple[dict[Unit, int], dict[Unit, float]]:
    """The units to search for, each with the passages that hold it and how often it counts."""
    fits = everywhere is not None and len(everywhere.counts) == len(parsed.units)  # else a part was folded by other rules
    elsewhere = everywhere.counts if fits and everywhere is not None else (0,) * len(parsed.units)
    counts: dict[Unit, int] = {}
    times: dict[Unit, float] = {}
    for unit, said, count in zip(parsed.units, parsed.times, elsewhere, strict=True):
        known = with_compounds(connection, unit, live)
        meant = known if count else corrected(connection, known)
        times[meant] = times.get(meant, 0.0) + said * (1.0 if meant is known else _CORRECTED)
        counts[meant] = max(count, counts.get(meant, 0))
    own = _counted(connection, list(counts))
    return {unit: count or own[unit] for unit, count in counts.items()}, times


# ---- frequencies -------------------------------------------------------------------------------


def _counted(connection: apsw.Connection, units: Sequence[Unit]) -> dict[Unit, int]:
    """How many passages contain each unit, 0 for unknown ones."""
    counts = _counts(connection, units)
    return {unit: _frequency(connection, unit, counts) for unit in units}


def _rarest_first(counted: Mapping[Unit, int]) -> list[tuple[Unit, int]]:
    """The known units with their counts, rarest first; function words only where there is nothing else."""
    known = [(unit, count) for unit, count in counted.items() if count]
    strong = [(unit, count) for unit, count in known if not unit.weak]
    return sorted(strong or known, key=lambda pair: pair[1])


def _shares(counted: Mapping[Unit, int], live: int) -> dict[Unit, float]:
    """Each unit's share of the query; the shares sum to 1."""
    strong = any(not unit.weak for unit in counted)
    weights = {
        unit: 0.0 if (strong and unit.weak) or (unit.beside and not count) else information(live, count)
        for unit, count in counted.items()
    }
    total = sum(weights.values()) or 1.0
    return {unit: one / total for unit, one in weights.items()}


def _frequency(connection: apsw.Connection, unit: Unit, counts: Mapping[str, int]) -> int:
    if unit.prefix and len(unit.terms) == 1:
        start = unit.terms[0]
        question = "SELECT coalesce(sum(passages), 0) FROM terms WHERE term >= ? AND term < ?"
        return int(connection.execute(question, (start, start + "\U0010ffff")).get) + counts.get(unit.whole, 0)
    terms = unit.terms[:-1] if unit.prefix else unit.terms
    common = counts.get(unit.whole, 0) or min(counts[term] for term in terms)
    return max(common, *(min(counts[term] for term in other) for other in unit.others)) if unit.others else common


def _counts(connection: apsw.Connection, units: Iterable[Unit]) -> dict[str, int]:
    counts = {term: 0 for unit in units for term in (*unit.terms, unit.whole, *chain.from_iterable(unit.others)) if term}
    for term in counts:
        counts[term] = int(connection.execute("SELECT passages FROM terms WHERE term = ?", (term,)).get or 0)
    return counts


# ---- sets of passages ------------------------------------------------------------------------


def _matching(connection: apsw.Connection, match: str) -> NDArray[np.int64]:
    rows = connection.execute("SELECT rowid FROM lexical WHERE lexical MATCH ?", (match,))
    return np.fromiter(chain.from_iterable(rows), np.int64)


def _held_in(found: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A bool per number: whether it is among `found`. Both ascend."""
    if not len(found):
        return np.zeros(len(numbers), np.bool_)
    held: NDArray[np.bool_] = found[np.searchsorted(found, numbers).clip(max=len(found) - 1)] == numbers
    return held
