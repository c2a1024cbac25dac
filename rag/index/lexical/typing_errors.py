"""Reads a word that no passage holds as the word it may be a typing error of: `harbuor` as `harbour`.

Knows the table `terms` and the background list of English words; knows no passages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from string import ascii_lowercase

import apsw

from rag.text.analyzer import stems
from rag.text.idf import background
from rag.text.query_syntax import Unit

_SHORTEST, _LONGEST = 5, 24  # letters: shorter words have too many neighbours, longer ones are not words


def corrected(connection: apsw.Connection, unit: Unit) -> Unit:
    """The unit, or the most common word of the full text one edit away, where the full text does not have the unit's own.

    Only plain words are corrected, and no listed English word: that it is missing is a fact about the corpus. At most 0.5 ms.
    """
    if not _may_be_wrong(unit) or connection.execute("SELECT 1 FROM terms WHERE term = ?", unit.terms).get:
        return unit
    near = neighbours(unit)
    question = f"SELECT term FROM terms WHERE term IN ({','.join('?' * len(near))}) ORDER BY passages DESC, term LIMIT 1"
    found = connection.execute(question, near).get
    return replace(unit, phrases=(f'"{found}"',), terms=(str(found),), inside="") if found else unit


def neighbours(unit: Unit) -> list[str]:
    """The terms that a unit may be read as; none of one that is never corrected."""
    return list(dict.fromkeys(stems(sorted(edits(unit.typed))))) if _may_be_wrong(unit) else []


def _may_be_wrong(unit: Unit) -> bool:
    word = unit.typed
    return _SHORTEST <= len(word) <= _LONGEST and word.isascii() and len(unit.phrases) == 1 and word not in background()


def corrections(connection: apsw.Connection, units: Sequence[Unit]) -> dict[str, str]:
    """The words of a query that are read as others: what was typed, and the word that is searched for instead."""
    found = {}
    for unit in units:
        read = corrected(connection, unit)
        if read is not unit:
            found[unit.typed] = _spelled(unit.typed, read.terms[0])
    return found


def _spelled(typed: str, stem: str) -> str:
    """The word of that stem that is one edit from what was typed, a listed English one if any is."""
    near = [word for word in sorted(edits(typed)) if next(iter(stems([word])), "") == stem]
    return next((word for word in near if word in background()), near[0] if near else stem)


def edits(word: str) -> set[str]:
    """The words one edit away: a letter too many, too few or wrong, or two neighbours swapped (Damerau 1964)."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    found |= {left + right[1:] for left, right in cuts if right}
    found |= {left + letter + right[1:] for left, right in cuts if right for letter in ascii_lowercase}
    found |= {left + letter + right for left, right in cuts for letter in ascii_lowercase}
    return found - {word}
