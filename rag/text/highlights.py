"""Finds where the words of a query match in a text, by the rules of the lexical lane.

Knows terms and queries, folded as in the index; knows no catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag.text.analyzer import placed_parts, plain, stems
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


def marks(text: str, query: str) -> list[tuple[int, int]]:
    """The spans (start, end) of `text`, in code points, that the words of `query` match: ascending, with gaps between them.

    Stems, accents, case, compounds, pairs of Chinese characters and quoted phrases match as in the lexical lane. As there,
    function words ("the", "of") count only in a query that has no other words.
    """
    parsed = understand(query[:LONGEST_TEXT])
    strong = [unit for unit in parsed.units if not unit.weak] or list(parsed.units)
    places = list(_places(text[:LONGEST_TEXT]))
    found = [span for unit in strong for span in _spans(unit, places)]
    if not found:  # no phrase matches: mark its words one by one, as the lane does
        found = [span for unit in strong if unit.quoted for each in alone(unit) for span in _spans(each, places)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _spans(unit: Unit, places: list[_Place]) -> Iterator[tuple[int, int]]:
    if unit.prefix and len(unit.terms) == 1:
        for place in places:
            if (place.term.startswith(unit.terms[0]) or place.term == unit.whole) and place.end > place.start:
                yield place.start, place.end if len(unit.terms[0]) > 1 else place.start + 1
        return
    length = len(unit.terms)
    for at in range(len(places) - length + 1):
        if places[at].term == unit.terms[0] and all(places[at + n].term == term for n, term in enumerate(unit.terms)):
            yield places[at].start, places[at + length - 1].end
    if unit.whole:
        yield from _compound_spans(unit.whole, places)


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


def _places(text: str) -> Iterator[_Place]:
    """The terms of a text with their places."""
    folded, starts, ends = _folded(text)
    found = list(placed_parts(folded))
    for term, (_, start, end, run) in zip(stems([part for part, *_ in found]), found, strict=True):
        yield _Place(term, starts[start], ends[end - 1], run)


def _folded(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """The text folded as in the index, and where each folded character starts and ends in the original."""
    if text.isascii():
        return text, range(len(text)), range(1, len(text) + 1)
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        part = plain(cluster.group())
        parts.append(part)
        starts += [cluster.start()] * len(part)
        ends += [cluster.end()] * len(part)
    return "".join(parts), starts, ends
