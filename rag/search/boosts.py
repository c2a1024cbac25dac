"""Boosts passages that a query names: their file by its name, or their kind ("screenshot", "video", "slide").

Knows words and passages; knows no index and no model.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.types import Passage, Slide

LEAD = 0.5  # without a reranker: all that the query asks for by name or by kind is above this share of the scores, the rest below
BY_NAME = 0.5  # share of the distance to 1: a query that is a file's name means that file, but perhaps only its subject
OF_KIND = 0.1  # the same, without a reranker: one that runs reads the kind among the clues

MOST_WORDS = 4  # of an identifier: a plate, an order number, a serial number

_SEPARATORS = re.compile(r"[\W_]+")
_KINDS = {
    "screenshot": re.compile(r"\bscreen ?shots?\b|截图|截屏", re.I),
    "frame": re.compile(r"\b(?:videos?|clips?|footage|films?)\b|视频|录像", re.I),
    "slide": re.compile(r"\bslides?\b|幻灯片", re.I),
}
_NAMES = {"frame": "video"}


def boost(score: float, lift: float) -> float:
    """The score, moved towards 1 by the share `lift` of the distance; equal lifts keep the order of scores."""
    return score + lift * (1.0 - score)


def lead(score: float, *, leads: bool) -> float:
    """The score among those of which some lead: the leading ones in their order, then the others in theirs."""
    return LEAD + (1.0 - LEAD) * score if leads else LEAD * score


def requested_kind(words: str, passage: Passage) -> str:
    """The kind of the passage if the words ask for it: "screenshot", "video" or "slide"; else ""."""
    kind = "slide" if isinstance(passage.locator, Slide) else passage.kind
    return _NAMES.get(kind, kind) if kind in _KINDS and _KINDS[kind].search(words) else ""


def names_file(words: str, path: str) -> bool:
    """Whether the words are the path, the end of it, or the file name without suffix; separators and case do not matter.

    Names of one or two characters do not count: they are too common.
    """
    query = _plain(words)
    if len(query) < 3 or query.rpartition(" ")[2] not in path.casefold():
        return False
    name = path.rpartition("/")[2]
    stem = name[: name.rfind(".")] if "." in name[1:] else name
    return query == _plain(stem) or (f" {_plain(path)}".endswith(f" {query}") and len(query) >= len(_plain(name)))


def holds_identifier(words: str, text: str) -> bool:
    """Whether the words are an identifier with digits ("RE16 TGK") that stands in the text so; case does not matter."""
    asked = words.split()
    if not 2 <= len(asked) <= MOST_WORDS or not any(map(str.isdigit, words)):
        return False  # one word is one term of the full text already
    written = r"\s+".join(map(re.escape, asked))
    return re.search(rf"(?<!\w){written}(?!\w)", text, re.IGNORECASE) is not None


@lru_cache(maxsize=64)  # one query, beside the names of all candidates
def _plain(text: str) -> str:
    return _SEPARATORS.sub(" ", text).strip().casefold()
