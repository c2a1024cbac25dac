"""Whether the words of a source bear out what is said of it: quoted words stand in it, or numbers and most other words do.

Knows texts, compared as the full text compares them (`rag.text.folding`); knows no source and no model.
"""

from __future__ import annotations

import re

from rag.text.analyzer import stored_terms
from rag.text.folding import folded
from rag.text.query_syntax import Unit, units_of

SHARE = 0.6  # of the words of a claim that stand in a source which it cites without a quote
LEAST_JOINED = 12  # letters from which a quote may differ in where its words are parted
_ELLIPSIS = re.compile(r"\.{3}|…|\[…\]")
_SIGN = re.compile("[\u2e80-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|\\w+?(?=[\u2e80-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|\\b)")


def contains(text: str, quote: str) -> bool:
    """Whether quoted words stand in a text, side by side and in order; `…` stands for words left out.

    Case, accents, punctuation and line breaks do not count. False for a quote without letters and digits.
    """
    words = tokens(text)
    line, joined = f" {' '.join(words)} ", "".join(words)
    at = at_joined = 0
    parts = [tokens(part) for part in _ELLIPSIS.split(quote)]
    parts = [part for part in parts if part]
    for part in parts:
        run, letters = " ".join(part), "".join(part)
        found = line.find(f" {run} ", at)
        if found >= 0:
            at = found + len(run) + 1
            at_joined = max(at_joined, len(line[: found + 1].replace(" ", "")) + len(letters))
            continue
        found = joined.find(letters, at_joined) if len(letters) >= LEAST_JOINED else -1
        if found < 0:
            return False
        at_joined = found + len(letters)
    return bool(parts)


def bears_out(text: str, claim: str) -> bool:
    """Whether a text holds every number of a claim and at least SHARE of its words, by the rules of the lexical lane.

    False for a claim of function words only.
    """
    units = [unit for unit in units_of(claim) if not unit.weak and not unit.beside]
    terms = frozenset(stored_terms(text))
    held = [unit for unit in units if _holds(terms, unit)]
    numbers = [unit for unit in units if any(letter.isdigit() for term in unit.terms for letter in term)]
    return bool(units) and all(unit in held for unit in numbers) and len(held) >= SHARE * len(units)


def tokens(text: str) -> list[str]:
    """The words of a text, folded; each character of Chinese, Japanese and Korean is one."""
    return _SIGN.findall(folded(text).casefold())


def _holds(terms: frozenset[str], unit: Unit) -> bool:
    ways = (unit.terms, *unit.others)
    return unit.whole in terms or any(all(term in terms for term in way) for way in ways)
