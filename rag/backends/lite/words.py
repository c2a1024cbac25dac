"""Text to the terms and hashed features by which the `lite` models compare it.

Knows words; knows no vector layout and no pictures. The same text gives the same features on every machine and in every process.

A *surface* is a piece of text as written: a word, a number, or a run of a script written without spaces. A *term* is the form in
which surfaces are compared: the stem of a word, a number without separators, one or two characters of Chinese. A *feature* is a
hashed part of a term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from rag.backends.lite.stems import stem
from rag.text.analyzer import spelled_term
from rag.text.folding import cleaned, without_accents
from rag.text.idf import background, rarity
from rag.text.numbers import groups, is_day, readings

REVISION = 3  # of the features: raise it where the same text gives other ones; those of revision 2 can still be asked for

# Scripts treated as written without spaces: CJK, kana, hangul, Thai, Lao, Myanmar, Khmer. Indic marks belong to their letters.
_RUN = (
    r"\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff"
)
_LETTER = rf"(?:[^\W_{_RUN}]|[\u0300-\u036f\u0900-\u0dff])"
_SURFACE = re.compile(
    rf"(?P<run>[{_RUN}]+)"
    r"|[A-Za-z](?:\+\+|#)(?!\w)"  # C++, C#
    r"|\d+(?:\.\d+)+"  # 3.14, 192.168.0.1
    rf"|{_LETTER}+(?:['’]{_LETTER}+)*(?:-[A-Za-z]+)*"  # don't, e-mail, state-of-the-art
)
_PLAIN = re.compile(r"[A-Za-z](?:\+\+|#)(?!\w)|\d+(?:\.\d+)+|[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*(?:-[A-Za-z]+)*")
_GROUPED = re.compile(r"(?<![\d,])\d{1,3}(?:,\d{3})+(?![\d,])")  # of revision 2
_NUMBER = re.compile(r"\d{1,3}\.\d{3}")  # thousands, or three decimals
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.:年](1[0-2]|0?[1-9])(?:[-/.:月](3[01]|[12]\d|0?[1-9])(?!\d)日?|月|(?![-/.:\d]))")
_MONTH = re.compile(r"(?<!\d)(1[0-2]|0?[1-9])月(?:(3[01]|[12]\d|0?[1-9])[日号])?")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\dA-Za-z_]+")
_PARTICLES = frozenset("的了是在和与及或也都就还而但这那个们吗呢吧么啊把被从对于之其很不没有我你他她它请")
_GRAM_LETTERS = 16  # n-grams are taken from the first 16 characters of a word
_LONGEST_COMPOUND = 40  # a longer one is a key or a checksum, not a name
_CACHED = 65_536
WHOLE = 0.8  # weight of the stem itself, in a word of unit length
GRAM = 1.0  # weight of each n-gram, relative to the consonants
SKELETON = 1.5  # weight of its consonants
SINGLE = 0.3  # share of its rarity: a character whose pairs count already
CROSSING, UNLISTED = 0.15, 0.6  # share of its rarity: an unlisted pair, between two listed ones, and elsewhere
COMPOUND = 0.7  # share of their rarity: a compound and its pieces


@dataclass(frozen=True, slots=True)
class Word:
    """The terms of one surface and, for a compound (`e-mail`, `GitHub`, `RTX4090`), the terms of its pieces."""

    terms: tuple[str, ...]  # one for a word; for a run its neighbouring pairs, whose pieces are its characters
    pieces: tuple[str, ...] = ()


def surfaces(text: str, revision: int = REVISION) -> list[str]:
    """The surfaces of a text in order, with compatibility forms folded, and dates in one spelling."""
    if revision == 2:
        return _surfaces_of_revision_2(text)
    text = _DATE.sub(_date_words, cleaned(text))
    if "月" in text:
        text = _MONTH.sub(_month_words, text)
    words = _words_of(text)
    found: list[str] = []
    at = 0
    for start, end in groups(text):
        found += words(text, at, start)
        found += _number_surfaces(text[start:end])
        at = end
    return found + words(text, at, len(text)) if at else words(text, 0, len(text))


def _words_of(text: str) -> Callable[[str, int, int], list[str]]:
    if text.isascii():
        return _PLAIN.findall
    return lambda text, start, end: [found[0] for found in _SURFACE.finditer(text, start, end)]


def _number_surfaces(group: str) -> list[str]:
    """A number in groups: as the words of a date, whole, or its parts where it is several numbers in a row."""
    meant = readings(group)
    if meant and all(is_day(day[0]) for day in meant):
        dates = [(day[:4], _MONTHS[int(day[4:6]) - 1], str(int(day[6:]))) for (day, *_) in meant]
        return list(dict.fromkeys(part for date in dates for part in date))
    if meant or "," in group:
        return [group]
    return group.split() if " " in group else _PLAIN.findall(group)


def _surfaces_of_revision_2(text: str) -> list[str]:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = _MONTH.sub(_month_words, _DATE.sub(_date_words, text)) if "月" in text else _DATE.sub(_date_words, text)
    else:
        text = _DATE.sub(_date_words, text)
    if "," in text:
        text = _GROUPED.sub(lambda found: found[0].replace(",", ""), text)
    if text.isascii():
        return _PLAIN.findall(text)
    return [found[0] for found in _SURFACE.finditer(text)]


def _date_words(found: re.Match[str]) -> str:
    return f" {found[1]} {_MONTHS[int(found[2]) - 1]} {found[3] or ''} "


def _month_words(found: re.Match[str]) -> str:
    return f" {_MONTHS[int(found[1]) - 1]} {found[2] or ''} "


def word(surface: str, revision: int = REVISION) -> Word:
    """The terms of one surface."""
    if is_run(surface):
        pairs = [surface[i : i + 2] for i in range(len(surface) - 1)]
        return Word(terms=tuple(pairs), pieces=tuple(surface)) if pairs else Word(terms=(surface,))
    return _spaced_word(surface, revision)


@lru_cache(maxsize=_CACHED)
def _spaced_word(surface: str, revision: int) -> Word:
    if revision > 2 and not surface.isalpha() and groups(surface) == [(0, len(surface))]:
        return _number(surface)
    bare = surface.replace("’", "'").removesuffix("'s")
    parts = bare.split("-")
    if len(parts) > 2:
        return Word(terms=tuple(_term(part, revision) for part in parts))
    mixed = "-" in bare or not (bare.islower() or bare.istitle()) or (any(map(str.isdecimal, bare)) and not bare.isdecimal())
    pieces = _PIECE.findall(bare) if mixed and bare.isascii() and len(bare) <= _LONGEST_COMPOUND else []
    if len(pieces) < 2:
        pieces = [spelled] if revision > 2 and not bare.isascii() and (spelled := spelled_term(bare)) else []
    return Word(terms=(_term(bare, revision),), pieces=tuple(_term(piece, revision) for piece in pieces))


def _number(group: str) -> Word:
    """A number in groups: as one term; its pieces are the other number that it may mean, or those it may be a row of."""
    [first, *_] = readings(group) or ((*group.split(","),),)
    whole = ".".join(first)
    if _NUMBER.fullmatch(group):
        return Word(terms=(group,), pieces=(whole,))
    pieces = first if len(first) > 1 else group.split() if " " in group else ()
    return Word(terms=(whole,), pieces=tuple(_term(piece, REVISION) for each in pieces for piece in _PIECE.findall(each)))


def is_run(surface: str) -> bool:
    """Whether the surface is in a script written without spaces."""
    return ord(surface[0]) > 0xDFF and _SURFACE.match(surface)["run"] is not None  # type: ignore[index]


def _term(surface: str, revision: int) -> str:
    """A word without case, accents, apostrophes and inflection; a number without leading zeros."""
    bare = surface.replace("'", "").replace("-", "")
    if revision > 2:
        folded = without_accents(bare).casefold()
    else:
        folded = bare.casefold()
        if not folded.isascii():
            folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c)) or folded
    if folded.isdecimal():
        return folded.lstrip("0") or "0"
    return stem(folded) or surface


def placed(text: str) -> dict[str, list[int]]:
    """The terms of a text with their positions, counted in words from 0. The pieces of a compound have its position.

    A Chinese run gives its pairs only, one position each, unless it is a single character.
    """
    found: dict[str, list[int]] = {}
    place = 0
    for surface in surfaces(text):
        meant = word(surface)
        for term in meant.terms:
            found.setdefault(term, []).append(place)
            place += 1
        if meant.pieces and not is_run(surface):
            for term in meant.pieces:
                found.setdefault(term, []).append(place - 1)
    return found


def features(term: str) -> tuple[list[int], list[float]]:
    """The 32-bit hashes and the weights of a term's features; the squares of the weights sum to 1.

    A number, a character or a pair is one feature. A word has its stem, its n-grams of 3 to 5 characters with the ends marked
    (for inflections, compounds and typos), and its consonants (for transposed or wrong vowels).
    """
    whole = crc32(b"w" + term.encode())
    if len(term) < 3 or not term[0].isalpha() or ord(term[0]) > 0xDFF:
        return [whole], [1.0]
    marked = f"<{term[:_GRAM_LETTERS]}>"
    parts = {crc32(b"g" + marked[i : i + n].encode()): GRAM for n in (3, 4, 5) for i in range(len(marked) - n + 1)}
    skeleton = term[0] + "".join(c for c in term[1:] if c not in "aeiouy")
    if len(skeleton) > 2:
        parts[crc32(b"c" + skeleton.encode())] = SKELETON
    scale = sum(weight * weight for weight in parts.values()) ** 0.5
    rest = (1.0 - WHOLE * WHOLE) ** 0.5 / scale
    return [whole, *parts], [WHOLE, *(weight * rest for weight in parts.values())]


def is_unlisted_pair(term: str) -> bool:
    """Whether the term is a pair of characters from a run that is not a listed word."""
    return len(term) == 2 and term not in background() and is_run(term)


def shares(run: Word) -> list[float]:
    """The share of its rarity that each term of a run counts.

    An unlisted pair between two listed ones, or with a particle, joins the end of one word to the start of the next. Any other
    unlisted pair may be a name.
    """
    listed = [term in background() for term in run.terms]
    if len(listed) == 1:
        return [1.0]
    return [
        1.0 if here else CROSSING if (before and after) or not _PARTICLES.isdisjoint(pair) else UNLISTED
        for pair, before, here, after in zip(run.terms, [False, *listed], listed, [*listed[1:], False], strict=False)
    ]


def weighted(surface: str, revision: int = REVISION) -> tuple[tuple[str, float], ...]:
    """The terms of a surface with their weights: the rarity of each, reduced where they repeat one another."""
    if is_run(surface):
        meant = word(surface)
        pairs = ((term, share * rarity(term)) for term, share in zip(meant.terms, shares(meant), strict=True))
        return (*pairs, *((term, SINGLE * rarity(term)) for term in meant.pieces))
    return _spaced_weights(surface, revision)


@lru_cache(maxsize=_CACHED)
def _spaced_weights(surface: str, revision: int) -> tuple[tuple[str, float], ...]:
    meant = _spaced_word(surface, revision)
    share = COMPOUND if meant.pieces else 1.0
    return tuple((term, share * rarity(term)) for term in (*meant.terms, *meant.pieces))
