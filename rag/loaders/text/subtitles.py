"""Reads SubRip (.srt) and WebVTT (.vtt) subtitles as cues, and gives the words spoken in a time range.

Knows no video: times are seconds from the start of whatever the subtitles belong to.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.text.encoding import read_text

SUFFIXES = frozenset({".srt", ".vtt"})

# 00:01:02,500 --> 00:01:04.000 align:start; hours may be missing (WebVTT §4.1), and fractions too (found in the wild)
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_ARROW = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]{0,200}>|\{\\[^{}]{0,200}\}")  # <i>, <c.yellow>, <00:01:02.000>, {\an8}


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


def read_cues(files: Iterable[Path], limits: Limits) -> tuple[Cue, ...]:
    """The cues of the subtitle files among `files`, by time. An unreadable file gives none: the video is indexed without it."""
    cues: list[Cue] = []
    for file in sorted(files):
        if file.suffix.lower() in SUFFIXES:
            try:
                cues += parse_cues(read_text(file, limits))
            except UnreadableDocument:
                continue
    return tuple(sorted(cues, key=lambda cue: (cue.start, cue.end)))


def parse_cues(text: str) -> list[Cue]:
    """Cues in the order of the file, markup removed; anything before the first (headers, notes, styles) is skipped.

    A cue ends at a blank line or, in files that leave it out, at the number or the times of the next cue.
    """
    cues = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")):
        lines = block.split("\n")
        arrows = [place for place, line in enumerate(lines) if _ARROW.match(line)]
        for place, following in pairwise([*arrows, len(lines) + 1]):
            said = lines[place + 1 : following]
            if following < len(lines) and said and said[-1].strip().isdigit():
                said.pop()
            times = _ARROW.match(lines[place])
            assert times is not None
            start, end = _seconds(*times.groups()[:4]), _seconds(*times.groups()[4:])
            words = _plain("\n".join(said))
            if words and end > start:
                cues.append(Cue(start, end, words))
    return cues


def spoken(cues: Sequence[Cue], start: float, end: float) -> str:
    """The words spoken between two times: overlapping cues, one per line, without repeats (two files may say the same)."""
    return "\n".join(dict.fromkeys(cue.text for cue in cues if cue.start < end and cue.end > start))


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int((fraction or "0").ljust(3, "0")) / 1000


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", text)).split())
