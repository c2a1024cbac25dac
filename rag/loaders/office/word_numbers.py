"""The numbers that Word writes before paragraphs of lists and before headings: "4.2", "(b)", "第三条".

Knows numbering.xml and counts; knows no text. A document says only which list and which level a paragraph belongs to
(ECMA-376, 17.9); the number a person reads is counted here, as Word counts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rag.loaders.office.list_formats import format_number

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LEVELS = 9
BULLET = "-"
_PLACE = re.compile(r"%([1-9])")
_OFF = ("0", "false", "off")
_MOST_STYLES = 10  # lists that name each other through styles


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of a list."""

    first: int = 1
    format: str = "decimal"
    text: str = ""  # %1 … %9 stand for the numbers of the levels
    restarts: int | None = None  # a number at this level or above lets it begin anew, from 1; 0: it never does
    plain: bool = False  # all numbers in it are decimal
    style: str = ""  # paragraphs of this style are at this level


@dataclass(slots=True)
class _List:
    """The levels of an abstract list, and how far each has counted."""

    levels: dict[int, _Level]
    link: str = ""  # the style that says what list it is
    counts: list[int | None] = field(default_factory=lambda: [None] * LEVELS)


@dataclass(frozen=True, slots=True)
class _Number:
    """A list as paragraphs name it: an abstract list with what it has of its own."""

    of: str
    own: dict[int, _Level]
    begins: dict[int, int]  # by level, where it begins when it is first used


class ListNumbers:
    """Counts through one document: `label` once for each paragraph, in order."""

    def __init__(self) -> None:
        self._lists: dict[str, _List] = {}
        self._numbers: dict[str, _Number] = {}
        self._styles: dict[str, tuple[str, int | None]] = {}  # style id → (list, level) of its own
        self._based: dict[str, str] = {}
        self._begun: set[tuple[str, int]] = set()

    def read_list(self, element: Any) -> None:
        """Takes an `abstractNum` or a `num` of numbering.xml."""
        if element.tag == f"{W}abstractNum":
            levels = dict(map(_level, element.iterfind(f"{W}lvl")))
            self._lists[element.get(f"{W}abstractNumId", "")] = _List(levels, _value(element, "numStyleLink"))
            return
        own, begins = dict[int, _Level](), dict[int, int]()
        for override in element.iterfind(f"{W}lvlOverride"):
            place = _whole(override.get(f"{W}ilvl"), 0)
            own.update(_level(one) for one in override.iterfind(f"{W}lvl"))
            if (begin := override.find(f"{W}startOverride")) is not None:
                begins[place] = _whole(begin.get(f"{W}val"), 1)
        self._numbers[element.get(f"{W}numId", "")] = _Number(_value(element, "abstractNumId"), own, begins)

    def read_style(self, style: Any) -> None:
        """Takes a paragraph or list style of styles.xml."""
        name = style.get(f"{W}styleId", "")
        if (listed := style.find(f"{W}pPr/{W}numPr")) is not None:
            place = listed.find(f"{W}ilvl")
            self._styles[name] = _value(listed, "numId"), None if place is None else _whole(place.get(f"{W}val"), 0)
        self._based[name] = _value(style, "basedOn")

    def label(self, style: str, listed: Any | None) -> str:
        """What stands before a paragraph with that style and that `numPr`; `BULLET` for a bullet, "" where nothing does."""
        number, place = self._place(style, listed)
        found = self._numbers.get(number)
        counted = self._followed(found.of) if found else None
        if found is None or counted is None or not 0 <= place < LEVELS:
            return BULLET if number not in ("", "0") or (listed is not None and not number) else ""
        level = found.own.get(place) or counted.levels.get(place) or _Level(text=f"%{place + 1}.")
        self._count(number, found, counted, place, level)
        if level.format == "bullet":
            return BULLET
        return _PLACE.sub(lambda match: self._shown(found, counted, int(match[1]) - 1, level), level.text).strip()

    def _place(self, style: str, listed: Any | None) -> tuple[str, int]:
        """(list, level) of a paragraph: its own, else that of its style or of the style that one is based on."""
        number, place = "", None
        if listed is not None:
            own = listed.find(f"{W}ilvl")
            number, place = _value(listed, "numId"), None if own is None else _whole(own.get(f"{W}val"), 0)
        named = style
        for _ in range(_MOST_STYLES):
            if number or not named:
                break
            number, of_style = self._styles.get(named, ("", None))
            place = of_style if place is None else place
            style, named = (named if number else style), self._based.get(named, "")
        if number and place is None:
            place = self._level_of(style, number)
        return number, place or 0

    def _level_of(self, style: str, number: str) -> int:
        """The level that says it is for that style."""
        found = self._numbers.get(number)
        counted = self._followed(found.of) if found else None
        levels = {**counted.levels, **found.own} if found and counted else {}
        return next((place for place, level in levels.items() if style and level.style == style), 0)

    def _followed(self, name: str) -> _List | None:
        """The abstract list, or the one that the style it names belongs to."""
        for _ in range(_MOST_STYLES):
            found = self._lists.get(name)
            if found is None or found.levels or not found.link:
                return found
            of_style = self._numbers.get(self._styles.get(found.link, ("", None))[0])
            name = of_style.of if of_style else ""
        return None

    def _count(self, number: str, found: _Number, counted: _List, place: int, level: _Level) -> None:
        counts = counted.counts
        begin = found.begins.get(place)
        if begin is not None and (number, place) not in self._begun:
            counts[place] = begin
        else:
            before = counts[place]
            counts[place] = level.first if before is None else before + 1
        self._begun.add((number, place))
        for above in range(place):  # a level that was passed over counts as used
            if counts[above] is None:
                counts[above] = _of(found, counted, above).first
        for deeper in range(place + 1, LEVELS):
            restarts = _of(found, counted, deeper).restarts
            if restarts is None or place < restarts:
                counts[deeper] = None

    def _shown(self, found: _Number, counted: _List, place: int, asking: _Level) -> str:
        """The number of a level as the asking level writes it."""
        level = _of(found, counted, place)
        count = counted.counts[place]
        return format_number(level.first if count is None else count, "decimal" if asking.plain else level.format)


def _of(found: _Number, counted: _List, place: int) -> _Level:
    return found.own.get(place) or counted.levels.get(place) or _Level()


def _level(element: Any) -> tuple[int, _Level]:
    legal = element.find(f"{W}isLgl")
    restart = element.find(f"{W}lvlRestart")
    return _whole(element.get(f"{W}ilvl"), 0), _Level(
        _whole(_value(element, "start"), 0),
        _value(element, "numFmt") or _custom(element.iterfind("{*}AlternateContent/{*}Fallback/{*}numFmt")) or "decimal",
        _value(element, "lvlText"),
        None if restart is None else _whole(restart.get(f"{W}val"), 0),
        legal is not None and legal.get(f"{W}val", "1") not in _OFF,
        _value(element, "pStyle"),
    )


def _custom(found: Iterable[Any]) -> str:
    return next((str(one.get(f"{W}val", "")) for one in found), "")


def _value(element: Any, name: str) -> str:
    found = element.find(f"{W}{name}")
    return "" if found is None else str(found.get(f"{W}val", ""))


def _whole(written: str | None, otherwise: int) -> int:
    return int(written) if written and written.isascii() and written.isdigit() and len(written) < 10 else otherwise
