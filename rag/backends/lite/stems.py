"""English words to the form in which the `lite` models compare them: one form for all inflections and British spellings.

Knows single words in lower case; knows no text. Words of other languages pass nearly unchanged.

The background list decides between possible stems (hoping → hope, hopping → hop), so most stems are words and keep their rarity.
"""

from __future__ import annotations

from rag.text.idf import background

_IRREGULAR = {
    "children": "child", "men": "man", "women": "woman", "mice": "mouse", "feet": "foot", "teeth": "tooth", "geese": "goose",
    "indices": "index", "matrices": "matrix", "vertices": "vertex", "leaves": "leaf", "knives": "knife", "shelves": "shelf",
    "wolves": "wolf", "halves": "half", "lives": "life", "wives": "wife", "ran": "run", "went": "go", "bought": "buy",
    "brought": "bring", "built": "build", "caught": "catch", "found": "find", "held": "hold", "kept": "keep", "paid": "pay",
    "sent": "send", "sold": "sell", "taught": "teach", "wrote": "write", "written": "write", "drew": "draw", "drawn": "draw",
    "grew": "grow", "grown": "grow", "flew": "fly", "flown": "fly", "broke": "break", "broken": "break", "chose": "choose",
    "chosen": "choose", "drove": "drive", "driven": "drive", "taken": "take", "took": "take", "given": "give", "gave": "give",
    "used": "use", "using": "use", "uses": "use", "buses": "bus", "gases": "gas", "lenses": "lens",
    "grey": "gray", "tyre": "tire", "aluminium": "aluminum", "programme": "program", "cheque": "check", "plough": "plow",
    "jan": "january", "feb": "february", "mar": "march", "apr": "april", "jun": "june", "jul": "july", "aug": "august",
    "sep": "september", "sept": "september", "oct": "october", "nov": "november", "dec": "december",
}  # fmt: skip
_INVARIANT = {
    "news", "series", "species", "always", "perhaps", "during", "something", "nothing", "anything", "everything", "evening",
    "wedding", "morning", "lens", "bus", "gas",
}  # fmt: skip
_BRITISH = (
    ("isation", "ization"), ("ising", "izing"), ("ised", "ized"), ("iser", "izer"), ("ise", "ize"), ("yse", "yze"),
    ("yser", "yzer"), ("our", "or"), ("ourite", "orite"), ("ourhood", "orhood"), ("ourful", "orful"), ("tre", "ter"),
    ("bre", "ber"), ("ogue", "og"), ("ence", "ense"), ("aemia", "emia"), ("oeuvre", "euver"), ("dgement", "dgment"),
    ("llment", "lment"), ("elled", "eled"), ("elling", "eling"), ("eller", "eler"),
)  # fmt: skip
_VOWELS = frozenset("aeiouy")
_UNLISTED = 99.0


def stem(word: str) -> str:
    """The common form of an English word in lower case: "harbours" → "harbor", "analysing" → "analyze", "cities" → "city"."""
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return word
    word = _IRREGULAR.get(word, word)
    base = _singular(word) if word.endswith("s") else _present(word)
    base = _american(_IRREGULAR.get(base, base))
    return _IRREGULAR.get(base, base)


def _rank(word: str) -> float:
    return background().get(word, _UNLISTED)


def _commoner(candidates: list[str], otherwise: str) -> str:
    """The most common listed candidate, the first of equals; `otherwise` if none is listed."""
    best = min(candidates, key=_rank)
    return best if _rank(best) < _UNLISTED else otherwise


def _singular(word: str) -> str:
    if word in _INVARIANT or len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return _commoner([word[:-3] + "y", word[:-1]], otherwise=word[:-3] + "y")
    if word.endswith(("sses", "xes", "ches", "shes", "zes", "oes")):
        return _commoner([word[:-2], word[:-1]], otherwise=word[:-2])
    return word[:-1]


def _present(word: str) -> str:
    """Without -ed or -ing, if the rest can be a verb, and with the silent e or the single consonant it had."""
    if word in _INVARIANT:
        return word
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    cut = 3 if word.endswith("ing") else 2 if word.endswith("ed") else 0
    left = word[:-cut] if cut else ""
    if len(left) < 2 or not _VOWELS.intersection(left):
        return word
    if left.endswith("e") and cut == 2:
        return left + "e" if len(word) > 5 and _rank(left + "e") < _UNLISTED else word
    if len(left) > 2 and left[-1] == left[-2] and left[-1] not in _VOWELS:
        if left[-1] in "lsfz":
            return _commoner([left, left[:-1]], otherwise=left)
        return left[:-1]
    if _drops_e(left):
        return left + "e"
    known = _commoner([left, left + "e"], otherwise="")
    if known:
        return known
    return word if _rank(word) < _UNLISTED else left  # "building", "red" and "ceiling" are words in their own right


def _drops_e(left: str) -> bool:
    """Whether a silent e was dropped: otherwise a short syllable doubles its final consonant (hopping)."""
    if left[-1] in "vcuz" or left.endswith("dg"):
        return True
    return (
        len(left) in (3, 4)
        and left[-1] not in _VOWELS | {"w", "x"}
        and left[-2] in _VOWELS
        and not _VOWELS.intersection(left[:-2])
        and _rank(left + "e") < _UNLISTED
    )


def _american(word: str) -> str:
    """The American spelling of a British word, if that is listed; else the word itself."""
    if len(word) < 5:
        return word
    for british, american in _BRITISH:
        if word.endswith(british):
            other = word[: -len(british)] + american
            if _rank(other) < _UNLISTED:
                return other
    return word
