"""Mail: of several renderings of one thing the one that holds more is read, and the footer of a list stands apart."""

from __future__ import annotations

import random
from email.message import EmailMessage

import pytest

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.text.mail import MailLoader
from rag.types import Document, DocumentId

RULE = "_" * 47
FOOTER = (
    f"{RULE}\nRowers mailing list -- rowers@lists.example.org\nTo unsubscribe send an email to rowers-leave@lists.example.org"
)


@pytest.fixture
def passages(tmp_path):
    def split(message: bytes) -> list[tuple[str, str]]:
        file = tmp_path / "a.eml"
        file.write_bytes(message)
        found = MailLoader().split(Document(DocumentId("docs", "a.eml"), file), Limits())
        return [(passage.context.heading, passage.text.partition("\n\n")[2] or passage.text) for passage in found]

    return split


def message(kind: str, *parts: tuple[str, str]) -> bytes:
    """A message of parts (subtype of text, text)."""
    made = EmailMessage()
    made["Subject"] = "Boats"
    made["Content-Type"] = f"multipart/{kind}"
    for subtype, text in parts:
        part = EmailMessage()
        part.set_content(text, subtype=subtype)
        made.attach(part)
    return made.as_bytes()


STUBS = [
    "This message is in HTML. Please use a mail program that shows it.",
    "Diese Nachricht wurde im HTML-Format versandt. Bitte benutzen Sie ein passendes Mailprogramm.",
    "Pour lire ce courrier, ouvrez-le dans votre navigateur : https://example.org/12?token=abc",
    "您的邮件客户端不支持HTML格式，请使用浏览器查看。",
    "View this email online: https://example.org/view",
]


@pytest.mark.parametrize("stub", STUBS)
def test_a_stub_gives_way_to_what_it_stands_for(passages, stub):
    mail = message("alternative", ("plain", stub), ("html", "<p>We shipped <b>two oars</b>.</p>"))
    assert passages(mail) == [("", "We shipped two oars.")]


def test_a_stub_that_is_all_there_is_is_read(passages):
    assert passages(message("alternative", ("plain", STUBS[0]), ("html", "<p></p>"))) == [("", STUBS[0])]


def test_plain_text_is_read_where_it_says_all_that_the_html_says(passages):
    plain = "The eight is repaired.\nSee https://example.org/log?utm=1 for the log, and bring a spanner on Monday."
    html = "<p>The eight is <i>repaired</i>.</p>"
    html += "<p>See <a href='https://example.org/log'>for the log</a>, and bring a spanner on Monday.</p>"
    assert passages(message("alternative", ("plain", plain), ("html", html))) == [("", plain)]


def test_the_rendering_with_more_words_is_read(passages):
    html = "<p>Your order</p><table><tr><td>Oar</td><td>2</td><td>walnut</td></tr><tr><td>Rudder</td><td>1</td></tr></table>"
    found = passages(message("alternative", ("plain", "Your order"), ("html", html)))
    assert found == [("", "Your order\n\nOar | 2 | walnut\nRudder | 1")]


def test_what_only_the_shorter_rendering_says_is_kept(passages):
    html = "<p>" + " ".join(f"word{n}" for n in range(80)) + "</p>"
    plain = "word1 word2 word3 word4\nThe code of the boathouse door is 4711."
    ((_, text),) = passages(message("alternative", ("plain", plain), ("html", html)))
    assert text.startswith("word0 word1") and text.endswith("\n\nThe code of the boathouse door is 4711.")


@pytest.mark.parametrize("body", [("html", "<p>The winch must be overhauled.</p>"), ("plain", "The winch must be overhauled.\n")])
def test_a_part_that_a_list_appended_hides_nothing_and_stands_apart(passages, body):
    found = passages(message("mixed", body, ("plain", FOOTER)))
    assert found[0] == ("", "The winch must be overhauled.")
    assert found[1] == ("Mailing list footer", FOOTER)


def test_a_footer_below_the_text_in_one_part_stands_apart(passages):
    mail = b"Subject: x\n\nThe winch must be overhauled.\n\n-- \nAda\n" + FOOTER.encode()
    assert passages(mail)[-1] == ("Mailing list footer", FOOTER)


def test_a_signature_is_no_footer(passages):
    assert passages(b"Subject: x\n\nAll well.\n\n-- \nAda, captain\n") == [("", "All well.\n\n-- \nAda, captain")]


def test_html_that_calls_itself_plain_is_read_as_html(passages):
    mail = b"Subject: x\nContent-Type: text/plain\n\n<!DOCTYPE html><html><body><p>Low <b>tide</b></p></body></html>"
    assert passages(mail) == [("", "Low tide")]


def test_damage_never_costs_more_than_the_message(passages):
    whole = message("alternative", ("plain", STUBS[0]), ("html", "<p>Two oars</p>"), ("html", f"<p>{FOOTER}</p>"))
    chance = random.Random(7)
    for _ in range(300):
        broken = bytearray(whole[: chance.randrange(1, len(whole))])
        for _ in range(chance.randrange(12)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            assert passages(bytes(broken))
        except UnreadableDocument as refused:
            assert refused.what


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8"])
def test_a_message_saved_by_an_editor_in_16_bits_a_letter_is_read(passages, encoding):
    """Notepad's "Unicode" is UTF-16; what such a message says of its own encoding is not so any more."""
    plain = (
        "Subject: Boats\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nDie Fähre um sechs. 港口\n"
    )
    [(_, text)] = passages(plain.encode(encoding))
    assert text == "Die Fähre um sechs. 港口"
