"""The few words of a passage that show why it was found.

Knows words and their stems; knows no index and no terminal.
"""

from __future__ import annotations

import re
import unicodedata

from rag.text.analyzer import stems

LENGTH = 240  # characters
_WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_]+")
_SPACE = re.compile(r"\s+")


def words_of(text: str) -> list[tuple[str, int, int]]:
    """Words with their places: (stem, start, end), folded as the lexical lane folds them. A Chinese character is a word."""
    found = list(_WORD.finditer(text))
    stemmed = stems([_plain(one.group()) for one in found])
    return [(stem, one.start(), one.end()) for stem, one in zip(stemmed, found, strict=True)]


def _plain(word: str) -> str:
    if word.isascii():
        return word.casefold()
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c)) or word


def snippet(text: str, query: str, length: int = LENGTH) -> str:
    """At most `length` characters of `text` on one line, around the place that holds most different words of the query.

    Rare words are not known here, so longer words weigh more. Cuts stand at word ends and are marked with `…`.
    """
    line = _SPACE.sub(" ", text).strip()
    if len(line) <= length:
        return line
    wanted = {word for word, _, _ in words_of(query)}
    places = [place for place in words_of(line) if place[0] in wanted]
    start = 0
    best = -1
    for _, at, _ in places[:2_000]:
        inside = {word for word, begin, end in places if at <= begin and end <= at + length - 40}
        weight = sum(min(len(word), 8) for word in inside)
        if weight > best:
            start, best = at, weight
    start = max(0, min(start - 40, len(line) - length))
    if start:
        start = line.find(" ", start, start + 20) + 1 or start
    end = min(len(line), start + length)
    if end < len(line):
        end = line.rfind(" ", end - 20, end) if line.rfind(" ", end - 20, end) > start else end
    return ("…" if start else "") + line[start:end].strip() + ("…" if end < len(line) else "")
