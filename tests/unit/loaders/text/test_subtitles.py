"""SubRip and WebVTT in all their variants: cues, times, markup, encodings."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rag.loaders.base import Limits
from rag.loaders.text.subtitle_formats import Cue, parse_cues
from rag.loaders.text.subtitles import Speech, read_cues

SRT = """1
00:00:01,000 --> 00:00:03,500
<i>Welcome</i> to the
{\\an8}harbour &amp; the quay

2
00:00:04,000 --> 00:01:06,250
Second cue
"""

VTT = """WEBVTT - a talk

NOTE not spoken

STYLE
::cue { color: red }

intro
00:01.000 --> 00:03.500 align:start position:0%
<v Astrid>Mind the <c.loud>crane</c></v> <00:02.000>now

01:00:00.5 --> 01:00:02
an hour later
"""


def test_subrip() -> None:
    assert parse_cues(SRT) == [Cue(1.0, 3.5, "Welcome to the harbour & the quay"), Cue(4.0, 66.25, "Second cue")]


def test_webvtt() -> None:
    assert parse_cues(VTT) == [Cue(1.0, 3.5, "Mind the crane now"), Cue(3600.5, 3602.0, "an hour later")]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems(end: str) -> None:
    assert parse_cues(SRT.replace("\n", end)) == parse_cues(SRT)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "1\n00:00:05,000 --> 00:00:01,000\nbackwards", "1\n00:00:01 -->", "00:01.000 --> 00:02.000\n<i></i>"],
)
def test_everything_but_cues_is_skipped(text: str) -> None:
    assert parse_cues(text) == []


def test_blank_lines_may_be_left_out() -> None:
    assert parse_cues(SRT.replace("\n\n", "\n")) == parse_cues(SRT)


def test_angle_brackets_that_are_not_tags_stay() -> None:
    assert parse_cues("00:01.000 --> 00:02.000\nif 3 < 5 and 7 > 6")[0].text == "if 3 < 5 and 7 > 6"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    said = "欢迎来到港口，请注意起重机的安全距离，并遵守码头规定"
    file = tmp_path / "talk.srt"
    file.write_bytes(f"1\n00:00:01,000 --> 00:00:03,500\n{said}\n".encode(encoding))
    assert read_cues([file], Limits()) == ([Cue(1.0, 3.5, said)], [])


def test_files_are_read_with_their_language_and_what_is_not_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.en.srt").write_text("1\n00:00:05,000 --> 00:00:06,000\nlater\n")
    (tmp_path / "a.de.VTT").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nfrüher\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("1\n00:00:05,000 --> 00:00:06,000\nno subtitle\n")
    (tmp_path / "a.empty.srt").write_bytes(b"")
    (tmp_path / "a.noise.srt").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "a.sub").write_bytes(b"\0\0\1\xba" + bytes(range(256)) * 20)
    (tmp_path / "a.prose.srt").write_text("no times here")
    cues, reasons = read_cues(tmp_path.iterdir(), Limits(), "a")
    assert cues == [Cue(1.0, 2.0, "früher", "German"), Cue(5.0, 6.0, "later", "English")]
    assert reasons == [
        "subtitles a.empty.srt: is empty",
        "subtitles a.noise.srt: contains binary data, not text",
        "subtitles a.prose.srt: no line with its time was found in it",
        "subtitles a.sub: pictures of words (VobSub), which this program does not read; save them as .srt with Subtitle Edit",
    ]


def test_words_spoken_in_a_time_range() -> None:
    speech = Speech([Cue(4, 9, "three"), Cue(0, 2, "one"), Cue(2, 4, "two"), Cue(3, 5, "two")])
    assert speech.between(2.0, 4.0) == "two"
    assert speech.between(1.5, 4.1) == "one\ntwo\nthree"
    assert speech.between(9.0, 12.0) == ""


def test_languages_are_named_where_there_are_several() -> None:
    speech = Speech([Cue(0, 2, "one", "English"), Cue(0, 2, "eins", "German"), Cue(0, 2, "?"), Cue(3, 4, "two", "English")])
    assert speech.between(0, 2) == "English: one\nGerman: eins\n?"
    assert speech.between(2, 4) == "two"


ASS = """[Script Info]
Title: x
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,a remark
Dialogue: 0,0:00:08.00,0:00:11.50,Default,,0,0,0,,{\\i1}The handle, plaited\\Nlast{\\i0}
Dialogue: 0,0:00:12.00,0:00:13.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}
"""
SSA = """[Events]
Format: Marked, Start, End, Style, Text
Dialogue: Marked=0,0:00:02.00,0:00:03.00,x,Older, but read
"""
SAMI = "<SAMI><BODY><SYNC Start=1000><P Class=ENCC>Cast off<SYNC Start=2500><P Class=ENCC>&nbsp;</BODY></SAMI>"
TTML = '<tt><body><p begin="00:00:01.000" end="2.5s">Cast<br/>off</p><p begin="90s">Later</p></body></tt>'


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        (ASS, [Cue(8.0, 11.5, "The handle, plaited last")]),
        (SSA, [Cue(2.0, 3.0, "Older, but read")]),
        ("{1}{1}10.0\n{20}{45}{y:i}Cast|off\n{60}{}Anchor", [Cue(2.0, 4.5, "Cast off"), Cue(6.0, 16.0, "Anchor")]),
        ("{50}{100}Cast off", [Cue(2.0, 4.0, "Cast off")]),
        ("[INFORMATION]\n[TITLE]x\n00:00:01.50,00:00:03.25\nCast[br]off\n\n00:00:04.00,00:00:05.00\nAnchor\n",
         [Cue(1.5, 3.25, "Cast off"), Cue(4.0, 5.0, "Anchor")]),
        ("0:00:01.500,0:00:03.000\nCast\noff\n", [Cue(1.5, 3.0, "Cast off")]),
        ("[ti:Song]\n[offset:500]\n[00:01.50][00:09.00]Heave\n[00:03.5]<00:03.6>away\n[00:30]",
         [Cue(1.0, 3.0, "Heave"), Cue(3.0, 8.5, "away"), Cue(8.5, 18.5, "Heave")]),
        (SAMI, [Cue(1.0, 2.5, "Cast off")]),
        (TTML, [Cue(1.0, 2.5, "Cast off"), Cue(90.0, 100.0, "Later")]),
        ("{\\rtf1 nothing}", []),
    ],
)  # fmt: skip
def test_the_formats_found_beside_videos(text: str, cues: list[Cue]) -> None:
    assert parse_cues(text) == cues


def test_a_stored_rate_of_frames_is_preferred_to_that_of_the_video() -> None:
    assert parse_cues("{50}{100}Cast off", rate=50) == [Cue(1.0, 2.0, "Cast off")]


@pytest.mark.parametrize(
    "line", ["[00:01]", "<p begin='1s'>", "{\\p1}", "{1}{2}", "00:01 --> 00:02\n", "<SYNC Start=1>", "Dialogue: 0,"]
)
def test_hostile_repetition_takes_linear_time(line: str) -> None:
    started = time.monotonic()
    parse_cues(line * 60_000)
    assert time.monotonic() - started < 10
