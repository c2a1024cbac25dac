"""What is known about a passage besides its pixels, as words: path, caption, date, text in the picture.

Knows passages; knows no file, no model and no index.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from rag.text.emoji import spelled
from rag.types import Clue, Kind, Passage, Slide

_PHOTOS: tuple[Kind, ...] = ("image", "screenshot")  # a page or a mail says its date itself, where it matters
_SEPARATORS = re.compile(r"[/\\_.\-+~()\[\]{}\s]+")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def path_words(path: str) -> str:
    """The words of a path below its root: its parts in reading order, then the file name unchanged; emoji with their names."""
    name = path.rpartition("/")[2]
    stem = path[: path.rfind(".")] if "." in name[1:] else path
    return spelled(f"{_SEPARATORS.sub(' ', stem).strip()} {name}")


def date_words(taken: float | None) -> str:
    """A capture date in the forms people type: `2026-03-14 14 March 2026 2026年3月14日`; "" where it is unknown."""
    if taken is None:
        return ""
    day = datetime.fromtimestamp(taken, UTC)
    return f"{day:%Y-%m-%d} {day.day} {_MONTHS[day.month - 1]} {day.year} {day.year}年{day.month}月{day.day}日"


def embedded_clues(passage: Passage, allowed: frozenset[Clue]) -> str:
    """The words embedded with a picture: its text, caption and date. Not its path, so that a moved file keeps its vector."""
    date = date_words(passage.taken) if "date" in allowed and passage.kind in _PHOTOS else ""
    return "\n".join(part for part in (passage.text, passage.caption, date) if part)


def found_by(passage: Passage, allowed: frozenset[Clue]) -> str:
    """The words, besides its own, by which the lexical lane finds a passage: those of its path and its date."""
    path = " ".join(map(path_words, filter(None, (passage.document.path, passage.inner)))) if "path" in allowed else ""
    date = date_words(passage.taken) if "date" in allowed and passage.kind in (*_PHOTOS, "frame") else ""
    return f"{path} {date}".strip()


def kind_words(passage: Passage) -> str:
    """The everyday word for the kind of a passage, so that "the slide about …" matches slides."""
    if isinstance(passage.locator, Slide):
        return "slide 幻灯片"
    return {"screenshot": "screenshot 截图", "frame": "video 视频", "page": "page 页"}.get(passage.kind, "")


def judged_clues(passage: Passage, allowed: frozenset[Clue]) -> str:
    """What a text reranker is told about a passage besides its content: all clues, title, headings and kind."""
    around = (passage.context.title, passage.context.heading, passage.context.sheet, passage.context.about)
    own = "" if passage.modality == "text" else passage.text
    parts = (own, passage.caption, *around, found_by(passage, allowed), kind_words(passage))
    return "\n".join(part for part in parts if part)
