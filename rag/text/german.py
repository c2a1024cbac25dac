"""Finds words inside the compounds of German and its neighbours: `vertrag` in `mietvertrag` and `vertragspartner`.

Knows folded words and the background list of English ones; knows no index.

There is no list of German words here. So this is careful: English words are never looked for inside others, because `table` is
not in `vegetable`; what stands before and after the part must be long enough to be a word.
"""

from __future__ import annotations

from functools import lru_cache

from rag.text.idf import background

SHORTEST = 5  # letters of a part; four-letter words stand in too many others by chance
_REST = 3  # letters of the shortest word before or after it
_ENDINGS = frozenset(("e", "s", "es", "n", "en", "er", "em", "ern", "in", "innen"))
_VOWELS = frozenset("aeiouy")


def may_be_part(word: str) -> bool:
    """Whether a folded word is looked for inside others: long enough, only letters, and no English word."""
    return len(word) >= SHORTEST and word.isascii() and word.isalpha() and word not in background()


@lru_cache(maxsize=65_536)
def holds(word: str, part: str) -> bool:
    """Whether a word is a compound with that part, or the part with an ending; both folded, perhaps stemmed."""
    at = word.find(part)
    if at < 0 or len(word) == len(part) or not word.isalpha():
        return False
    before, after = word[:at], word[at + len(part) :]
    return (not before or _is_word(before)) and (not after or after in _ENDINGS or _is_word(after))


def _is_word(rest: str) -> bool:
    return len(rest) >= _REST and not _VOWELS.isdisjoint(rest)
