"""Splits text into the terms of the full text, in the same way for documents and for queries.

Knows no SQL and no query syntax. A change that gives other terms for the same text must raise the catalog's format number.

    Harbour Cranes           harbour crane              folded to lower case, accents off, Porter stems
    INV-4421                 inv 4421 · inv4421         a compound: its parts in place, the whole after the end of the text
    parseHTTPRequest_v2      pars http request v 2 · parsehttprequestv2
    北京大学                  北京 京大 大学 学            scripts without spaces: pairs of characters, and the last one alone
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import apsw

_MAX_TERM = 64  # characters of a term: longer ones (encoded data) are cut, here and in queries alike

# Han, kana, Hangul, bopomofo; Thai, Lao, Burmese, Khmer
_PAIRED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Indian scripts: `re` does not count their vowel signs as word characters, which would split words.
_LETTER = rf"[^\W_{_PAIRED}]|[\u0900-\u0963\u0966-\u0dff]"
_WORD = rf"(?:{_LETTER})+"
_RUN = re.compile(rf"[{_PAIRED}]+|{_WORD}(?:(?:[-.'’]|_+){_WORD})*")
_PAIRS = re.compile(f"[{_PAIRED}]")
_CHUNK = re.compile(_WORD)
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\D)(?=\d)|(?<=\d)(?=\D)")
_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u064b-\u0652\u0670]+")
_POSSESSIVE = re.compile(r"['’][sS]$")
_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Compound:
    """One word as written, or one run of a script without spaces."""

    parts: tuple[str, ...]  # its terms, in place
    whole: str = ""  # the parts as one term; "" where there is only one part, or a dot between them
    paired: bool = False  # the parts are pairs of characters


def compounds(text: str) -> Iterator[Compound]:
    """The words of a text, in order, not yet stemmed."""
    for run in _RUN.findall(plain(text)):
        yield _known_compound(run) if len(run) <= _MAX_TERM else _compound(run)


def placed_parts(folded: str) -> Iterator[tuple[str, int, int, int]]:
    """The unstemmed parts of a text that `plain` folded, as in `compounds`: (part, start, end, number of its compound)."""
    for number, run in enumerate(_RUN.finditer(folded)):
        for part, start, end in _placed(run.group()):
            yield part, run.start() + start, run.start() + end, number


def stored_terms(text: str) -> list[str]:
    """The terms that the index stores for a text: parts in order, then whole compounds (so that phrases stay adjacent)."""
    parts: list[str] = []
    wholes: list[str] = []
    for compound in compounds(text):
        parts.extend(compound.parts)
        if compound.whole:
            wholes.append(compound.whole)
    return stems(parts + wholes)


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


def _compound(run: str) -> Compound:
    parts = tuple(part for part, _, _ in _placed(run))
    if _PAIRS.match(run):
        return Compound(parts, paired=True)
    return Compound(parts, "".join(parts)[:_MAX_TERM] if len(parts) > 1 and "." not in run else "")


def _placed(run: str) -> Iterator[tuple[str, int, int]]:
    """The parts of a run as (part, start, end); pairs of characters overlap."""
    if _PAIRS.match(run):
        for at in range(len(run) - 1):
            yield run[at : at + 2], at, at + 2
        yield run[-1], len(run) - 1, len(run)
        return
    for chunk in _CHUNK.finditer(_POSSESSIVE.sub("", run)):
        at = chunk.start()
        for part in _humps(chunk.group()):
            yield part.casefold()[:_MAX_TERM], at, at + len(part)
            at += len(part)


_known_compound = lru_cache(maxsize=1 << 16)(_compound)  # a few words make up most of every text


def plain(text: str) -> str:
    """Compatibility forms (full-width letters, ligatures) unified and accents removed; case stays: it splits words."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.encode("utf-8", "replace").decode())
    return unicodedata.normalize("NFC", _MARKS.sub("", decomposed))


def _humps(chunk: str) -> list[str]:
    """`parseHTTPRequest2` → parse, HTTP, Request, 2."""
    whole = chunk.isdigit() or (chunk.isalpha() and (chunk.islower() or chunk[1:].islower()))
    return [chunk] if whole else _HUMP.split(chunk)
