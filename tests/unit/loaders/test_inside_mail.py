"""Attachments, messages in messages, mailboxes and saved pages. Makes its messages itself."""

from __future__ import annotations

import random
from email.message import EmailMessage
from pathlib import Path

import pytest

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name
from rag.loaders.inside.reader import loader_of
from rag.types import Content
from tests.contracts.test_loaders import pdf, picture
from tests.unit.loaders.test_inside import LIMITS, document, read, reasons, words, zipped


def message(subject: str, body: str, sender: str = "ann@example.org", cte: str = "8bit") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "bo@example.org", subject
    made["Date"] = "Mon, 3 Mar 2025 10:00:00 +0100"
    made.set_content(body, cte=cte)
    return made


def test_what_is_attached_is_read_and_has_the_date_of_the_message(tmp_path: Path) -> None:
    mail = message("Papers", "See the papers.")
    mail.add_attachment(pdf(), maintype="application", subtype="pdf", filename="Übersicht.pdf")
    mail.add_attachment("Tailgate lift needed.", filename="n.txt")
    mail.add_attachment(zipped({"x/y.md": "# Deep\n\nwater"}), maintype="application", subtype="zip", filename="z.zip")
    found = read(tmp_path, "a.eml", mail.as_bytes())
    assert [passage.inner for passage, _ in found] == ["", *["Übersicht.pdf"] * 3, "n.txt", "z.zip/x/y.md"]
    assert words(found)[""].endswith("See the papers.\n\nAttachments: Übersicht.pdf, n.txt, z.zip")
    assert words(found)["n.txt"] == "Tailgate lift needed."
    assert found[1][0].taken == found[0][0].taken == 1_740_992_400.0
    assert reasons(found) == []


def test_a_message_in_a_message_has_its_own_headers(tmp_path: Path) -> None:
    inner = message("Permit refused", "A second drawing is wanted.", "Quentin <q@example.org>")
    inner.add_attachment("The drawing.", filename="drawing.txt")
    outer = message("Fwd", "See below.")
    outer.add_attachment(inner)
    found = words(read(tmp_path, "a.eml", outer.as_bytes()))
    assert list(found) == ["", "Permit refused.eml", "Permit refused.eml/drawing.txt"]
    assert found["Permit refused.eml"].startswith("Subject: Permit refused\nFrom: Quentin <q@example.org>")
    assert "second drawing" not in found[""]


def test_pictures_shown_in_a_message_are_read_but_not_its_ornaments(tmp_path: Path) -> None:
    mail = message("Photo", "Look.")
    mail.add_alternative("<p>Look: <img src='cid:a'></p>", subtype="html")
    html = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(picture("PNG"), "image", "png", cid="<a>")
    from PIL import Image

    Image.new("RGB", (1, 1)).save(tmp_path / "dot.gif")
    html.add_related((tmp_path / "dot.gif").read_bytes(), "image", "gif", cid="<b>")
    found = read(tmp_path, "a.eml", mail.as_bytes())
    assert [(passage.inner, type(outcome).__name__) for passage, outcome in found] == [
        ("", "Content"),
        ("png", "Content"),
        ("gif", "Dropped"),
    ]


def test_signatures_are_no_attachments_and_what_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    mail = message("Signed", "Agreed.")
    mail.add_attachment(b"\x30\x82", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    mail.add_attachment(b"\x78\x9f\x3e\x22\0\0", maintype="application", subtype="ms-tnef", filename="winmail.dat")
    found = read(tmp_path, "a.eml", mail.as_bytes())
    assert reasons(found) == ["inside it: winmail.dat: Outlook's winmail.dat; unpack what is in it (tnef, of the package tnef)"]


def mailbox() -> bytes:
    made = b""
    for subject, body, cte in (
        ("Boiler", "The boiler is due.\n", "7bit"),
        ("Räume", "Schlüsselübergabe für das Nebengebäude, bitte Ausweis mitbringen.\n", "quoted-printable"),
        ("Ferry", "From here on the ferry is late.\n\nFrom now on.\n", "base64"),
        ("Ferry", "Nothing new.\n\n>From the office: closed.\n", "7bit"),
    ):
        made += b"From a@example.org Mon Mar  3 10:00:00 2025\n" + message(subject, body, cte=cte).as_bytes() + b"\n"
    return made


def test_a_mailbox_is_read_message_by_message(tmp_path: Path) -> None:
    for name in ("Archive.mbox", "Inbox"):
        found = words(read(tmp_path, name, mailbox()))
        assert list(found) == ["Boiler.eml", "Räume.eml", "Ferry.eml", "Ferry (2).eml"]
        assert "Schlüsselübergabe für das Nebengebäude, bitte Ausweis mitbringen." in found["Räume.eml"]
        assert found["Ferry.eml"].endswith("From here on the ferry is late.\n\nFrom now on.")
        assert found["Ferry (2).eml"].endswith("\n\nFrom the office: closed.")
    (tmp_path / "note.txt").write_bytes(b"From the office at 10:00 2025\nNote: closed\n")
    assert loader_name(tmp_path / "note.txt", LIMITS) == "text"


def test_a_saved_page_is_read_with_its_pictures(tmp_path: Path) -> None:
    from base64 import encodebytes

    page = (
        b"From: <Saved by Blink>\r\nSubject: Museum\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; type="text/html"; boundary="M"\r\n\r\n'
        b"--M\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        b"Content-Location: https://example.org/a\r\n\r\n<p>The planetarium dome reop=\r\nens; Sternw=C3=A4rter.</p>\r\n"
        b"--M\r\nContent-Type: text/css\r\nContent-Location: cid:css\r\n\r\np { color: red }\r\n"
        b"--M\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Location: https://example.org/i/dome.png?x=1\r\n\r\n" + encodebytes(picture("PNG")) + b"\r\n--M--\r\n"
    )
    for name in ("page.mhtml", "page.mht"):
        found = read(tmp_path, name, page)
        assert [(passage.inner, passage.kind) for passage, _ in found] == [("", "text"), ("dome.png", "image")]
        assert "The planetarium dome reopens; Sternwärter." in found[0][0].text


def test_messages_in_messages_without_end_are_bounded(tmp_path: Path) -> None:
    made = message("bottom", "The bottom.")
    for level in range(40):
        outer = message(f"level {level}", f"Word{level}.")
        outer.add_attachment(made)
        made = outer
    found = read(tmp_path, "a.eml", made.as_bytes())
    assert len(words(found)) == 4
    assert reasons(found)[0].endswith("holds files that are nested too deeply; the limit is max_depth = 3")
    deep = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
    for level in range(2_000):
        deep += f'--b{level or ""}\nContent-Type: multipart/mixed; boundary="b{level + 1}"\n\n'.encode()
    made_deep = document(tmp_path, "deep.eml", deep)
    with pytest.raises(UnreadableDocument, match="nested too deeply"):
        list(loader_of("mail").split(made_deep, LIMITS))


def test_a_mailbox_of_thousands_is_bounded(tmp_path: Path) -> None:
    one = b"From a@example.org Mon Mar  3 10:00:00 2025\nSubject: s\n\nbody\n\n"
    found = read(tmp_path, "a.mbox", one * 3_000, Limits(max_members=50))
    assert len(words(found)) == 50
    assert reasons(found) == ["inside it: s (51).eml: and what follows are beyond the limit max_members = 50"]


def test_damage_anywhere_gives_words_or_a_reason(tmp_path: Path) -> None:
    chance = random.Random(12)
    mail = message("Papers", "See the papers.")
    mail.add_attachment(zipped({"a.txt": "words"}), maintype="application", subtype="zip", filename="z.zip")
    mail.add_attachment(message("Inner", "words"))
    for name, whole in (("a.eml", mail.as_bytes()), ("a.mbox", mailbox())):
        for number in range(150):
            at = chance.randrange(len(whole))
            damaged = whole[:at] if number % 3 == 0 else whole[:at] + chance.randbytes(3) + whole[at + 3 :]
            made = document(tmp_path, name, damaged)
            loader = loader_of("mail" if name == "a.eml" else "archive")
            try:
                passages = list(loader.split(made, LIMITS))
                outcomes = list(loader.read(made, passages, LIMITS))
                assert any(isinstance(outcome, Content) for outcome in outcomes)
            except UnreadableDocument as error:
                assert error.what
