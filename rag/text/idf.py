"""How rare a term is in ordinary English and Chinese: a fixed background IDF.

Knows no corpus: the numbers do not depend on what is indexed, so vectors of different runs stay comparable.

`idf.bin` is zlib-compressed UTF-8. Line i, from 0, holds the terms whose idf is i / 10, separated by spaces: 30,000 English
words, 4,000 Chinese characters and 30,000 Chinese bigrams. docs/lite.md names the frequency lists they come from.
"""

from __future__ import annotations

import math
import zlib
from functools import cache
from importlib.resources import files

UNSEEN = 9.0  # nats; the rarest listed word has 8.8
COMMONEST = 0.05  # not 0, so that a query of such words alone still has a vector
PASSAGE_CHARACTERS = 300  # of Chinese: the passage length by which a probability becomes a document frequency
_UNSEEN_CHARACTER = 8.0


@cache
def background() -> dict[str, float]:
    """Term to idf in nats, for every listed term. About 15 ms, once per process."""
    lines = zlib.decompress(files("rag.text").joinpath("idf.bin").read_bytes()).decode("utf-8").split("\n")
    return {term: tenths / 10 for tenths, line in enumerate(lines) for term in line.split(" ") if term}


def rarity(term: str) -> float:
    """idf of a term in nats, from COMMONEST (every passage has it) to UNSEEN. A stem counts as the word spelled like it."""
    listed = background().get(term)
    if listed is not None:
        return max(listed, COMMONEST)
    if term[0].isdecimal():
        return _number_rarity(term)
    if len(term) == 1:
        return _UNSEEN_CHARACTER if ord(term) > 0x2E7F else 3.0
    if len(term) == 2 and ord(term[0]) > 0x2E7F:
        return _pair_rarity(term)
    return UNSEEN


def _number_rarity(term: str) -> float:
    if len(term) <= 2:
        return 3.0
    if len(term) == 3 or (len(term) == 4 and term[:2] in ("19", "20")):
        return 4.5
    return 7.5


def _pair_rarity(pair: str) -> float:
    """idf of an unlisted bigram, as if its two characters met by chance: 的 beside any other is not rare."""
    chance = _probability(pair[0]) * _probability(pair[1])
    return min(UNSEEN, -math.log(-math.expm1(-PASSAGE_CHARACTERS * chance)))


@cache
def _probability(character: str) -> float:
    """The share p of a character in ordinary Chinese: idf = −log(1 − exp(−300 p)), solved for p."""
    idf = background().get(character, _UNSEEN_CHARACTER)
    return -math.log(-math.expm1(-max(idf, COMMONEST / 10))) / PASSAGE_CHARACTERS
