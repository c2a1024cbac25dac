"""What a person asks in words, as expressions of the full text. User text never reaches SQLite's query syntax.

Knows terms and FTS5's grammar; knows no connection.

    harbour crane           both words, in any order; passages with one of them come after
    "harbour crane"         side by side, or the passage is not found at all
    harb*  INV-44*          words that begin so
    -draft  -"old plan"     none of these (a minus after a space and before a letter or a quote)

Everything else is words: `a - b`, `state-of-the-art` and `-5` exclude nothing, `*` alone is no pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rag.text.analyzer import Compound, compounds, stems
from rag.text.emoji import spelled

_PIECE = re.compile(
    r'(?<!\S)(?P<not>-)?(?P<quote>["“”])(?P<phrase>[^"“”]*)["“”]'
    r"|(?<!\S)-(?P<without>[^\W\d_]\S*)"
    r"|(?<!\S)(?P<start>[^\s\"“”*]*\w)\*(?!\S)"
)

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

    phrases: tuple[str, ...]  # in FTS5's grammar; any of them is the unit
    terms: tuple[str, ...]  # its stems; the unit is about as rare as the rarest of them
    whole: str = ""  # the term of the whole compound, where there is one: the better measure of how rare it is
    prefix: bool = False  # the last phrase term is the start of those meant; of one alone: `terms[0]`
    weak: bool = False  # says little
    quoted: bool = False

    @property
    def expression(self) -> str:
        """Any of its phrases, in FTS5's grammar."""
        return self.phrases[0] if len(self.phrases) == 1 else f"({' OR '.join(self.phrases)})"


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The units asked for, without repeats, and those that must not be there."""

    units: tuple[Unit, ...]
    unwanted: tuple[Unit, ...]

    @property
    def demanded(self) -> tuple[Unit, ...]:
        """The phrases that must be there."""
        return tuple(unit for unit in self.units if unit.quoted)


def understand(words: str) -> ParsedQuery:
    """Reads a query. Any text at all is understood; one without letters or digits asks for nothing."""
    words = spelled(words)
    units: list[Unit] = []
    unwanted: list[Unit] = []
    rest = 0
    for piece in _PIECE.finditer(words):
        units.extend(_units(words[rest : piece.start()]))
        rest = piece.end()
        if piece["without"]:
            unwanted.extend(_unwanted(piece["without"]))
        elif piece["start"]:
            units.extend(_beginning(piece["start"]))
        elif phrase := _phrase(piece["phrase"]):
            (unwanted if piece["not"] else units).append(phrase)
    units.extend(_units(words[rest:]))
    return ParsedQuery(tuple(dict.fromkeys(units)), tuple(dict.fromkeys(unwanted)))


def spoken(words: str) -> str:
    """The query as a model should read it: without its signs, and without what must not be there."""
    kept = _PIECE.sub(lambda piece: "" if piece["not"] or piece["without"] else piece["phrase"] or piece["start"] or "", words)
    return kept.strip() if kept != words else words


def literal(words: str) -> str:
    """A text as a query in which no quote, minus or star means anything."""
    return _PIECE.sub(lambda piece: piece["phrase"] or piece["without"] or piece["start"] or "", words).replace('"', " ")


def units_of(text: str) -> tuple[Unit, ...]:
    """The units of a plain text, without quotes and minuses."""
    return tuple(_units(text))


def alone(unit: Unit) -> tuple[Unit, ...]:
    """The terms of a phrase, each as a unit of its own."""
    return tuple(_term(term) for term in unit.terms)


def _unwanted(word: str) -> Iterable[Unit]:
    """One word that must not be there; a run of Chinese as a whole."""
    if word.endswith("*"):
        return _beginning(word[:-1])
    found = list(compounds(word))
    phrase = _phrase(word) if any(compound.paired for compound in found) else None
    return [phrase] if phrase else _units(word)


def _beginning(word: str) -> Iterable[Unit]:
    """The words that begin so; of a compound the last part. Stems are shorter than words: the word's own stem counts as well."""
    found = list(compounds(word))
    if not found or found[-1].paired:
        yield from _units(word)
        return
    *before, last = [part for compound in found for part in compound.parts]
    stem, known = stems([last])[0], stems(before)
    phrases = [f"{_quote(' '.join((*known, last)))} *"]
    if not stem.startswith(last):
        phrases.append(_quote(" ".join((*known, stem))))
    whole = found[0].whole if len(found) == 1 else ""
    if whole:
        phrases.append(f"{_quote(whole)} *")
    yield Unit(tuple(phrases), (*known, last), whole="" if known or stem.startswith(last) else stem, prefix=True)


def _units(text: str) -> Iterable[Unit]:
    for compound in compounds(text):
        parts = tuple(stems(list(compound.parts)))
        if compound.paired:
            yield from _pairs(parts)
        elif len(parts) == 1:
            yield _term(parts[0])
        elif compound.whole:
            whole = stems([compound.whole])[0]
            yield Unit((_quote(whole), _quote(" ".join(parts))), parts, whole=whole)
        else:
            yield Unit((_quote(" ".join(parts)),), parts)


def _pairs(parts: tuple[str, ...]) -> Iterable[Unit]:
    """Pairs of characters are terms; a character alone stands at the start of a pair, or at the end of a run by itself."""
    if len(parts) == 1:
        yield Unit((f"{_quote(parts[0])} *",), parts, prefix=True, weak=parts[0] in _EMPTY_CHARACTERS)
    else:
        yield from (_term(pair) for pair in parts[:-1])


def _term(term: str) -> Unit:
    return Unit((_quote(term),), (term,), weak=term in _EMPTY_WORDS or not _EMPTY_CHARACTERS.isdisjoint(term))


def _phrase(text: str) -> Unit | None:
    """All the words side by side; a run's last character alone is left out where its pair says it already."""
    found = list(compounds(text))
    parts = stems([part for at, compound in enumerate(found) for part in _in_phrase(compound, at == len(found) - 1)])
    if not parts:
        return None
    prefix = found[-1].paired and len(found[-1].parts) == 1
    known = parts[:-1] if prefix and len(parts) > 1 else parts
    return Unit((_quote(" ".join(parts)) + " *" * prefix,), tuple(known), prefix=prefix and len(parts) == 1, quoted=True)


def _in_phrase(compound: Compound, last: bool) -> tuple[str, ...]:
    return compound.parts[:-1] if compound.paired and last and len(compound.parts) > 1 else compound.parts


def _quote(terms: str) -> str:
    return f'"{terms}"'
