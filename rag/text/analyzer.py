"""Splits text into the terms of the full text, in the same way for documents and for queries.

Knows no SQL and no query syntax. A change that gives other terms for the same text must raise `folding.REVISION`.

    Harbour Cranes           harbour crane              folded to lower case, accents off, Porter stems
    INV-4421                 inv 4421 · inv4421         a compound: its parts in place, the whole after the end of the text
    parseHTTPRequest_v2      pars http request v 2 · parsehttprequestv2
    12.345,60                12345 60                   a number in groups: whole, then its decimals
    98 765                   98 765 · 98765             two numbers, or one: the parts in place, what they may mean after the end
    Brücke                   bruck · brueck             an umlaut: without it in place, as two letters after the end
    北京大学                  北京 京大 大学 学            scripts without spaces: pairs of characters, and the last one alone
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import apsw

from rag.text.folding import REVISION, cleaned, spelled_out, without_accents
from rag.text.numbers import groups, readings, settled

_MAX_TERM = 64  # characters of a term: longer ones (encoded data) are cut, here and in queries alike

# Han, kana, Hangul, bopomofo; Thai, Lao, Burmese, Khmer
_PAIRED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Indian scripts: `re` does not count their vowel signs as word characters, which would split words.
_LETTER = rf"[^\W_{_PAIRED}]|[\u0900-\u0963\u0966-\u0dff]"
_WORD = rf"(?:{_LETTER})+"
_ASCII_RUN = re.compile(r"[A-Za-z0-9]+(?:(?:[-.']|_+)[A-Za-z0-9]+)*")  # the same where a text is ASCII, twice as fast
_ASCII_CHUNK = re.compile(r"[A-Za-z0-9]+")
_PAIRS = re.compile(f"[{_PAIRED}]")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\D)(?=\d)|(?<=\d)(?=\D)")
_MARKS_OF_REVISION_1 = re.compile(r"[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u064b-\u0652\u0670]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_POSSESSIVE = re.compile(r"['’][sS]$")
_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Compound:
    """One word as written, one number with its groups, or one run of a script without spaces."""

    parts: tuple[str, ...]  # its terms, in place
    whole: str = ""  # the parts as one term; "" where there is only one part, or a dot between them
    paired: bool = False  # the parts are pairs of characters
    others: tuple[tuple[str, ...], ...] = ()  # what else it may be written as: terms side by side
    loose: bool = False  # its parts are words of their own, which only look like a number in groups
    hyphenated: bool = False  # plain words joined by hyphens: `hidden-line`, but not `re16-tgk`, `hiddenLine` or `hidden_line`


def compounds(text: str, revision: int = REVISION) -> Iterator[Compound]:
    """The words of a text, in order, not yet stemmed. `revision`: that of the folding by which an index was made."""
    if revision == 1:
        for run in _run().findall(_plain_of_revision_1(text)):
            yield _compound(run)
        return
    text = cleaned(text)
    words = _words_of(text)
    at = 0
    for start, end in (*groups(text), (len(text), len(text))):
        yield from map(_meant, words.findall(text, at, start))
        if start < end:
            yield _number(text[start:end])
        at = end


def placed_terms(text: str) -> Iterator[tuple[str, int, int, int]]:
    """The stems of the parts of a `folded` text, as in `compounds`: (stem, start, end, number of its compound)."""
    words = _words_of(text)
    number = at = 0
    for start, end in (*groups(text), (len(text), len(text))):
        for run in words.finditer(text, at, start):
            first, written = run.start(), run[0]
            for term, begin, stop in _known_places(written) if len(written) <= _MAX_TERM else _places_of(written):
                yield term, first + begin, first + stop, number
            number += 1
        for term, begin, stop in _stemmed(list(_placed_number(text[start:end]))):
            yield term, start + begin, start + stop, number
        number += 1
        at = end


def stored_terms(text: str) -> list[str]:
    """The terms that the index stores for a text: parts in order, then whole compounds (so that phrases stay adjacent)."""
    text = cleaned(text)
    words = _words_of(text)
    parts: list[str] = []
    beside: list[str] = []
    at = 0
    for start, end in groups(text):
        _add_terms(words.findall(text, at, start), parts, beside)
        here, whole = _known_number(text[start:end])
        parts += here
        beside += whole
        at = end
    _add_terms(words.findall(text, at), parts, beside)
    return parts + beside


# Patterns over all scripts take 5 ms each to compile, which a run of ASCII words does not need.


@cache
def _run() -> re.Pattern[str]:
    return re.compile(rf"[{_PAIRED}]+|{_WORD}(?:(?:[-.'’]|_+){_WORD})*")


@cache
def _chunk() -> re.Pattern[str]:
    return re.compile(_WORD)


def _words_of(text: str) -> re.Pattern[str]:
    return _ASCII_RUN if text.isascii() else _run()


def _add_terms(runs: list[str], parts: list[str], beside: list[str]) -> None:
    for run in runs:
        here, whole = _known_terms(run) if len(run) <= _MAX_TERM else _run_terms(run)
        parts += here
        if whole:
            beside += whole


def _run_terms(run: str) -> tuple[list[str], list[str]]:
    return _terms_of(_meant(run))


def _number_terms(group: str) -> tuple[list[str], list[str]]:
    return _terms_of(_number(group))


def _terms_of(compound: Compound) -> tuple[list[str], list[str]]:
    """Its terms in place, and those after the end of the text."""
    beside = [compound.whole] if compound.whole else []
    return stems(list(compound.parts)), stems(beside + [term for other in compound.others for term in other])


def stems(terms: list[str]) -> list[str]:
    """Porter stems, one for each term, by SQLite's own tokenizer; scripts other than Latin pass unchanged."""
    if not terms:
        return []
    if not hasattr(_thread, "porter"):
        _thread.connection = apsw.Connection(":memory:")
        _thread.porter = _thread.connection.fts5_tokenizer("porter", ["ascii"])
    joined = " ".join(terms).encode()
    found = _thread.porter(joined, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False)
    return list(found)


def _meant(run: str) -> Compound:
    """The compound of a run of a `cleaned` text, with the other ways to write it."""
    found = _compound(without_accents(run))
    if run.isascii():
        return found
    spelled = [term for word in _LETTERS.findall(run) if (term := spelled_term(word))]
    return Compound(found.parts, found.whole, found.paired, tuple((term,) for term in spelled)) if spelled else found


def _number(group: str) -> Compound:
    """The compound of a number in groups."""
    if sum_of := settled(group):
        return Compound(tuple(part[:_MAX_TERM] for part in sum_of))
    found = _compound(group)
    others = readings(group)
    apart = not group.replace("-", "").isalnum()
    return Compound(found.parts, "" if apart else found.whole, others=others, loose=" " in group and not others)


def spelled_term(word: str) -> str:
    """The term of a `cleaned` word with its umlauts as two letters: `brücke` → `bruecke`; "" where it has none."""
    return spelled_out(word).casefold()[:_MAX_TERM]


def _compound(run: str) -> Compound:
    parts = tuple(part for part, _, _ in _placed(run))
    if _PAIRS.match(run):
        return Compound(parts, paired=True)
    whole = "".join(parts)[:_MAX_TERM] if len(parts) > 1 and "." not in run else ""
    return Compound(parts, whole, hyphenated=len(parts) > 1 and tuple(run.casefold().split("-")) == parts)


def _placed(run: str) -> Iterator[tuple[str, int, int]]:
    """The parts of a run as (part, start, end); pairs of characters overlap."""
    if _PAIRS.match(run):
        for at in range(len(run) - 1):
            yield run[at : at + 2], at, at + 2
        yield run[-1], len(run) - 1, len(run)
        return
    for chunk in (_ASCII_CHUNK if run.isascii() else _chunk()).finditer(_POSSESSIVE.sub("", run)):
        at = chunk.start()
        for part in _humps(chunk.group()):
            yield part.casefold()[:_MAX_TERM], at, at + len(part)
            at += len(part)


def _placed_number(group: str) -> Iterator[tuple[str, int, int]]:
    sum_of = settled(group)
    if not sum_of:
        yield from _placed(group)
        return
    end = len(group) - len(sum_of[1]) - 1 if len(sum_of) > 1 else len(group)
    yield sum_of[0][:_MAX_TERM], 0, end
    if len(sum_of) > 1:
        yield sum_of[1], end + 1, len(group)


def _places_of(run: str) -> tuple[tuple[str, int, int], ...]:
    """The stem of each part of a run, with its start and end there."""
    return _stemmed(list(_placed(run)))


def _stemmed(placed: list[tuple[str, int, int]]) -> tuple[tuple[str, int, int], ...]:
    found = stems([part for part, _, _ in placed])
    return tuple((term, start, end) for term, (_, start, end) in zip(found, placed, strict=True))


_known_terms = lru_cache(maxsize=1 << 16)(_run_terms)  # a few words make up most of every text
_known_places = lru_cache(maxsize=1 << 14)(_places_of)
_known_number = lru_cache(maxsize=1 << 12)(_number_terms)


def _plain_of_revision_1(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.encode("utf-8", "replace").decode())
    return unicodedata.normalize("NFC", _MARKS_OF_REVISION_1.sub("", decomposed))


def _humps(chunk: str) -> list[str]:
    """`parseHTTPRequest2` → parse, HTTP, Request, 2."""
    whole = chunk.isdigit() or (chunk.isalpha() and (chunk.islower() or chunk[1:].islower()))
    return [chunk] if whole else _HUMP.split(chunk)
