"""Finds where the words of a query match in a text, by the rules of the lexical lane.

Knows terms and queries, folded as in the index; knows no catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rag.text.analyzer import placed_terms, spelled_term, stems
from rag.text.folding import cleaned, folded
from rag.text.german import holds
from rag.text.numbers import groups, readings
from rag.text.query_syntax import Unit, alone, understand

LONGEST_TEXT = 200_000  # code points; nothing beyond is marked
_CLUSTER = re.compile(  # a character with its combining marks; or a Hangul syllable spelled in letters
    r"[\u1100-\u115f][\u1160-\u11a7]?[\u11a8-\u11ff]?"
    r"|.[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u064b-\u0652\u0670\u3099\u309a]*",
    re.DOTALL,
)


class _Place(NamedTuple):
    term: str  # its stem
    start: int  # in the text as given
    end: int
    run: int  # number of its compound: the word as written, or the run of a script without spaces
    spelled: str = ""  # its stem with its umlauts as two letters


class _Number(NamedTuple):
    meant: frozenset[tuple[str, ...]]  # what a number in groups may mean
    start: int
    end: int


class _Text(NamedTuple):
    places: list[_Place]
    numbers: list[_Number]
    held: Mapping[str, Sequence[int]]  # by stem, however spelled: positions in `places`, ascending


def marks(text: str, query: str) -> list[tuple[int, int]]:
    """The spans (start, end) of `text`, in code points, that the words of `query` match: ascending, with gaps between them.

    Stems, accents, case, compounds, pairs of Chinese characters and quoted phrases match as in the lexical lane. As there,
    function words ("the", "of") count only in a query that has no other words.
    """
    parsed = understand(query[:LONGEST_TEXT])
    strong = [unit for unit in parsed.units if not unit.weak] or list(parsed.units)
    words = _read(text[:LONGEST_TEXT])
    found = [span for unit in strong for span in _spans(unit, words)]
    if not found:  # no phrase matches: mark its words one by one, as the lane does
        found = [span for unit in strong if unit.quoted for each in alone(unit) for span in _spans(each, words)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _spans(unit: Unit, text: _Text) -> Iterator[tuple[int, int]]:
    places = text.places
    if unit.prefix and len(unit.terms) == 1:
        for place in places:
            if (place.term.startswith(unit.terms[0]) or place.term == unit.whole) and place.end > place.start:
                yield place.start, place.end if len(unit.terms[0]) > 1 else place.start + 1
        return
    for first, *rest in (unit.terms, *unit.others):
        for at in text.held.get(first, ()):
            side_by_side = places[at + 1 : at + 1 + len(rest)]
            if len(side_by_side) == len(rest) and all(
                term in (place.term, place.spelled) for term, place in zip(rest, side_by_side, strict=True)
            ):
                yield places[at].start, places[at + len(rest)].end
    wanted = {unit.terms, (unit.whole,), *unit.others}
    yield from ((number.start, number.end) for number in text.numbers if not number.meant.isdisjoint(wanted))
    for whole in (unit.whole, *(other[0] for other in unit.others if len(other) == 1)):
        if whole:
            yield from _compound_spans(whole, places)
    if unit.inside:
        compounds = [term for term in text.held if unit.inside in term and holds(term, unit.inside)]
        yield from ((places[at].start, places[at].end) for term in compounds for at in text.held[term] if places[at].term == term)


def _compound_spans(whole: str, places: list[_Place]) -> Iterator[tuple[int, int]]:
    """Compounds joined or split differently than in the query: `inv4421` for `INV-4421`."""
    for at, place in enumerate(places):
        joined = ""
        for other in places[at : at + len(whole)]:
            if other.run != place.run or not whole.startswith(joined):
                break
            joined += other.term
            if joined == whole:
                yield place.start, other.end
                break


def _read(text: str) -> _Text:
    """The terms of a text with their places, and its numbers in groups."""
    plain, starts, ends = _folded(text)
    places = []
    held: dict[str, list[int]] = {}
    for at, (term, start, end, run) in enumerate(placed_terms(plain)):
        first, last = starts[start], ends[end - 1]
        written = text[first:last]
        spelled = "" if written.isascii() else _spelled(written)
        places.append(_Place(term, first, last, run, spelled))
        held.setdefault(term, []).append(at)
        if spelled and spelled != term:
            held.setdefault(spelled, []).append(at)
    numbers = [_Number(frozenset(readings(plain[start:end])), starts[start], ends[end - 1]) for start, end in groups(plain)]
    return _Text(places, numbers, held)


_folded_cluster = lru_cache(maxsize=1 << 14)(folded)


@lru_cache(maxsize=1 << 14)
def _spelled(written: str) -> str:
    """The stem of a word with its umlauts as two letters; "" where it has none."""
    spelled = spelled_term(cleaned(written))
    return stems([spelled])[0] if spelled else ""


def _folded(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """The text folded as in the index, and where each folded character starts and ends in the original."""
    if text.isascii():
        return text, range(len(text)), range(1, len(text) + 1)
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        part = _folded_cluster(cluster[0])
        parts.append(part)
        starts += [cluster.start()] * len(part)
        ends += [cluster.end()] * len(part)
    return "".join(parts), starts, ends
