"""Reads the formats in which subtitles are kept, as cues: SubRip, WebVTT, ASS, SSA, MicroDVD, SubViewer, LRC, SAMI and TTML.

Knows texts; knows no file and no video. Times are seconds from the start of whatever the subtitles belong to.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

USUAL_RATE = 25.0  # frames a second, where neither a MicroDVD file nor its video says
_LONGEST = 10.0  # seconds a line stays where only its beginning is written

# 00:01:02,500; hours may be missing (WebVTT §4.1), and fractions too (found in the wild)
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_ARROW = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}", re.MULTILINE)  # 00:01:02,500 --> 00:01:04.000 align:start
_SUBVIEWER = re.compile(rf"^\s*{_TIME},{_TIME}\s*$", re.MULTILINE)  # 00:01:02.50,00:01:04.00
_MICRODVD = re.compile(r"^\{(\d{1,9})\}\{(\d{0,9})\}(.*)$", re.MULTILINE)  # in frames
_LRC = re.compile(r"^((?:\[\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?\][ \t]*)+)(.*)$", re.MULTILINE)
_LRC_TIME = re.compile(r"\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_LRC_OFFSET = re.compile(r"^\[offset:\s*([+-]?\d{1,7})\]", re.MULTILINE | re.IGNORECASE)  # milliseconds to be earlier
_SAMI = re.compile(r"<sync\s+start\s*=\s*[\"']?(\d{1,10})[^>]{0,100}>", re.IGNORECASE)
_TTML = re.compile(r"<(?:\w{1,20}:)?p\b([^<>]{0,1000})>")
_TTML_END = re.compile(r"</(?:\w{1,20}:)?p>")
_TTML_TIME = re.compile(rf"""\b(begin|end)\s*=\s*["'](?:{_TIME}|(\d{{1,9}}(?:\.\d{{1,9}})?)(s|ms))["']""")
_DIALOGUE = re.compile(r"^(Format|Dialogue):[ \t]*(.*)$", re.MULTILINE)
_ASS_FORMAT = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
_DRAWING = re.compile(r"\{[^{}]{0,200}\\p[1-9][^{}]{0,200}\}.*?(?:\{[^{}]{0,200}\\p0[^{}]{0,200}\}|$)", re.DOTALL)

_ASS_BREAK = re.compile(r"\\[Nnh]")
_TAG = re.compile(  # <i>, <c.yellow>, <00:01:02.000>, {\an8}, MicroDVD's {y:i} and SubViewer's [br]
    r"</?[A-Za-z0-9][^<>]{0,200}>|\{\\[^{}]{0,200}\}|\{[A-Za-z]:[^{}]{0,60}\}|\[br\]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said from `start` to `end`, in seconds, and in which language, where that is known."""

    start: float
    end: float
    text: str
    language: str = ""  # its English name


def parse_cues(text: str, rate: float = USUAL_RATE) -> list[Cue]:
    """Cues in the order of the file, markup removed, by the format the text shows; [] where it is none of them.

    `rate` is the frames a second of the video, for files that count frames and do not say it themselves.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    return [cue for cue in _cues(text, rate) if cue.text and cue.end > cue.start >= 0]


def plain(text: str) -> str:
    """The words of a cue on one line, without markup."""
    text = _TAG.sub(" " if "[br]" in text.lower() else "", _ASS_BREAK.sub(" ", _DRAWING.sub("", text) if "\\p" in text else text))
    return " ".join(html.unescape(text).split())


def _cues(text: str, rate: float) -> Iterator[Cue]:
    if _ARROW.search(text):
        yield from _blocks(text)
    elif _DIALOGUE.search(text):
        yield from _dialogues(text)
    elif _MICRODVD.search(text):
        yield from _frames(text, rate)
    elif _SUBVIEWER.search(text):
        yield from _subviewer(text)
    elif _SAMI.search(text):
        yield from _sami(text)
    elif _LRC.search(text):
        yield from _lyrics(text)
    elif "<" in text:
        yield from _timed_text(text)


def _blocks(text: str) -> Iterator[Cue]:
    """SubRip and WebVTT; anything before the first cue (headers, notes, styles) is skipped.

    A cue ends at a blank line or, in files that leave it out, at the number or the times of the next cue.
    """
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.split("\n")
        arrows = [place for place, line in enumerate(lines) if _ARROW.match(line)]
        for place, following in pairwise([*arrows, len(lines) + 1]):
            said = lines[place + 1 : following]
            if following < len(lines) and said and said[-1].strip().isdigit():
                said.pop()
            times = _ARROW.match(lines[place])
            assert times is not None
            yield Cue(_seconds(*times.groups()[:4]), _seconds(*times.groups()[4:]), plain("\n".join(said)))


def _subviewer(text: str) -> Iterator[Cue]:
    marks = list(_SUBVIEWER.finditer(text))
    for mark, following in pairwise([*marks, None]):
        assert mark is not None
        said = text[mark.end() : following.start() if following else len(text)].strip("\n").partition("\n\n")[0]
        yield Cue(_seconds(*mark.groups()[:4]), _seconds(*mark.groups()[4:]), plain(said))


def _dialogues(text: str) -> Iterator[Cue]:
    """ASS and SSA: the last `Format` before a dialogue tells the order of its fields; its text is the last."""
    fields = [field.strip() for field in _ASS_FORMAT.split(",")]
    for mark in _DIALOGUE.finditer(text):
        if mark[1] == "Format":
            fields = [field.strip() for field in mark[2].split(",")]
            continue
        values = dict(zip(fields, mark[2].split(",", len(fields) - 1), strict=False))
        start, end = (re.match(_TIME, values.get(name, "").strip()) for name in ("Start", "End"))
        if start and end:
            yield Cue(_seconds(*start.groups()), _seconds(*end.groups()), plain(values.get("Text", "")))


def _frames(text: str, rate: float) -> Iterator[Cue]:
    """MicroDVD: from frame to frame; a first line `{1}{1}23.976` gives the frames a second."""
    marks = list(_MICRODVD.finditer(text))
    named = re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*", marks[0][3])
    if named and int(marks[0][1]) <= 1:
        marks, rate = marks[1:], float(named[1])
    rate = rate if rate > 0 else USUAL_RATE
    for mark in marks:
        start = int(mark[1]) / rate
        yield Cue(start, int(mark[2]) / rate if mark[2] else start + _LONGEST, plain(mark[3].replace("|", " ")))


def _lyrics(text: str) -> Iterator[Cue]:
    """LRC: a line may have several times, and stays until the next one."""
    offset = _LRC_OFFSET.search(text)
    earlier = int(offset[1]) / 1000 if offset else 0.0
    lines = [
        (max(0.0, _seconds(None, *time) - earlier), plain(mark[2]))
        for mark in _LRC.finditer(text)
        for time in _LRC_TIME.findall(mark[1])
    ]
    lines.sort(key=lambda line: line[0])
    for (start, said), (until, _) in pairwise([*lines, (float("inf"), "")]):
        yield Cue(start, min(until, start + _LONGEST), said)


def _sami(text: str) -> Iterator[Cue]:
    marks = list(_SAMI.finditer(text))
    for mark, following in pairwise([*marks, None]):
        assert mark is not None
        start = int(mark[1]) / 1000
        until = int(following[1]) / 1000 if following else start + _LONGEST
        yield Cue(
            start, min(until, start + 3 * _LONGEST), plain(text[mark.end() : following.start() if following else len(text)])
        )


def _timed_text(text: str) -> Iterator[Cue]:
    """TTML and DFXP."""
    marks = list(_TTML.finditer(text))
    for mark, following in pairwise([*marks, None]):
        assert mark is not None
        inside = text[mark.end() : following.start() if following else len(text)]
        end = _TTML_END.search(inside)
        times = {
            time[0]: float(time[5]) / (1000 if time[6] == "ms" else 1) if time[5] else _seconds(*time[1:5])
            for time in _TTML_TIME.findall(mark[1])
        }
        if "begin" in times:
            said = re.sub(r"<(?:\w{1,20}:)?br\s*/?>", " ", inside[: end.start()] if end else inside)
            yield Cue(times["begin"], times.get("end", times["begin"] + _LONGEST), plain(said))


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int((fraction or "0").ljust(3, "0")) / 1000
