"""Gives the words spoken in a time range of a video, from its subtitle files and tracks, with the language where several are.

Knows cues; `subtitle_formats.py` reads their formats, `rag.loaders.video.tracks` what stands inside a video.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate, islice
from pathlib import Path

from rag.corpus.file_types import SUBTITLE_SUFFIXES
from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.text.encoding import read_text
from rag.loaders.text.subtitle_formats import USUAL_RATE, Cue, parse_cues
from rag.text.language_names import language_named

_MOST_CUES = 500  # of one time range
_MOST_CHARACTERS = 20_000


def read_cues(files: Iterable[Path], limits: Limits, video: str = "", rate: float = USUAL_RATE) -> tuple[list[Cue], list[str]]:
    """The cues of the subtitle files among `files`, and of each that gives none the reason: the rest is read without it.

    `video` is the name of the video without its suffix: what a file's name has beside it may name a language.
    """
    cues: list[Cue] = []
    reasons: list[str] = []
    for file in sorted(files):
        if file.suffix.lower() not in SUBTITLE_SUFFIXES:
            continue
        try:
            found = parse_cues(read_text(file, limits), rate)
        except UnreadableDocument as refused:
            reasons.append(f"subtitles {file.name}: {_why(file, refused.what)}")
            continue
        if not found:
            reasons.append(f"subtitles {file.name}: no line with its time was found in it")
        language = language_named(file.stem.removeprefix(video) if video else file.stem.partition(".")[2])
        cues += [replace(cue, language=language) for cue in found]
    return cues, reasons


class Speech:
    """What is said when. Two files or tracks may say the same, and several languages at once."""

    def __init__(self, cues: Iterable[Cue]) -> None:
        self._cues = sorted(cues, key=lambda cue: (cue.start, cue.end))
        self._starts = [cue.start for cue in self._cues]
        self._ends = list(accumulate((cue.end for cue in self._cues), max))  # the latest end of any cue up to here

    def between(self, start: float, end: float) -> str:
        """The cues that overlap the time range, one per line, without repeats; bounded in cues and characters.

        Where more than one language is spoken in between, its name stands before each line.
        """
        near = self._cues[bisect_right(self._ends, start) : bisect_left(self._starts, end)]
        said = list(islice((cue for cue in near if cue.end > start), _MOST_CUES))
        several = len({cue.language for cue in said if cue.language}) > 1
        lines = dict.fromkeys(f"{cue.language}: {cue.text}" if several and cue.language else cue.text for cue in said)
        return "\n".join(lines)[:_MOST_CHARACTERS]


def _why(file: Path, reason: str) -> str:
    if file.suffix.lower() == ".sub" and "binary" in reason:
        return "pictures of words (VobSub), which this program does not read; save them as .srt with Subtitle Edit"
    return reason
