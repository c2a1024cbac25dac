"""Mail messages (.eml): who wrote to whom and when, the body, and the names of attachments.

Knows MIME; reads no attachment. Lines count in the rendered text: the header lines, a blank line, the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.properties.base import Properties
from rag.loaders.properties.dates import mail_date
from rag.loaders.text.chunking import Rendering, passages_of, text_content
from rag.loaders.text.encoding import decoded, read_bytes
from rag.loaders.text.html import rendered as html_rendered
from rag.types import CaptionOf, Content, Document, Passage

_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_MAX_HEADER = 500  # characters
_MAX_PARTS = 1_000


class MailLoader:
    """Spans of the header lines and the body; the subject is the title."""

    version = 2

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        yield from passages_of(document.id, rendered(read_bytes(document.file, limits)), limits)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return map(text_content, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def rendered(raw: bytes) -> Rendering:
    """A message as text: its plain body, else its HTML. UnreadableDocument where it is not a message."""
    try:
        # compat32 leaves headers unparsed: the newer policies raise all kinds of errors on malformed ones
        message = message_from_bytes(raw, policy=policy.compat32)
        parts = _parts(message)
    except RecursionError as error:
        raise UnreadableDocument("is a damaged message: its parts are nested too deeply") from error
    except (MessageError, ValueError) as error:
        raise UnreadableDocument(f"is a damaged message: {error}") from error
    headers = [f"{name}: {text}" for name in _HEADERS if (text := _header(message, name))]
    if not headers and not message.keys():
        raise UnreadableDocument("is not a message: it has no header lines")
    attached = [_words(name) for part in parts if (name := _filename(part))]
    bodies = [part for part in parts if not _filename(part) and part.get_content_disposition() != "attachment"]
    plain = [text for part in bodies if part.get_content_type() == "text/plain" and (text := _text(part))]
    body = plain or [_text_of_html(part) for part in bodies if part.get_content_type() == "text/html"]
    blocks = ["\n".join(headers), *body, f"Attachments: {', '.join(attached)}" if attached else ""]
    text = "\n\n".join(block.strip("\n") for block in blocks if block.strip())
    sent = Properties(dated=mail_date(_header(message, "Date")))
    return Rendering(text, title=_header(message, "Subject"), properties=sent)


def _parts(message: Message) -> list[Message]:
    """The leaf parts, at most `_MAX_PARTS`; a forwarded message counts by its own parts."""
    parts: list[Message] = []
    for part in message.walk():
        if len(parts) >= _MAX_PARTS:
            break
        if not part.is_multipart():
            parts.append(part)
    return parts


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    try:
        return decoded(payload, declared=part.get_content_charset() or "") if isinstance(payload, bytes) else ""
    except UnreadableDocument:
        return ""  # an empty or broken part does not make the rest of the message unreadable


def _text_of_html(part: Message) -> str:
    markup = _text(part)
    return html_rendered(markup).text if markup else ""


def _header(message: Message, name: str) -> str:
    for written, value in message.raw_items():
        if written.lower() == name.lower():
            raw = str(value)[: 4 * _MAX_HEADER].encode("utf-8", "surrogateescape")
            return _words(raw.decode("utf-8", "replace"))
    return ""


def _filename(part: Message) -> str:
    return part.get_filename() or ""


def _words(value: str) -> str:
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
