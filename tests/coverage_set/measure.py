"""The share of the words of a document that a text holds, in reading order.

Knows words; knows no reader. White space, case, punctuation and marks of a notation count for nothing; Chinese and Japanese
have no spaces and count by the character.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict

from tests.coverage_set.sample import Sample

_TOKEN = re.compile(r"[぀-ヿ㐀-鿿]|[^\W_぀-ヿ㐀-鿿]+")
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))  # soft hyphens, marks of direction


def tokens(text: str) -> list[str]:
    """The words of a text, folded: compatibility forms, case."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text.translate(_UNSEEN)).casefold())


def held_and_wanted(sample: Sample, text: str) -> tuple[int, int]:
    """How many of the words of a document a text holds in their order, and how many there are."""
    found = tokens(text)
    parts = [tokens(part) for part in (sample.words, *sample.beside)]
    return sum(in_order(part, found) for part in parts), sum(map(len, parts))


def in_order(wanted: list[str], found: list[str]) -> int:
    """The length of the longest common subsequence, by Hunt and Szymanski: as the longest rise in the places of the words."""
    places = defaultdict[str, list[int]](list)
    for place, word in enumerate(found):
        places[word].append(place)
    ends: list[int] = []  # the least place at which a common subsequence of this length, less one, ends
    for word in wanted:
        for place in reversed(places.get(word, ())):
            at = bisect_left(ends, place)
            ends[at : at + 1] = [place]
    return len(ends)
