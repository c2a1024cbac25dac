"""Bytes to text: the encodings people use, and bytes that are not text."""

from __future__ import annotations

import random

import pytest

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.text.encoding import decoded, holds_text, read_text

CHINESE = "港口的船只在清晨的雾中静静地停泊着，渔民们准备出海。\n今天的天气很好，适合航行。\n"
TRADITIONAL = "港口的船隻在清晨的霧中靜靜地停泊著，漁民們準備出海。\n"
JAPANESE = "港の船は朝霧の中で静かに停泊していた。漁師たちは出漁の準備をしている。\n"
KOREAN = "항구의 배들은 아침 안개 속에 조용히 정박해 있었다.\n"
RUSSIAN = "Корабли в гавани тихо стояли в утреннем тумане.\n"
FRENCH = "Les bateaux étaient amarrés au port, à côté du café; l'été était très agréable.\n"
QUOTED = "It\u2019s \u201cquoted\u201d \u2014 plain English with a price of \u20ac5.\n"
POLISH = "Zażółć gęślą jaźń. Łodzie w porcie były ciche, a rybacy przygotowywali się do wyjścia w morze.\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(CHINESE, name) for name in ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32")]
    + [(TRADITIONAL, "big5"), (JAPANESE, "cp932"), (JAPANESE, "euc_jp"), (JAPANESE, "iso2022_jp"), (KOREAN, "cp949")]
    + [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (RUSSIAN, "utf-16-le"), (FRENCH, "cp1252"), (FRENCH, "latin-1")]
    + [(QUOTED, "cp1252"), (QUOTED, "utf-16-be"), (POLISH, "cp1250")],
)
def test_reads_what_people_wrote(text, encoding):
    assert decoded(text.encode(encoding)) == text
    assert holds_text(text.encode(encoding))


@pytest.mark.parametrize(
    "raw",
    [
        "# -*- coding: gbk -*-\nx = '你'\n".encode("gbk"),
        '<?xml version="1.0" encoding="GB2312"?><a>你</a>'.encode("gbk"),
        '<meta charset="gb2312"><p>你</p>'.encode("gbk"),
    ],
)
def test_a_declared_encoding_is_believed_where_utf_8_does_not_hold(raw):
    assert "你" in decoded(raw)


def test_a_declared_encoding_that_is_no_charset_is_ignored():
    assert decoded(b"encoding: unicode_escape caf\xe9 \\u0041\n") == "encoding: unicode_escape café \\u0041\n"


def test_a_log_cut_in_the_middle_of_a_character_is_still_utf_8():
    assert decoded("größte Stille\n".encode() * 3 + b"\xc3") == "größte Stille\n" * 3 + "\ufffd"


def test_line_ends_become_one_kind_so_that_lines_count_alike():
    assert decoded(b"a\r\nb\rc\nd\r\n").split("\n") == ["a", "b", "c", "d", ""]


@pytest.mark.parametrize("raw", [b"", b"  \r\n\t", "\ufeff".encode(), " \n".encode("utf-16")])
def test_nothing_but_white_space_is_empty(raw):
    with pytest.raises(UnreadableDocument, match=r"^is empty$"):
        decoded(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"\0" * 500,
        random.Random(0).randbytes(4096),
        b"\x7fELF\x02\x01\x01" + b"\0" * 60,
        b"\xff\xfe" + random.Random(1).randbytes(999),
        bytes(byte for high in random.Random(2).choices(range(0x6C, 0x90), k=2000) for byte in (0, high)),  # 16-bit pixels of sky
        bytes(200) + b"\t\t\t\t{moveto show pop}\n" * 200,  # PostScript after a preview
    ],
)
def test_binary_data_is_not_text(raw):
    assert not holds_text(raw)
    with pytest.raises(UnreadableDocument, match=r"^contains binary data, not text$"):
        decoded(raw)


def test_a_stray_nul_does_not_make_a_log_binary():
    assert decoded(b"line\n" * 100 + b"\0x\n").endswith("line\n x\n")


def test_a_text_above_the_limit_is_refused_with_both_numbers(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * 11)
    with pytest.raises(UnreadableDocument, match=r"has 11 bytes of text; the limit max_text_bytes is 10"):
        read_text(tmp_path / "a.txt", Limits(max_text_bytes=10))
    assert read_text(tmp_path / "a.txt", Limits(max_text_bytes=11)) == "x" * 11


def test_a_file_that_is_gone_gives_a_reason(tmp_path):
    with pytest.raises(UnreadableDocument, match="cannot be opened: No such file"):
        read_text(tmp_path / "gone.txt", Limits())
