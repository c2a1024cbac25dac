"""The simple visual attributes that the `lite` models know, and the English and Chinese words that name them.

Knows words; knows no pixels and no vector layout: `pixels` detects the attributes, `embedder` and `matching` compare them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.lite.words import surfaces, weighted

if TYPE_CHECKING:
    from rag.types import Vectors

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey")
TONES = ("dark", "light")
SHAPES = ("portrait", "landscape", "square")
CHROMAS = ("colourful", "greyscale")
ATTRIBUTES = COLOURS + TONES + SHAPES + CHROMAS

_ENGLISH = {
    "red": "red|crimson|scarlet", "orange": "orange", "yellow": "yellow|golden", "green": "green", "blue": "blue|navy",
    "purple": "purple|violet", "pink": "pink|magenta", "brown": "brown", "black": "black", "white": "white", "grey": "gr[ea]y",
}  # fmt: skip
_CHINESE = {
    "red": "红", "orange": "[橙橘]", "yellow": "[黄金]", "green": "绿", "blue": "[蓝青]", "purple": "紫", "pink": "粉红?",
    "brown": "[棕褐]|咖啡", "black": "黑", "white": "白", "grey": "灰",
}  # fmt: skip
_COLOUR = "|".join(_ENGLISH.values())
_HANZI = "|".join(_CHINESE.values())
_PICTURE = r"pictures?|photos?|photographs?|images?|screenshots?|pics?|frames?|backgrounds?"

# The first pattern that matches wins: "black and white" is neither black nor white.
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("greyscale", r"\bblack[- ]and[- ]white\b|\bgr[ea]y[- ]?scale\b|\bmonochrome\b|黑白|灰度"),
    ("colourful", r"\bcolou?rful\b|\bvivid\b|\bmulti-?colou?red\b|彩色|五颜六色|色彩鲜艳"),
    ("light", rf"\b(?:bright|pale)\b|\blight(?=[- ](?:colou?red|{_COLOUR}|{_PICTURE})\b)"),
    ("light", rf"明亮|亮色|浅色|[浅淡亮](?=(?:{_HANZI})色?)"),
    ("dark", rf"\b(?:dark|dim|night|gloomy)\b|黑暗|昏暗|暗色|深色|夜晚|夜景|[深暗](?=(?:{_HANZI})色?)"),
    ("portrait", rf"\bportrait(?=[- ](?:format|orientation|mode|{_PICTURE})\b)|\bvertical(?=[- ](?:{_PICTURE})\b)"),
    ("portrait", r"竖版|竖屏|竖向|纵向"),
    ("landscape", rf"\blandscape(?=[- ](?:format|orientation|mode)\b)|\bhorizontal(?=[- ](?:{_PICTURE})\b)"),
    ("landscape", r"横版|横屏|横向"),
    ("square", rf"\bsquare(?=[- ](?:format|{_PICTURE})\b)|方形图|正方形"),
    *((name, rf"\b(?:{words})\b") for name, words in _ENGLISH.items()),
    *((name, rf"(?:{words})色|(?<=[深浅淡亮暗])(?:{words})") for name, words in _CHINESE.items()),
    ("pink", "粉红"),
)
_COMPILED = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _PATTERNS)
_GENERIC = re.compile(rf"\b(?:{_PICTURE}|colou?r(?:ed)?|shows?|showing)\b|图片|照片|图像|截图|颜色|画面|背景|图", re.IGNORECASE)


def named(text: str) -> Vectors:
    """float32 of shape (len(ATTRIBUTES),): 1 for each attribute the text names, 0 elsewhere."""
    found = np.zeros(len(ATTRIBUTES), np.float32)
    for name, _, _ in spans(text):
        found[ATTRIBUTES.index(name)] = 1.0
    return found


def spans(text: str) -> list[tuple[str, int, int]]:
    """Each attribute that the text names, with the start and the end of the words that name it, in characters."""
    found: list[tuple[str, int, int]] = []
    for name, pattern in _COMPILED:
        for match in pattern.finditer(text):
            start, end = match.span()
            if not any(start < taken_end and taken_start < end for _, taken_start, taken_end in found):
                found.append((name, start, end))
    return found


def picture_spans(text: str) -> list[tuple[int, int]]:
    """The start and the end, in characters, of each word that only says that a picture is meant."""
    return [match.span() for match in _GENERIC.finditer(text)]


def without_attributes(text: str) -> str:
    """The text without the words that name attributes or only say that a picture is meant: its subject."""
    kept = list(text)
    for _, start, end in spans(text):
        kept[start:end] = " " * (end - start)
    return without_picture_words("".join(kept))


def without_picture_words(text: str) -> str:
    """The text without the words that only say that a picture is meant."""
    return _GENERIC.sub(" ", text)


def share_named(text: str) -> float:
    """The share of a query that names attributes, 0…1, by rarity: 0.99 for "a dark blue picture", 0.56 for "red car"."""
    asked = without_picture_words(text)
    whole, rest = _rarity(asked), _rarity(without_attributes(text))
    return max(0.0, whole - rest) / whole if whole else 0.0


def _rarity(text: str) -> float:
    return sum(weight for surface in set(surfaces(text)) for _, weight in weighted(surface))
