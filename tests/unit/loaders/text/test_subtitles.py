"""SubRip and WebVTT in all their variants: cues, times, markup, encodings."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.loaders.base import Limits
from rag.loaders.text.subtitles import Cue, parse_cues, read_cues, spoken

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
    assert read_cues([file], Limits()) == (Cue(1.0, 3.5, said),)


def test_files_are_merged_by_time_and_others_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.en.srt").write_text("1\n00:00:05,000 --> 00:00:06,000\nlater\n")
    (tmp_path / "a.de.VTT").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nfrüher\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("1\n00:00:05,000 --> 00:00:06,000\nno subtitle\n")
    (tmp_path / "empty.srt").write_bytes(b"")
    (tmp_path / "noise.srt").write_bytes(bytes(range(256)) * 20)
    cues = read_cues(tmp_path.iterdir(), Limits())
    assert [cue.text for cue in cues] == ["früher", "later"]


def test_words_spoken_in_a_time_range() -> None:
    cues = (Cue(0, 2, "one"), Cue(2, 4, "two"), Cue(3, 5, "two"), Cue(4, 9, "three"))
    assert spoken(cues, 2.0, 4.0) == "two"
    assert spoken(cues, 1.5, 4.1) == "one\ntwo\nthree"
    assert spoken(cues, 9.0, 12.0) == ""
