"""Folds the letters and digits of every script to one spelling: what every lane compares, in texts and in queries.

Knows Unicode; knows no words, no query and no index. Both foldings are idempotent, and ASCII passes unchanged.

    cleaned     ﬁ Ａ １ ٣ ½ → fi A 1 3 1/2 · soft hyphens, zero-width signs, Arabic vowel signs, tatweel and Hebrew points go ·
                أ ى ة ک → ا ي ه ك · accents and case stay
    folded      the same, and é đ ł ø ı ħ ß æ → e d l o i h ss ae · case stays, because it separates words
    spelled_out ä ö ü ø å → ae oe ue oe aa, as people type them who lack the keys; "" where there are none
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

REVISION = 2  # raise it where the same text gives other terms: the next run over an index then analyses its words again

_FRACTION = re.compile(r"[\u00bc-\u00be\u2150-\u215f\u2189]")  # 3½ is 3 1/2, not 31/2
# All that `_clean` changes in a text in normal form KC; wider where that is shorter to say.
_UNCLEAN = re.compile(
    "["
    "\u00ad\u0300-\u036f\u0483-\u0487\u0590-\u08ff\u180b-\u180f\u200b-\u200f\u2010-\u2011\u202a-\u202e\u2044\u2060-\u206f\u2212"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U00010000-\U0001ffff\U000e0000-\U000fffff"
    "\u0966-\u096f\u09e6-\u09ef\u0a66-\u0a6f\u0ae6-\u0aef\u0b66-\u0b6f\u0be6-\u0bef\u0c66-\u0c6f\u0ce6-\u0cef\u0d66-\u0d6f"
    "\u0de6-\u0def\u0e50-\u0e59\u0ed0-\u0ed9\u0f20-\u0f29\u1040-\u1049\u1090-\u1099\u17e0-\u17e9\u1810-\u1819\u1946-\u194f"
    "\u19d0-\u19d9\u1a80-\u1a99\u1b50-\u1b59\u1bb0-\u1bb9\u1c40-\u1c59\ua620-\ua629\ua8d0-\ua8d9\ua900-\ua909\ua9d0-\ua9d9"
    "\ua9f0-\ua9f9\uaa50-\uaa59\uabf0-\uabf9\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u2de0-\u2dff\ua66f-\ua69f\ua8e0-\ua8f1"
    "\ufb1e\ufe20-\ufe2f"
    "]"
)
_ACCENTED = re.compile("[\u00c0-\u058f\u1c80-\u1fff\u2c60-\u2dff\ua640-\ua69f\ua720-\ua7ff\uab30-\uab6f]")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_UNREAD = ("ARABIC", "HEBREW", "SYRIAC", "COMBINING", "VARIATION SELECTOR", "MONGOLIAN FREE VARIATION")
_CLEAN_LETTERS = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ۀ": "ه", "ە": "ه", "ک": "ك",
    "ـ": "", "־": "-", "‐": "-", "‑": "-", "−": "-", "⁄": "/",
}  # fmt: skip
_LATIN = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ð": "d", "Ð": "D", "ı": "i",
    "ŋ": "n", "Ŋ": "N", "ĸ": "k", "ə": "e", "Ə": "E", "ɛ": "e", "Ɛ": "E", "ɔ": "o", "Ɔ": "O", "ȷ": "j", "Ɖ": "D",
    "ʒ": "z", "Ʒ": "Z",
}  # fmt: skip
_NAMED = re.compile(r"LATIN (SMALL|CAPITAL) LETTER ([A-Z]) WITH ")  # a stroke, a hook, a tail: what does not decompose
for _code in (*range(0xC0, 0x2B0), *range(0x2C60, 0x2C80), *range(0xA720, 0xA800)):
    if (_named := _NAMED.match(unicodedata.name(chr(_code), ""))) and not unicodedata.decomposition(chr(_code)):
        _LATIN.setdefault(chr(_code), _named[2] if _named[1] == "CAPITAL" else _named[2].lower())
_STROKED = re.compile(f"[{''.join(_LATIN)}]")
_TYPED = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Ø": "Oe", "Å": "Aa"}
_UMLAUT = re.compile(f"[{''.join(_TYPED)}]")


def cleaned(text: str) -> str:
    """One form for what looks alike, without signs that are not read; accents and case stay."""
    if text.isascii():
        return text
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", _FRACTION.sub(r" \g<0>", text))
    if _UNCLEAN.search(text):
        text = unicodedata.normalize("NFKC", _UNCLEAN.sub(lambda found: _clean(found[0]), text))
    return text


def folded(text: str) -> str:
    """The same without accents and strokes; case stays."""
    return text if text.isascii() else without_accents(cleaned(text))


def without_accents(text: str) -> str:
    """`folded` of a text that is `cleaned` already."""
    if text.isascii() or not _ACCENTED.search(text):
        return text
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", _STROKED.sub(lambda found: _LATIN[found[0]], bare))


def spelled_out(text: str) -> str:
    """A `cleaned` text with its umlauts as two letters, then folded; "" where it has none."""
    return without_accents(_UMLAUT.sub(lambda found: _TYPED[found[0]], text)) if _UMLAUT.search(text) else ""


@lru_cache(maxsize=4096)
def _clean(character: str) -> str:
    if character in _CLEAN_LETTERS:
        return _CLEAN_LETTERS[character]
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Cf" or (category == "Mn" and unicodedata.name(character, "").startswith(_UNREAD)):
        return ""
    return "?" if category == "Cs" else character  # half a pair is no text
