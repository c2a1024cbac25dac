"""What Office embeds as an object of another program: the file in it is read. Makes its documents itself."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name
from tests.contracts.test_loaders import pdf
from tests.unit.loaders.office.ole_files import doc, ole
from tests.unit.loaders.office.test_office import paragraph, word, zipped
from tests.unit.loaders.test_inside import document, read, reasons
from tests.unit.loaders.test_inside_documents import beside

WORDS = b"The sluice is opened at half tide.\n"


def packaged(label: str, content: bytes) -> bytes:
    """A native object as the Packager writes it."""
    path = f"C:\\Temp\\{label}".encode() + b"\0"
    body = struct.pack("<H", 2) + label.encode() + b"\0" + path + struct.pack("<HHI", 0, 3, len(path)) + path
    body += struct.pack("<I", len(content)) + content
    return struct.pack("<I", len(body)) + body


def holding(streams: dict[str, bytes]) -> bytes:
    """A Word document with one embedded object."""
    return beside(zipped(word(paragraph("Below is the object."))), {"word/embeddings/oleObject1.bin": ole(streams)})


@pytest.mark.parametrize(
    ("streams", "inner", "words"),
    [
        ({"\x01Ole10Native": packaged("sluice.txt", WORDS)}, "sluice.txt", "opened at half tide"),
        ({"CONTENTS": pdf()}, "object.pdf", "Page 0 about a harbour"),
        ({"Package": zipped(word(paragraph("A letter in a letter.")))}, "object", "letter in a letter"),
    ],
    ids=["packager", "acrobat", "office"],
)
def test_the_file_in_an_object_is_read(tmp_path: Path, streams: dict[str, bytes], inner: str, words: str) -> None:
    found = read(tmp_path, "a.docx", holding(streams))
    assert any(words in passage.text for passage, _ in found if passage.inner == f"oleObject1.bin/{inner}")


def test_a_word_document_of_before_2007_in_a_document_is_read(tmp_path: Path) -> None:
    made = beside(zipped(word(paragraph("Below is another."))), {"word/embeddings/oleObject1.bin": doc("The old pump is green.")})
    found = {passage.inner: passage.text for passage, _ in read(tmp_path, "a.docx", made)}
    assert "old pump is green" in found["oleObject1.bin"]


def test_an_object_of_a_program_we_do_not_know_is_reported(tmp_path: Path) -> None:
    found = reasons(read(tmp_path, "a.docx", holding({"CONTENTS": b"DRAWING" * 900})))
    said = "is not a format this program reads (OLE, from old Office or another Windows program)"
    assert f"inside it: oleObject1.bin: {said}" in found


def test_damaged_objects_are_reasons(tmp_path: Path) -> None:
    whole = ole({"\x01Ole10Native": packaged("sluice.txt", WORDS)})
    dice = random.Random(1)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(4):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        made = beside(zipped(word(paragraph("Below."))), {"word/embeddings/oleObject1.bin": bytes(damaged)})
        assert read(tmp_path, "a.docx", made)[0][0].text.endswith("Below.")
    for length in (0xFFFFFFFF, 5_000):
        cut = packaged("sluice.txt", WORDS)
        at = cut.index(struct.pack("<I", len(WORDS)) + WORDS)
        found = reasons(read(tmp_path, "a.docx", holding({"\x01Ole10Native": cut[:at] + struct.pack("<I", length) + WORDS})))
        assert "inside it: oleObject1.bin: is a damaged embedded object: it ends too early" in found


def test_a_mailbox_whose_messages_have_no_headers_is_one(tmp_path: Path) -> None:
    box = b"From sender Mon Jun 01 10:00:00 2009\n\nTest of the sluice\n\nFrom sender Mon Jun 01 11:00:00 2010\n\nA second one\n"
    file = document(tmp_path, "simple.mbox", box).file
    assert loader_name(file, Limits()) == "archive"
    texts = [passage.text for passage, _ in read(tmp_path, "simple.mbox", box)]
    assert any("Test of the sluice" in text for text in texts) and any("A second one" in text for text in texts)
    plain = document(tmp_path, "letter", b"From here to 10:00 there is time.\n\nYours\n").file
    assert loader_name(plain, Limits()) == "text"
    with pytest.raises(UnreadableDocument, match=r"named \.mbox but contains text"):
        loader_name(document(tmp_path, "b.mbox", b"From here on it is a letter.\n").file, Limits())
