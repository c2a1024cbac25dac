"""Random texts of an exact number of tokens, and random pictures that become about as many.

Knows words and pixels; knows no prompt. What counts the tokens is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from rag.types import Content

if TYPE_CHECKING:
    from rag.types import Pixels

Count = Callable[[str], int | None]  # the tokens of a text; None: nobody counts them

# Short and frequent: in the tokenizers of large models a token each, and a text is counted where a server does.
_WORDS = """
about above after again air all also always and another answer any area around ask away back base because been before began
being best better between big black blue book both boy bring build but call came can car carry case change child city class
clear close cold come common could country course cover cut dark day deep did different does done door down draw dry during
each early earth east easy eat end enough even ever every eye face fact fall family far farm fast father few field figure fill
final find fine fire first fish five fly follow food foot for force form found four free friend from front full game gave get
girl give gold good got great green ground group grow had half hand hard has have head hear heat help her here high him his
hold home horse hot hour house how hundred idea inch ice island just keep kind king knew know land language large last late
laugh law lay lead learn leave left less let letter life light like line list listen little live long look love low machine
made main make man many map mark may mean measure men might mile mind minute miss money moon more morning most mother mountain
move much music must name near need never new next night north note nothing notice noun now number object off often oil old
once one only open order other our out over own page paper part pass pattern people perhaps person picture piece place plain
plan plane plant play point power press problem produce product pull put question quick rain ran reach read ready real rest
right river road rock room round rule run said same saw say school science sea second see seem self sentence serve set several
shape she ship short should show side simple since sing sit six size sleep slow small snow some song soon sound south special
spell stand star start state stay step still stood stop story street strong study such sun sure surface table tail take talk
teach tell ten test than that their them then there these they thing think this those though thought thousand three through
time together told too took top toward town travel tree true try turn two under unit until upon use usual very voice vowel
wait walk want war warm was watch water way week weight well went were west what wheel when where which while white who whole
why will wind with wonder wood word work world would write year yes yet young
"""
WORDS = tuple(_WORDS.split())
DIGITS = "0123456789"  # each a token of its own where words do not come out even
ATTEMPTS = 16  # to meet the number of tokens
COUNTING_THREADS = 8
PATCH = 32  # pixels of a picture's side for one token, in Qwen3-VL
SIDES = (2, 35)  # patches of a side, least and most: 4,096 … 1,310,720 pixels
SMOOTH = 4  # a picture's colours are drawn for squares of an eighth of a patch, and blurred between them


class RandomTexts:
    """Texts of `tokens` tokens each, by a server's count, else of as many words. For one thread at a time."""

    def __init__(self, tokens: int, count: Count, random: np.random.Generator) -> None:
        """`count` must be safe to call from several threads."""
        self._tokens, self._count, self._random = tokens, count, random
        self._words_a_token = 1.0

    def make(self, number: int) -> list[str]:
        """So many fresh ones. Errors as `count`."""
        if not number:
            return []
        seeds = self._random.integers(2**63, size=number)
        first = self._fitted(int(seeds[0]))  # finds how many words a token takes
        with ThreadPoolExecutor(COUNTING_THREADS) as threads:
            return [first, *threads.map(lambda seed: self._fitted(int(seed)), seeds[1:])]

    def _fitted(self, seed: int) -> str:
        """A text that has the number of tokens, or comes nearest to it."""
        random = np.random.default_rng(seed)
        words: list[str] = list(random.choice(WORDS, max(1, round(self._tokens * self._words_a_token))))
        best, off = " ".join(words), self._tokens
        digits = ""

        def drawn_digits(number: int) -> str:
            return "".join(random.choice(list(DIGITS), number))

        for _ in range(ATTEMPTS):
            text = " ".join(words) + digits
            found = self._count(text)
            if found is None:
                return text
            if abs(found - self._tokens) < off:
                best, off = text, abs(found - self._tokens)
            if not off:
                break
            self._words_a_token = len(words) / max(1, found - len(digits)) if words else self._words_a_token
            missing = math.floor((self._tokens - found) * self._words_a_token)
            if found > self._tokens:
                del words[max(0, len(words) + missing) :]
                digits = "" if words else drawn_digits(self._tokens)
            elif missing > 1:
                words += list(random.choice(WORDS, missing))
            else:
                digits += drawn_digits(self._tokens - found)
        return best


def random_picture(tokens: int, seed: int) -> Content:
    """A square picture of blurred colours that becomes about so many tokens, at most 1,225: uint8 (side, side, 3)."""
    from PIL import Image

    random = np.random.default_rng(seed)
    side = PATCH * min(SIDES[1], max(SIDES[0], round(tokens**0.5)))
    squares = max(2, side * SMOOTH // PATCH)
    drawn = Image.fromarray(random.integers(0, 256, (squares, squares, 3), dtype=np.uint8))
    pixels: Pixels = np.asarray(drawn.resize((side, side), Image.Resampling.BILINEAR))
    return Content("image", pixels=(pixels,))


def as_contents(texts: Sequence[str]) -> list[Content]:
    """Texts as a model takes them."""
    return [Content("text", text=text) for text in texts]
