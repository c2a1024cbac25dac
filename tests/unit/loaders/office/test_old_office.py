"""Documents of Office until 2003: what is read of them, what deleted text and hidden slides are, and damage."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest

from rag.errors import UnreadableDocument
from rag.loaders.office.ole import kind_of_ole
from rag.types import Slide
from tests.unit.loaders.office.ole_files import bare_sheet, doc, ole, ppt
from tests.unit.loaders.office.test_office import split

SAMPLES = {
    "doc": lambda: doc(
        'The ships\x02 sank and came\r\x13 HYPERLINK "x" \x14the link\x15 of Łódź\r', "\x02 in spring\r", deleted=(10, 19)
    ),
    "ppt": lambda: ppt(["Cranes", "the reserve plan"], notes="speak up", hidden=1),
    "xls": lambda: bare_sheet([["part", "count"], ["rope", 12.0]]),
}


def test_a_word_document_without_deleted_text_and_field_codes(tmp_path: Path) -> None:
    (only,) = split(tmp_path, SAMPLES["doc"]())
    assert only.text.split("\n\n") == ["The ships came", "Footnote: in spring", "the link of Łódź"]


def test_a_deck_with_notes_and_a_hidden_slide(tmp_path: Path) -> None:
    first, second = split(tmp_path, SAMPLES["ppt"]())
    assert (first.locator, first.text) == (Slide(1), "Cranes\n\nNotes: speak up")
    assert (second.text, second.context.heading) == ("the reserve plan", "hidden slide")


def test_a_workbook_older_than_ole(tmp_path: Path) -> None:
    (only,) = split(tmp_path, SAMPLES["xls"]())
    assert only.text == "part | count\nrope | 12"


def test_what_a_file_is_and_that_it_is_encrypted(tmp_path: Path) -> None:
    file = tmp_path / "a"
    for kind, content in {
        "doc": SAMPLES["doc"](),
        "ppt": SAMPLES["ppt"](),
        "encrypted": ole({"EncryptedPackage": b""}),
        "": b"x" * 600,
    }.items():
        file.write_bytes(content)
        assert kind_of_ole(file) == kind
    with pytest.raises(UnreadableDocument, match="is encrypted; save it without a password"):
        split(tmp_path, ole({"EncryptedPackage": b""}))


def test_lengths_that_a_file_claims_are_not_believed(tmp_path: Path) -> None:
    whole = SAMPLES["doc"]()
    at = whole.index(b"\x02" + struct.pack("<I", 16)) + 9  # the end of the only piece
    with pytest.raises(UnreadableDocument, match="its pieces have impossible lengths"):
        split(tmp_path, whole[:at] + struct.pack("<I", 0x7FFFFFFF) + whole[at + 4 :])
    claims = struct.pack("<HHI16xI", 0xFFFE, 0, 0, 1).ljust(44, b"\0") + struct.pack("<III", 48, 0, 0) + b"\xff" * 4000
    begun = time.process_time()
    with pytest.raises(UnreadableDocument):
        split(tmp_path, ole({"WordDocument": b"\xec\xa5", "1Table": b"", "\x05SummaryInformation": claims}))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("kind", SAMPLES)
def test_damage_gives_passages_or_a_reason(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(kind)
    whole = SAMPLES[kind]()
    refused = 0
    for _ in range(300):
        at = chance.randrange(len(whole))
        flipped = bytearray(whole)
        for _ in range(chance.choice([1, 1, 4])):
            place = chance.choice([chance.randrange(min(len(whole), 2_600)), chance.randrange(len(whole))])
            flipped[place] = chance.choice([0, 0xFF, chance.randrange(256)])
        try:
            split(tmp_path, chance.choice([bytes(flipped), bytes(flipped), bytes(flipped), whole[:at]]))
        except UnreadableDocument as error:
            refused += bool(error.what)
    assert 0 < refused < 300
    assert capsys.readouterr().out == ""
