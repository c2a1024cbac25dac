"""Adds to a unit of a query the compounds of the full text that hold its word: `mietvertrag` for `Vertrag`.

Knows the table `terms`; knows no passages. What a compound is, `rag.text.german` decides.
"""

from __future__ import annotations

from dataclasses import replace

import apsw

from rag.text.german import holds
from rag.text.query_syntax import Unit

_MOST = 24  # compounds of one unit: the most common ones
_MOST_LISTED = 400  # terms that hold the letters
_SMALL = 1_000  # passages: the terms of a smaller index are searched in a millisecond, whatever its languages
_SIGNS = ("und", "nicht", "oder", "wurd", "och", "inte", "ikk", "niet", "een")  # of languages that write compounds as one word
_SHARE = 200  # one passage in so many has a sign of such a language


def with_compounds(connection: apsw.Connection, unit: Unit, live: int) -> Unit:
    """The unit, matched too by the compounds that hold its word. In an index of English alone no term is looked at."""
    if not unit.inside or unit.quoted or (live > _SMALL and not _has_compounds(connection, live)):
        return unit
    question = "SELECT term FROM terms WHERE length(term) > ? AND instr(term, ?) ORDER BY passages DESC LIMIT ?"
    rows = connection.execute(question, (len(unit.inside), unit.inside, _MOST_LISTED))
    known = {term for each in (unit.terms, *unit.others) for term in each}
    found = [term for (term,) in rows if term not in known and holds(term, unit.inside)][:_MOST]
    if not found:
        return unit
    return replace(unit, phrases=(*unit.phrases, *(f'"{term}"' for term in found)), others=(*unit.others, *((t,) for t in found)))


def signs_and_compounds(connection: apsw.Connection, unit: Unit) -> list[str]:
    """All terms whose counts `with_compounds` may ask for, of a unit whose word compounds may hold."""
    question = "SELECT term FROM terms WHERE length(term) > ? AND instr(term, ?)"
    rows = connection.execute(question, (len(unit.inside), unit.inside))
    return [*_SIGNS, *(term for (term,) in rows if holds(term, unit.inside))]


def _has_compounds(connection: apsw.Connection, live: int) -> bool:
    signs = ",".join("?" * len(_SIGNS))
    most = connection.execute(f"SELECT max(passages) FROM terms WHERE term IN ({signs})", _SIGNS).get or 0
    return int(most) * _SHARE >= live
