"""Puts the words of a text layer and those recognised in the picture of its page together, none twice.

Knows words; knows no page, no pixels and no OCR.
"""

from __future__ import annotations

import re

from rag.text.language import is_language
from rag.types import TextLayer

_WORD = re.compile(r"\w+")
_AGREE = 0.5  # of the recognised words that a layer holds: more, and it is not broken
_ENOUGH = 0.3  # of the letters of a layer that OCR must find, to be believed instead


def combined(text: str, layer: TextLayer | None, seen: str) -> tuple[str, str]:
    """The words a page keeps and those it gains, from its text, which holds the words of its layer, and what OCR saw.

    A broken layer goes where OCR read the page: what it saw is language, or at least as much. Where OCR saw the same words, the
    layer was not broken, and nothing is gained.
    """
    if layer is None or not seen:
        return text, seen
    if layer.trust == "partial":
        return text, new_lines(text, seen)
    if layer.trust == "whole":
        return text, seen
    words = _WORD.findall(seen.casefold())
    if len(words) and sum(word in layer.words.casefold() for word in words if len(word) > 2) > _AGREE * len(words):
        return text, ""
    if _letters(seen) < _ENOUGH * _letters(layer.words):
        return text, new_lines(text, seen)
    if not is_language(seen):
        return text, ""
    return text.removeprefix(layer.words).strip(), seen


def new_lines(text: str, seen: str) -> str:
    """The recognised lines that hold a word the text does not."""
    known = frozenset(_WORD.findall(text.casefold()))
    return "\n".join(line for line in seen.split("\n") if not known.issuperset(_WORD.findall(line.casefold())))


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)
