"""Corrects mistyped English words, and measures the edit distance of two words.

Knows the background list of words; knows no corpus.
"""

from __future__ import annotations

from functools import lru_cache
from string import ascii_lowercase

from rag.backends.lite.stems import stem
from rag.backends.lite.words import surfaces
from rag.text.idf import background

_SHORTEST, _LONGEST = 5, 24  # letters: shorter words have too many neighbours, longer ones are not words


def respelled(text: str) -> str:
    """For each unlisted word of the text, in order, the most common listed word one edit away, if there is one."""
    return " ".join(filter(None, map(_correction, dict.fromkeys(surfaces(text)))))


@lru_cache(maxsize=4096)
def _correction(surface: str) -> str:
    word = surface.lower()
    listed = background()
    if (
        not _SHORTEST <= len(word) <= _LONGEST
        or not (word.isascii() and word.isalpha())
        or word in listed
        or stem(word) in listed
    ):
        return ""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    edits = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    edits |= {left + right[1:] for left, right in cuts if right}
    edits |= {left + letter + right[1:] for left, right in cuts if right for letter in ascii_lowercase}
    edits |= {left + letter + right for left, right in cuts for letter in ascii_lowercase}
    return min((edit for edit in edits if edit in listed), key=lambda edit: (listed[edit], edit), default="")


def distance(one: str, other: str, limit: int) -> int:
    """Edits from one word to the other (insert, delete, replace, swap neighbours); `limit` + 1 for anything more.

    Optimal string alignment: the distance of Damerau 1964, with no substring edited twice.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before, last = last, row
    return min(last[-1], limit + 1)
