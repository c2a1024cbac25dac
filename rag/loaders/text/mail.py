"""Mail messages (.eml, .msg): who wrote to whom and when, the body, and the names of attachments.

Knows MIME; reads no attachment and no message in a message: those are files of their own (`rag.loaders.inside`).
Lines count in the rendered text: the header lines, the body, the footer of a mailing list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders import VERSIONS
from rag.loaders.base import Limits
from rag.loaders.properties.base import Properties
from rag.loaders.properties.dates import mail_date
from rag.loaders.text.chunking import Heading, Rendering, passages_of
from rag.loaders.text.mail_body import FOOTER, blocks_of, filename
from rag.loaders.text.outlook import message_bytes
from rag.loaders.text.passage_content import text_content
from rag.types import CaptionOf, Content, Document, Passage

_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_MAX_HEADER = 500  # characters
_MAX_PARTS = 1_000


class MailLoader:
    """Spans of the header lines and the body; the subject is the title."""

    version = VERSIONS["mail"]

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        rendering = rendered(message_bytes(document.file, limits))
        if len(rendering.text) > limits.max_text_bytes:
            raise UnreadableDocument(
                f"has {len(rendering.text):,} characters; the limit max_text_bytes is {limits.max_text_bytes:,}"
            )
        yield from passages_of(document.id, rendering, limits)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return map(text_content, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def rendered(raw: bytes) -> Rendering:
    """A message as text: what a person reads of it. UnreadableDocument where it is not a message."""
    try:
        # compat32 leaves headers unparsed: the newer policies raise all kinds of errors on malformed ones
        message = message_from_bytes(raw, policy=policy.compat32)
        parts, (bodies, footer) = _parts(message), blocks_of(message)
    except RecursionError as error:
        raise UnreadableDocument("is a damaged message: its parts are nested too deeply") from error
    except (MessageError, ValueError) as error:
        raise UnreadableDocument(f"is a damaged message: {error}") from error
    headers = [f"{name}: {text}" for name in _HEADERS if (text := header(message, name))]
    if not headers and not message.keys():
        raise UnreadableDocument("is not a message: it has no header lines")
    attached = [words(name) for part in parts if (name := filename(part))]
    blocks = ["\n".join(headers), *bodies, f"Attachments: {', '.join(attached)}" if attached else "", footer]
    text = "\n\n".join(block.strip("\n") for block in blocks if block.strip())
    apart = (Heading(len(text) - len(footer), 1, FOOTER, lines=0),) if footer else ()
    sent = Properties(dated=mail_date(header(message, "Date")))
    return Rendering(text, apart, title=header(message, "Subject"), properties=sent)


def _parts(message: Message) -> list[Message]:
    """The leaf parts, at most `_MAX_PARTS`; a forwarded message is one."""
    parts: list[Message] = []
    waiting: list[Any] = [message]
    while waiting and len(parts) < _MAX_PARTS:
        part = waiting.pop()
        if part.is_multipart() and part.get_content_type() != "message/rfc822":
            waiting += [one for one in reversed(part.get_payload()) if isinstance(one, Message)]
        else:
            parts.append(part)
    return parts


def header(message: Message, name: str) -> str:
    """The text of a header, on one line; "" where there is none."""
    for written, value in message.raw_items():
        if written.lower() == name.lower():
            raw = str(value)[: 4 * _MAX_HEADER].encode("utf-8", "surrogateescape")
            return words(raw.decode("utf-8", "replace"))
    return ""


def words(value: str) -> str:
    """A header's text, its encoded words decoded, on one line."""
    try:
        pieces = decode_header(value[: 4 * _MAX_HEADER])
    except (HeaderParseError, ValueError):
        pieces = [(value, None)]
    texts = []
    for piece, charset in pieces:
        if isinstance(piece, bytes):
            try:
                texts.append(piece.decode(charset or "utf-8", "replace"))
            except (LookupError, UnicodeError):
                texts.append(piece.decode("utf-8", "replace"))
        else:
            texts.append(piece)
    return " ".join("".join(texts).split())[:_MAX_HEADER]
