"""Scores how well a text matches the words of a query: coverage, closeness, order and frequency.

Knows words; knows no pixels: the caller says which attributes a picture shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.backends.lite.attributes import picture_spans, spans
from rag.backends.lite.spelling import distance
from rag.backends.lite.words import is_run, is_unlisted_pair, placed, shares, surfaces, word
from rag.text.emoji import spelled
from rag.text.folding import cleaned
from rag.text.german import holds, may_be_part
from rag.text.idf import background, rarity

FADES_BELOW = 3.0  # nats: a more common word counts less than its rarity
PICTURE_WORD = 0.3  # share of its rarity: "picture", "photo", 图片
UNSEEN_SHARE = 0.5  # of an unmatched word's weight, for a picture without words that could hold it
APART = 0.9  # credit for a compound whose pieces all occur separately: `key error` for `KeyError`
ONE_EDIT, TWO_EDITS, RELATED = 0.9, 0.7, 0.6  # credit for a word that nearly matches
WITHIN = 0.75  # credit for a word that is part of a compound: `Vertrag` in `Mietvertrag`
CHARACTERS = 0.5  # credit for an unlisted pair of characters that occur separately
_PICTURE = "picture"
_SHORTEST, _LONGEST = 4, 32  # letters of words that are matched approximately
COVERAGE_POWER = 1.5  # half the coverage is worth a third
INEXACT = 0.05  # of the score, lost if no identifier occurs as written
_IDENTIFIER = re.compile(r"(?<!\S)(?=\S*\d)(?=\S*[^\W\d_])\w+(?:[-_./]\w+)+")
COVERED, CLOSE, ORDERED, FREQUENT = 0.83, 0.07, 0.05, 0.05  # shares of the score of a full match


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing a query asks for."""

    terms: tuple[str, ...]  # one term, or those of the words that name an attribute
    weight: float
    pieces: tuple[str, ...] = ()  # these together satisfy it as well
    attribute: str = ""  # so does this attribute, seen in the picture
    picture: bool = False  # so does any picture


@dataclass(frozen=True, slots=True)
class Match:
    """How far one ask is satisfied, 0…1, and where, in word positions."""

    credit: float
    places: list[int]


_NOTHING = Match(0.0, [])


def asks(text: str) -> list[Ask]:
    """What a query asks for, in order, without repetitions."""
    attributes = spans(text)
    taken = [(start, end) for _, start, end in attributes]
    pictures = [(_PICTURE, start, end) for start, end in picture_spans(text) if not any(start < b and a < end for a, b in taken)]
    found: list[Ask] = []
    last = 0
    for name, start, end in sorted(attributes + pictures, key=lambda mark: mark[1]):
        found.extend(_word_asks(text[last:start]))
        terms = tuple(term for surface in surfaces(text[start:end]) for term in word(surface).terms)
        weight = sum(map(_weight, terms))
        if terms and name == _PICTURE:
            found.append(Ask(terms, PICTURE_WORD * weight, picture=True))
        elif terms:
            found.append(Ask(terms, weight, attribute=name))
        last = end
    found.extend(_word_asks(text[last:]))
    return list(dict.fromkeys(found))


def identifiers(text: str) -> list[re.Pattern[str]]:
    """A pattern for each identifier in a query that matches it exactly as written: `INV-4421`, `berth_7.sql`."""
    return [re.compile(rf"(?<!\w){re.escape(each)}(?!\w)", re.IGNORECASE) for each in _IDENTIFIER.findall(text)]


def exactness(asked: list[re.Pattern[str]], text: str) -> float:
    """1 if the text holds every identifier exactly as written, 0.95 if it holds none (though perhaps their words, separately)."""
    missing = sum(pattern.search(text) is None for pattern in asked)
    return 1.0 - INEXACT * missing / len(asked) if asked else 1.0


def _word_asks(text: str) -> list[Ask]:
    found: list[Ask] = []
    for surface in surfaces(spelled(text)):
        meant = word(surface)
        pieces = () if is_run(surface) else meant.pieces
        parts = shares(meant) if is_run(surface) else [1.0] * len(meant.terms)
        found.extend(Ask((term,), part * _weight(term), pieces) for term, part in zip(meant.terms, parts, strict=True))
    return found


def _weight(term: str) -> float:
    rare = rarity(term)
    return rare * min(1.0, rare / FADES_BELOW) ** 2


def match(asked: list[Ask], text: str, shown: Mapping[str, float] | None = None) -> float:
    """How well a text answers, 0…1: coverage^1.5 × (0.83 + 0.07 closeness + 0.05 order + 0.05 frequency).

    coverage    weight found / weight asked for
    closeness   √(asks found / words in the shortest stretch that holds them)
    order       share of neighbouring asks found side by side in the same order
    frequency   mean of n / (n + 1) over the asks found, where n is how often each occurs

    `shown`: for a picture, the strength 0…1 of each attribute it shows; None for a text.
    """
    text = cleaned(spelled(text))
    here = placed(text)
    found = [_find(ask, here, text, shown) for ask in asked]
    lost = UNSEEN_SHARE if shown is not None and not here else 1.0
    gained = sum(ask.weight * one.credit for ask, one in zip(asked, found, strict=True))
    missed = sum(ask.weight * (1.0 - one.credit) for ask, one in zip(asked, found, strict=True))
    if gained <= 0.0:
        return 0.0
    coverage = gained / (gained + lost * missed)
    places = [one.places for one in found if one.places]
    frequency = sum(len(each) / (len(each) + 1) for each in places) / len(places) if places else 0.0
    return float(coverage**COVERAGE_POWER) * (
        COVERED + CLOSE * _closeness(places) + ORDERED * _order(found) + FREQUENT * frequency
    )


def _find(ask: Ask, here: Mapping[str, list[int]], text: str, shown: Mapping[str, float] | None) -> Match:
    """The best match among the terms themselves, what the picture shows, the pieces, a similar word, and single characters."""
    if ask.picture and shown is not None:
        return Match(1.0, [])
    if all(term in here for term in ask.terms):
        return Match(1.0, [place for term in ask.terms for place in here[term]])
    seen = shown.get(ask.attribute, 0.0) if shown is not None else 0.0
    ways = (Match(seen, []), _pieces(ask, here), _similar_word(ask.terms[0], here), _characters(ask.terms[0], text))
    return max(ways, key=lambda found: found.credit)


def _pieces(ask: Ask, here: Mapping[str, list[int]]) -> Match:
    """A compound by its pieces, if more than half of them, by weight, occur."""
    whole = sum(map(_weight, ask.pieces))
    held = [piece for piece in ask.pieces if piece in here]
    part = sum(map(_weight, held)) / whole if whole else 0.0
    return Match(APART * part, [place for piece in held for place in here[piece]]) if part > 0.5 else _NOTHING


def _similar_word(asked: str, here: Mapping[str, list[int]]) -> Match:
    if len(asked) < _SHORTEST:
        return _NOTHING
    credit, term = max(((_similarity(asked, term), term) for term in here), default=(0.0, ""))
    return Match(credit, here[term]) if credit else _NOTHING


def _characters(asked: str, text: str) -> Match:
    """A single character inside a longer run, or the two characters of an unlisted pair, occurring separately."""
    if asked[0] not in text or not is_run(asked):
        return _NOTHING
    if len(asked) == 1:
        return Match(1.0, [])
    return Match(CHARACTERS, []) if is_unlisted_pair(asked) and asked[1] in text else _NOTHING


@lru_cache(maxsize=65_536)
def _similarity(asked: str, term: str) -> float:
    """Credit for another word: a typing or recognition error of one or two letters, or a word of the same family.

    If both are listed words, a difference of a letter is not an error: "form" is not "from".
    """
    if not all(_SHORTEST <= len(each) <= _LONGEST and each.isalpha() for each in (asked, term)):
        return 0.0
    prefix = next((i for i, (a, b) in enumerate(zip(asked, term, strict=False)) if a != b), min(len(asked), len(term)))
    longer = max(len(asked), len(term))
    family = RELATED if (prefix >= 5 and prefix >= 0.6 * longer) or (prefix >= 7 and prefix >= 0.55 * longer) else 0.0
    if may_be_part(asked) and holds(term, asked):
        return WITHIN
    limit = 2 if min(len(asked), len(term)) >= 8 else 1
    listed = background()
    if (asked in listed and term in listed) or len(set(asked) ^ set(term)) > 2 * limit:
        return family
    edits = distance(asked, term, limit)
    return max(family, ONE_EDIT if edits == 1 else TWO_EDITS if edits == 2 <= limit else 0.0)


def _closeness(places: list[list[int]]) -> float:
    """√(asks / words in the shortest stretch that holds one place of each); 1 for a single ask found, 0 for none."""
    if len(places) < 2:
        return float(len(places))
    marks = sorted((place, which) for which, each in enumerate(places) for place in each)
    counts = [0] * len(places)
    missing, first, shortest = len(places), 0, marks[-1][0] - marks[0][0] + 1
    for place, which in marks:
        missing -= counts[which] == 0
        counts[which] += 1
        while missing == 0:
            start, leaving = marks[first]
            shortest = min(shortest, place - start + 1)
            counts[leaving] -= 1
            missing += counts[leaving] == 0
            first += 1
    return float(min(1.0, len(places) / max(1, shortest)) ** 0.5)


def _order(found: list[Match]) -> float:
    """Share of neighbouring asks found side by side in the same order; 1 for a single ask that was found."""
    if len(found) == 1:
        return float(bool(found[0].places))
    beside = sum(not {place + 1 for place in one.places}.isdisjoint(other.places) for one, other in pairwise(found))
    return beside / (len(found) - 1) if len(found) > 1 else 0.0
