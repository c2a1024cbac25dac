"""Tells language from letters that mean nothing, by the pairs of letters it is made of, and undoes simple shifts of letters.

Knows 53 languages in 5 scripts, and Chinese (`letter_pairs.py`); knows no file. What it cannot judge is believed: short texts,
tables of numbers, scripts without a table. Of 460 translations of the Universal Declaration of Human Rights it takes 6 for
gibberish, none of them in a language it knows; of 400 in its scripts with their letters exchanged it believes 5 %.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag.text.letter_pairs import HAN, PAIRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.uint32]

_LEAST = 40  # pairs; with fewer nothing is judged
_WINDOW = 200  # pairs judged together: a page may be language in one font and gibberish in another
_SHARE = 0.42  # of the pairs of a window that are common in one language; exchanged letters reach 0.3, a known language 0.66
_SHARE_OF_FEW = 0.36  # where there are fewer pairs than a window
_SOUND = 0.6  # and letters shifted back
_DAMAGE = 0.4  # share of a text that makes all of it gibberish
_HAN_SHARE = 0.1  # of Chinese characters that are common ones; usual: 0.6
_MOST = 8_000  # characters looked at
_SCRIPTS = {
    "Latin": (0x61, 0x7A),
    "Greek": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x52F),
    "Hebrew": (0x5D0, 0x5EA),
    "Arabic": (0x620, 0x6D5),
}
_ACCENTED = (0xC0, 0xFF)  # of Western alphabets; more than half of all letters only where another alphabet was taken for this one
_CHINESE = (0x4E00, 0x9FFF)
_KANA = (0x3040, 0x30FF)
_PRIVATE = ((0xE000, 0xF8FF), (0xFFFD, 0xFFFD))  # glyphs of fonts that do not name their characters
_PRIVATE_SHARE = 0.15  # of all characters: bullets of symbol fonts are fewer
_USUAL_SIGNS = frozenset(".,;:-–—_()/|=*+'’\"“”%•·… \t\r\n")  # rulings, leaders of contents, tables
_CODE_PAGES = ("cp1251", "koi8-r", "cp1253", "cp1255", "cp1256")


@lru_cache(maxsize=1_024)  # a page is asked about when it is split, and again when it is read, after all of its stretch
def is_language(text: str) -> bool:
    """Whether the letters of a text can be words. Numbers, formulas and short texts are believed."""
    text = text[:_MOST]
    codes = _codes(text)
    if _is_salad(text, codes):
        return False
    script = "Latin" if text.isascii() else _script(codes)
    if script == "accented":
        return False
    if script == "Chinese":
        return bool(np.isin(_within(codes, _CHINESE), _han()).mean() >= _HAN_SHARE)
    return script not in PAIRS or _is_sound(_shares(codes, script))


def deciphered(text: str) -> str:
    """A text whose letters are shifted by one number, or read in a wrong code page, as it was meant; "" where that fails."""
    sample = text[:_MOST]
    accented = _within(_codes(sample), _ACCENTED)
    if 2 * len(accented) > sum(character.isalpha() for character in sample):
        return next((meant for meant in _other_pages(text) if _is_surely_language(meant[:_MOST])), "")
    codes = _code_points(sample)
    _, common, pairs, table = max(((*_common_pairs(codes, table), table) for table in _shifts()), key=lambda one: one[0])
    if pairs < _LEAST or common < _SOUND * pairs:
        return ""
    return text.translate({place: int(code) for place, code in enumerate(table)})


def _other_pages(text: str) -> Iterator[str]:
    for page in _CODE_PAGES:
        yield "".join(_decoded(character, page) for character in text)


def _decoded(character: str, page: str) -> str:
    try:
        return character.encode("cp1252").decode(page)
    except UnicodeError:
        return character


def _is_surely_language(text: str) -> bool:
    codes = _codes(text)
    script = _script(codes)
    shares = _shares(codes, script) if script in PAIRS else np.zeros(0)
    return bool(len(shares) and shares.mean() >= _SOUND)


def _shifts() -> Iterator[Codes]:
    """Tables of codes below 128, each with what stands for them: alphabets turned, and all characters shifted."""
    plain = np.arange(128, dtype=np.uint32)
    for by in range(1, 26):
        table = plain.copy()
        for first in (ord("A"), ord("a")):
            table[first : first + 26] = first + (np.arange(26) + by) % 26
        yield table
    printable = range(ord(" "), 127)
    for by in range(-94, 95):
        if by:
            table = plain.copy()
            for code in range(1, 127):
                if code + by in printable and code not in b"\t\n\r":
                    table[code] = code + by
            yield table


def _common_pairs(codes: Codes, table: Codes) -> tuple[float, int, int]:
    """How good a text of these codes is as the table gives them, how many of its pairs are common, and how many there are.

    Small letters and spaces are good: a shift by 32 more gives the same words in capitals, without spaces between them.
    """
    meant = np.where(codes < 128, table[np.minimum(codes, 127)], codes)
    upper = (meant >= ord("A")) & (meant <= ord("Z"))
    pairs = _pairs(np.where(upper, meant + 32, meant).astype(np.uint32), "Latin")
    common = int((np.bincount(pairs, minlength=len(_table("Latin"))) @ _table("Latin")).max())
    return common + float(((meant == ord(" ")) | (meant >= ord("a"))).sum()) / 4, common, len(pairs)


def _is_sound(shares: NDArray[np.float32]) -> bool:
    few = len(shares) == 1
    return bool((shares < (_SHARE_OF_FEW if few else _SHARE)).mean() < _DAMAGE) if len(shares) else True


def _shares(codes: Codes, script: str) -> NDArray[np.float32]:
    """For each window of pairs the share that is common in the language that fits best; nothing where there are too few."""
    pairs = _pairs(codes, script)
    if len(pairs) < _LEAST:
        return np.zeros(0, np.float32)
    windows = max(1, len(pairs) // _WINDOW)
    length = len(pairs) // windows
    table = _table(script)
    placed = pairs[: windows * length] + np.repeat(np.arange(windows) * len(table), length)
    counts = np.bincount(placed, minlength=windows * len(table)).reshape(windows, len(table)).astype(np.float32)
    return np.asarray((counts @ table).max(axis=1) / length, dtype=np.float32)


def _pairs(codes: Codes, script: str) -> NDArray[np.int64]:
    """Pairs of letters of the script that stand together, as rows of its table."""
    first, last = _SCRIPTS[script]
    side = last - first + 1
    places = codes.astype(np.int64) - first
    letters = (places >= 0) & (places < side)
    return (places[:-1] * side + places[1:])[letters[:-1] & letters[1:]]


@lru_cache(maxsize=len(_SCRIPTS))
def _table(script: str) -> NDArray[np.float32]:
    """1 where a pair (rows) is common in a language (columns), else 0."""
    first, last = _SCRIPTS[script]
    side = last - first + 1
    table = np.zeros((side * side, len(PAIRS[script])), np.float32)
    for column, pairs in enumerate(PAIRS[script].values()):
        for left, right in zip(pairs[::2], pairs[1::2], strict=True):
            if first <= ord(left) <= last and first <= ord(right) <= last:
                table[(ord(left) - first) * side + ord(right) - first, column] = 1
    return table


@lru_cache(maxsize=1)
def _han() -> Codes:
    return _codes(HAN)


def _script(codes: Codes) -> str:
    """The script of most letters; "" where few are of any, or Japanese, which its own syllables prove."""
    counts = {name: len(_within(codes, span)) for name, span in _SCRIPTS.items()}
    counts["accented"] = len(_within(codes, _ACCENTED))
    counts["Chinese"] = len(_within(codes, _CHINESE))
    most = max(counts, key=lambda name: counts[name])
    if counts[most] < _LEAST or (most == "Chinese" and 20 * len(_within(codes, _KANA)) > counts[most]):
        return ""
    return most


def _is_salad(text: str, codes: Codes) -> bool:
    """Whether there are more signs than letters and digits, or many characters without a meaning."""
    if len(text) < _LEAST:
        return False
    private = sum(len(_within(codes, span)) for span in _PRIVATE)
    if private > _PRIVATE_SHARE * len(text):
        return True
    signs = sum(text.count(sign) for sign in string.punctuation if sign not in _USUAL_SIGNS)
    return signs > 0.3 * (len(text) - text.count(" ") - text.count("\n"))


def _within(codes: Codes, span: tuple[int, int]) -> Codes:
    return codes[(codes >= span[0]) & (codes <= span[1])]


def _codes(text: str) -> Codes:
    """Code points of the text in lower case."""
    return _code_points(text.lower())


def _code_points(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
