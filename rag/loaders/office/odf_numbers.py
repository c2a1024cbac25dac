"""The numbers that OpenDocument writes before paragraphs of lists and before headings: "4.2", "(b)", "第三条".

Knows the flow's list styles, lists and items, and counts (OpenDocument 1.3, part 3, 16.30–16.35); knows no text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rag.loaders.office.list_formats import format_number
from rag.loaders.office.odf_flow import Start

BULLET = "-"
_LEVELS = 10
_OUTLINE = ""  # the name of the style that numbers headings
_FORMATS = {  # by the first sign of `style:num-format`
    **{"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"},
    **{"一": "chineseCounting", "壹": "chineseLegalSimplified", "①": "decimalEnclosedCircle", "１": "decimalFullWidth"},
    **{"甲": "ideographTraditional", "子": "ideographZodiac", "ア": "aiueoFullWidth", "イ": "iroha", "가": "ganada"},
    **{"А": "russianUpper", "а": "russianLower", "א": "hebrew2", "أ": "arabicAlpha", "ก": "thaiLetters", "๑": "thaiNumbers"},
}


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of a list style; no format: it has no number."""

    format: str
    before: str = ""
    after: str = ""
    shown: int = 1  # how many levels its number has
    first: int = 1


_BULLETED = _Level("bullet")


class OdfNumbers:
    """Counts through one flow: `begin` and `end` for what the flow opens and closes, `label` once for each paragraph."""

    def __init__(self) -> None:
        self._styles: dict[str, dict[int, _Level]] = {}
        self._defining = _OUTLINE
        self._open: list[str] = []  # styles of the open lists
        self._items: list[bool] = []  # for each open item: whether its first paragraph is still to come
        self._counts: dict[str, list[int | None]] = {}

    def begin(self, event: Start) -> None:
        """Takes the beginning of a list style, of a list, of one of its items."""
        said, name = event.attributes, event.name
        if name in ("text:list-style", "text:outline-style"):
            self._defining = said.get("style:name", _OUTLINE) if name == "text:list-style" else _OUTLINE
        elif name in ("text:list-level-style-number", "text:outline-level-style"):
            self._styles.setdefault(self._defining, {})[_whole(said, "text:level", 1)] = _level(said)
        elif name == "text:list-level-style-bullet":
            self._styles.setdefault(self._defining, {})[_whole(said, "text:level", 1)] = _BULLETED
        elif name == "text:list":
            style = said.get("text:style-name") or (self._open[-1] if self._open else _OUTLINE)
            self._open.append(style)
            goes_on = said.get("text:continue-numbering") == "true" or "text:continue-list" in said
            if len(self._open) <= _LEVELS and not goes_on:
                self._forget(style, len(self._open))
        elif name == "text:list-item":
            self._items.append(True)
            if self._open:
                self._count(self._open[-1], len(self._open), said)

    def end(self, name: str) -> None:
        """Takes the end of a list or of an item."""
        if name == "text:list" and self._open:
            self._open.pop()
        elif name == "text:list-item" and self._items:
            self._items.pop()

    def label(self, level: int | None) -> str:
        """What stands before the next paragraph, or before the next heading of that level; "" where nothing does."""
        if self._open and self._items:
            first, self._items[-1] = self._items[-1], False
            return self._shown(self._open[-1], len(self._open)) if first else ""
        numbered = self._styles.get(_OUTLINE, {}).get(level or 0)
        if level is None or numbered is None or not numbered.format:
            return ""
        self._count(_OUTLINE, level, {})
        return self._shown(_OUTLINE, level)

    def _count(self, style: str, depth: int, said: Mapping[str, str]) -> None:
        if depth > _LEVELS:
            return
        counts = self._counts.setdefault(style, [None] * _LEVELS)
        for above in range(1, depth):
            if counts[above - 1] is None:
                counts[above - 1] = self._level(style, above).first
        before = counts[depth - 1]
        counts[depth - 1] = self._level(style, depth).first if before is None else before + 1
        if "text:start-value" in said:
            counts[depth - 1] = _whole(said, "text:start-value", 1)
        self._forget(style, depth + 1)

    def _forget(self, style: str, depth: int) -> None:
        counts = self._counts.get(style, [])
        counts[depth - 1 :] = [None] * len(counts[depth - 1 :])

    def _level(self, style: str, depth: int) -> _Level:
        return self._styles.get(style, {}).get(depth, _BULLETED)

    def _shown(self, style: str, depth: int) -> str:
        level = self._level(style, depth)
        if level is _BULLETED or depth > _LEVELS:
            return BULLET
        if not level.format:
            return (level.before + level.after).strip()
        counts = self._counts[style]
        places = range(max(1, depth - level.shown + 1), depth + 1)
        forms = [(counts[place - 1], self._level(style, place)) for place in places]
        numbers = [format_number(count or 0, form.format) for count, form in forms if form.format]
        return f"{level.before}{'.'.join(filter(None, numbers))}{level.after}".strip()


def _level(said: Mapping[str, str]) -> _Level:
    form = said.get("style:num-format", "")
    return _Level(
        _FORMATS.get(form[:1], "decimal") if form else "",
        said.get("style:num-prefix", ""),
        said.get("style:num-suffix", ""),
        _whole(said, "text:display-levels", 1),
        _whole(said, "text:start-value", 1),
    )


def _whole(said: Mapping[str, str], name: str, otherwise: int) -> int:
    written = said.get(name, "")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else otherwise
