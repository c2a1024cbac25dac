"""What a query names outright: a file by its name, or what kind of thing is meant.

Knows words and passages; knows no index, no model and no other score than how far such a name lifts one.
"""

from __future__ import annotations

import re

from rag.types import Passage, Slide

BY_NAME = 0.5  # of what a score lacks to 1: who types the name of a file means that file, but may mean what it is about
OF_KIND = 0.1  # the same, where no reranker reads the kind among the clues and weighs it itself

_SEPARATORS = re.compile(r"[\W_]+")
_KINDS = {
    "screenshot": re.compile(r"\bscreen ?shots?\b|截图|截屏", re.I),
    "frame": re.compile(r"\b(?:videos?|clips?|footage|films?)\b|视频|录像", re.I),
    "slide": re.compile(r"\bslides?\b|幻灯片", re.I),
}
_CALLED = {"frame": "video"}


def boost(score: float, lift: float) -> float:
    """A score with a share of what it lacks to 1; scores that are lifted alike keep their order."""
    return score + lift * (1.0 - score)


def kind_asked_for(words: str, passage: Passage) -> str:
    """What a person calls a passage of this kind, where the words ask for one: "screenshot", "video", "slide"; else ""."""
    kind = "slide" if isinstance(passage.locator, Slide) else passage.kind
    return _CALLED.get(kind, kind) if kind in _KINDS and _KINDS[kind].search(words) else ""


def names_file(words: str, path: str) -> bool:
    """Whether the words are the path, its end, or its last part without the suffix; separators and case do not count.

    A name of one or two characters is none: too many things are called so.
    """
    asked = _plain(words)
    if len(asked) < 3:
        return False
    name = path.rpartition("/")[2]
    stem = name[: name.rfind(".")] if "." in name[1:] else name
    return asked == _plain(stem) or (f" {_plain(path)}".endswith(f" {asked}") and len(asked) >= len(_plain(name)))


def _plain(text: str) -> str:
    return _SEPARATORS.sub(" ", text).strip().casefold()
