"""Outlook's own messages: headers, bodies of every kind, attachments, messages in messages, and damage."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside.reader import loader_of
from tests.contracts.test_loaders import pdf
from tests.unit.loaders.test_inside import LIMITS, document, read, reasons, words
from tests.unit.loaders.text.outlook_files import compound, file, forwarded, message


def test_a_message_is_read_with_what_is_attached(tmp_path: Path) -> None:
    inner = message("Permit refused", "A second drawing is wanted.", sender="Quentin <q@example.org>", top=False)
    attached = [file("Übersicht.pdf", pdf()), forwarded(inner), file("n.txt", b"Tailgate lift needed. " * 300)]
    found = read(tmp_path, "a.msg", compound(message("Räume", "Die Übergabe ist am Freitag.", attached=attached)))
    said = words(found)
    assert said[""].startswith("Subject: Räume\nFrom: Ann <ann@example.org>\nTo: Bo\nDate: ")
    assert said[""].endswith("Die Übergabe ist am Freitag.\n\nAttachments: Übersicht.pdf, n.txt")
    assert "second drawing" in said["Permit refused.eml"] and "From: Quentin <q@example.org>" in said["Permit refused.eml"]
    assert said["Übersicht.pdf"] == "Page 2 about a harbour" and said["n.txt"].startswith("Tailgate lift")
    assert found[0][0].context.title == "Räume" and found[0][0].taken == 1_740_992_400.0
    assert reasons(found) == []


@pytest.mark.parametrize(
    "made",
    [
        message("s", "", html="<p>Der <b>Dampfer</b> kommt.</p>"),
        message("s", "Der Dampfer kommt.", narrow=1252),
        message("s", "", rtf=rb"{\rtf1\ansi Der Dampfer kommt.}"),
    ],
)
def test_bodies_of_every_kind_are_read(tmp_path: Path, made: dict[str, object]) -> None:
    found = words(read(tmp_path, "a.msg", compound(made)))  # type: ignore[arg-type]
    assert any("Dampfer" in text and "kommt." in text for text in found.values())


def test_messages_in_messages_and_large_ones_are_bounded(tmp_path: Path) -> None:
    made = message("bottom", "The bottom.", top=False)
    for level in range(30):
        made = message(f"level {level}", f"Word{level}.", top=level == 29, attached=[forwarded(made)])
    found = read(tmp_path, "a.msg", compound(made))  # type: ignore[arg-type]
    assert len(words(found)) == 4
    assert reasons(found)[0].endswith("holds files that are nested too deeply; the limit is max_depth = 3")
    large = document(tmp_path, "b.msg", compound(message("large", "x" * 50_000)))  # type: ignore[arg-type]
    with pytest.raises(UnreadableDocument, match="has more bytes than 4 times max_text_bytes"):
        list(loader_of("mail").split(large, Limits(max_text_bytes=10_000)))


def test_packed_rich_text_is_unpacked() -> None:
    from rag.loaders.text.outlook import _unpacked

    example = bytes.fromhex(  # MS-OXRTFCP 3.1.1
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert _unpacked(example) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    chance = random.Random(3)
    for _ in range(200):
        at = chance.randrange(16, len(example))
        _unpacked(example[:at] + chance.randbytes(1) + example[at + 1 :])


def test_damage_anywhere_gives_words_or_a_reason(tmp_path: Path) -> None:
    chance = random.Random(5)
    whole = compound(message("Papers", "See.", attached=[file("n.txt", b"words"), forwarded(message("In", "In.", top=False))]))
    for number in range(200):
        at = chance.randrange(len(whole))
        damaged = whole[:at] if number % 4 == 0 else whole[:at] + chance.randbytes(4) + whole[at + 4 :]
        made = document(tmp_path, "a.msg", damaged)
        try:
            passages = list(loader_of("mail").split(made, LIMITS))
            list(loader_of("mail").read(made, passages, LIMITS))
        except UnreadableDocument as error:
            assert error.what
