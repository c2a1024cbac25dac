"""The numbers that PowerPoint writes before paragraphs of a text box: "2.", "(b)", "③".

Knows DrawingML's `buAutoNum` (ECMA-376, 21.1.2.4.1) and counts; knows no text. Numbers that a layout gives are not known here.
"""

from __future__ import annotations

from typing import Any

from rag.loaders.office.list_formats import format_number

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_FORMATS = {
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "arabicDb": "decimalFullWidth",
    "arabic1": "arabicAlpha",
    "arabic2": "arabicAbjad",
    "circleNum": "decimalEnclosedCircle",
    "ea1": "chineseCounting",
    "hebrew2": "hebrew2",
    "hindiNum": "hindiNumbers",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
    "thaiAlpha": "thaiLetters",
    "thaiNum": "thaiNumbers",
}
_FORMS = {"ParenBoth": "({})", "ParenR": "{})", "Period": "{}.", "Minus": "{}-"}


class AutoNumbers:
    """Counts through one text box: `label` once for each paragraph that is not blank, in order."""

    def __init__(self) -> None:
        self._counts: dict[int, tuple[str, int, int]] = {}  # level → (scheme, where it begins, the last number)

    def label(self, paragraph: Any) -> str:
        """What stands before the paragraph; "" where it has no number."""
        level, scheme, first = _numbering(paragraph)
        for deeper in [one for one in self._counts if one > level]:
            del self._counts[deeper]
        if not scheme:
            self._counts.pop(level, None)
            return ""
        before = self._counts.get(level)
        number = before[2] + 1 if before and before[:2] == (scheme, first) else first
        self._counts[level] = scheme, first, number
        form = next((form for ending, form in _FORMS.items() if scheme.endswith(ending)), "{}")
        named = next((name for start, name in _FORMATS.items() if scheme.startswith(start)), "decimal")
        return form.format(format_number(number, named))


def _numbering(paragraph: Any) -> tuple[int, str, int]:
    """(level, scheme, where it begins) of a paragraph; the scheme is "" where it has no number."""
    properties = paragraph.find(f"{A}pPr")
    if properties is None:
        return 0, "", 1
    level, numbered = properties.get("lvl", "0"), properties.find(f"{A}buAutoNum")
    begin = "1" if numbered is None else numbered.get("startAt", "1")
    first = int(begin) if begin.isascii() and begin.isdigit() and len(begin) < 6 else 1
    return int(level) if level.isascii() and level.isdigit() else 0, "" if numbered is None else numbered.get("type", ""), first
