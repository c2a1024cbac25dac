"""Rich text: what is shown, what stands beside it, code pages, and damage."""

from __future__ import annotations

import random
import time
from pathlib import Path

from rag.errors import UnreadableDocument
from tests.unit.loaders.office.test_office import split

SAMPLE = (
    rb"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}}"
    rb"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}}{\info{\title Harbour papers}}"
    rb"{\header Harbour Board\par}{\pict\pngblip 89504e470d0a}"
    rb"{\pard\s1 Ships\par}\pard They {\deleted sank}came{\footnote in spring}"
    rb"{\*\atnauthor Ann}{\*\annotation all?} caf\'e9 \u8364? {\f1\'cf\'f0\'e8\'e2\'e5\'f2}\par"
    rb"{\field{\*\fldinst HYPERLINK " + b'"http://x"' + rb"}{\fldrslt the link}}\par"
    rb"\trowd\pard\intbl a\cell b\par b2\cell\row\pard after\par"
    rb"{\shp{\*\shpinst{\sp{\sn wzDescription}{\sv A red boat}}{\shptxt \pard in a box\par}}}"
    rb"{\*\unknown hidden words}\bin4 }}}}last words\par}"
)


def test_what_a_person_sees_is_read_in_order(tmp_path: Path) -> None:
    passages = split(tmp_path, SAMPLE)
    assert "\n\n".join(one.text for one in passages).split("\n\n") == [
        *("# Ships", "They came café € Привет", "Footnote: in spring", "Comment (Ann): all?", "the link", "a | b b2", "after"),
        *("last words", "A red boat", "in a box", "Header: Harbour Board"),
    ]
    assert {one.context.title for one in passages} == {"Harbour papers"}


def test_hidden_words_end_their_paragraph(tmp_path: Path) -> None:
    (only,) = split(tmp_path, rb"{\rtf1\ansi\pard re{\v secret}plated \v more\v0 hull\par\plain next\par}")
    assert only.text.split("\n\n") == ["replated hull secret more", "next"]


def test_double_bytes_may_look_like_letters(tmp_path: Path) -> None:
    raw = "表示ソフト".encode("cp932")
    escaped = b"".join(bytes([one]) if 0x61 <= one <= 0x7A else rb"\'%02x" % one for one in raw)
    (only,) = split(tmp_path, rb"{\rtf1\ansi\ansicpg932{\fonttbl{\f0\fcharset128 Gothic;}}\f0 " + escaped + rb"\par}")
    assert only.text == "表示ソフト"


def test_depth_and_length_end(tmp_path: Path) -> None:
    begun = time.process_time()
    for content in (
        b"{\\rtf1 " + b"{" * 200_000,
        b"{\\rtf1 " + b"\\bin-5 " * 100_000,
        b"{\\rtf1 " + b"a\\cell" * 100_000,
        b"{\\rtf1" + b"}" * 99,
    ):
        try:
            split(tmp_path, content)
        except UnreadableDocument as error:
            assert error.what
    assert time.process_time() - begun < 20


def test_damage_gives_passages_or_a_reason(tmp_path: Path) -> None:
    chance = random.Random(8)
    for _ in range(400):
        at = chance.randrange(6, len(SAMPLE))
        flipped = SAMPLE[:at] + bytes([chance.randrange(256)]) + SAMPLE[at + 1 :]
        try:
            split(tmp_path, chance.choice([flipped, SAMPLE[:at], SAMPLE[:at] + SAMPLE[at + 5 :]]))
        except UnreadableDocument as error:
            assert error.what
