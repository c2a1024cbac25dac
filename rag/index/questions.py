"""What a person asks in words, as expressions of the full text. User text never reaches SQLite's query syntax.

Knows terms and FTS5's grammar; knows no connection.

    harbour crane           both words, in any order
    "harbour crane"         side by side
    -draft  -"old plan"     not these (a minus after a space and before a letter or a quote)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rag.index.terms import Compound, compounds, stems

_PIECE = re.compile(r'(?<!\S)(?P<not>-)?(?P<quote>["“”])(?P<phrase>[^"“”]*)["“”]|(?<!\S)-(?P<without>[^\W\d_]\S*)')

# Words that say little: asked for only where nothing else is. Articles, pronouns, prepositions, auxiliaries, question words.
_EMPTY_ENGLISH = """
a an and any are as at be been but by can could did do does for from had has have he her his how i if in into is it its me my
no not of on or our she should so some such than that the their them then there these they this to was we were what when
where which who whose why will with would you your show find about
"""
_EMPTY_WORDS = frozenset(stems(_EMPTY_ENGLISH.split()))
_EMPTY_CHARACTERS = frozenset("的了是在和与吗呢吧着过得地之这那哪个什么怎谁请我你他她它们有不就都也为把被让给对从到")


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing asked for."""

    expression: str  # in FTS5's grammar
    terms: tuple[str, ...]  # its stems; the unit is about as rare as the rarest of them
    whole: str = ""  # the term of the whole compound, where there is one: the better measure of how rare it is
    prefix: bool = False  # `terms[0]` is the start of the terms meant
    weak: bool = False  # says little
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """The units asked for, without repeats, and the expressions that must not be there."""

    units: tuple[Unit, ...]
    unwanted: tuple[str, ...]


def understand(words: str) -> Question:
    """Reads a query. Any text at all is understood; one without letters or digits asks for nothing."""
    units: list[Unit] = []
    unwanted: list[str] = []
    rest = 0
    for piece in _PIECE.finditer(words):
        units.extend(_units(words[rest : piece.start()]))
        rest = piece.end()
        if piece["without"]:
            unwanted.extend(unit.expression for unit in _units(piece["without"]))
        elif phrase := _phrase(piece["phrase"]):
            if piece["not"]:
                unwanted.append(phrase.expression)
            else:
                units.append(phrase)
    units.extend(_units(words[rest:]))
    return Question(tuple(dict.fromkeys(units)), tuple(dict.fromkeys(unwanted)))


def units_of(text: str) -> tuple[Unit, ...]:
    """The units of a plain text, without quotes and minuses."""
    return tuple(_units(text))


def alone(unit: Unit) -> tuple[Unit, ...]:
    """The terms of a phrase, each as a unit of its own."""
    return tuple(_term(term) for term in unit.terms)


def expression(joint: str, units: Iterable[Unit], unwanted: Iterable[str], columns: Iterable[str]) -> str:
    """The whole MATCH expression: units joined by AND or OR, without the unwanted, within some columns."""
    wanted = f" {joint} ".join(unit.expression for unit in units)
    without = "".join(f" NOT {each}" for each in unwanted)
    return f"{{{' '.join(columns)}}} : (({wanted}){without})"


def _units(text: str) -> Iterable[Unit]:
    for compound in compounds(text):
        parts = tuple(stems(list(compound.parts)))
        if compound.paired:
            yield from _pairs(parts)
        elif len(parts) == 1:
            yield _term(parts[0])
        elif compound.whole:
            whole = stems([compound.whole])[0]
            yield Unit(f"({_quote(whole)} OR {_quote(' '.join(parts))})", parts, whole=whole)
        else:
            yield Unit(_quote(" ".join(parts)), parts)


def _pairs(parts: tuple[str, ...]) -> Iterable[Unit]:
    """Pairs of characters are terms; a character alone stands at the start of a pair, or at the end of a run by itself."""
    if len(parts) == 1:
        yield Unit(f"{_quote(parts[0])} *", parts, prefix=True, weak=parts[0] in _EMPTY_CHARACTERS)
    else:
        yield from (_term(pair) for pair in parts[:-1])


def _term(term: str) -> Unit:
    return Unit(_quote(term), (term,), weak=term in _EMPTY_WORDS or not _EMPTY_CHARACTERS.isdisjoint(term))


def _phrase(text: str) -> Unit | None:
    """All the words side by side; a run's last character alone is left out where its pair says it already."""
    found = list(compounds(text))
    parts = stems([part for at, compound in enumerate(found) for part in _in_phrase(compound, at == len(found) - 1)])
    if not parts:
        return None
    prefix = found[-1].paired and len(found[-1].parts) == 1
    known = parts[:-1] if prefix and len(parts) > 1 else parts
    return Unit(_quote(" ".join(parts)) + " *" * prefix, tuple(known), prefix=prefix and len(parts) == 1, quoted=True)


def _in_phrase(compound: Compound, last: bool) -> tuple[str, ...]:
    return compound.parts[:-1] if compound.paired and last and len(compound.parts) > 1 else compound.parts


def _quote(terms: str) -> str:
    return f'"{terms}"'
