"""What is attached to a message, and the messages in a mailbox (mbox).

Knows MIME and mailboxes; reads nothing that is attached. A forwarded message is a file of its own, with its own headers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesHeaderParser
from functools import partial
from typing import BinaryIO

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside.base import Part
from rag.loaders.properties.dates import mail_date
from rag.loaders.text.mail import header, words
from rag.loaders.text.outlook import MOST_BYTES, message_bytes
from rag.types import Document

_BODY = frozenset({"text/plain", "text/html"})
_SIGNATURES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "application/pgp-encrypted"}
)
_STYLES = frozenset({"text/css", "text/javascript", "application/javascript", "font/woff2", "font/woff"})  # of a saved page
_SUFFIXES = {  # of attachments without a name
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "message/rfc822": ".eml",
    "application/pdf": ".pdf",
}
_DEEPEST = 50  # parts in parts
_BEGINS = re.compile(rb"From [^\n]{0,500}\d\d:\d\d[^\n]{0,100}\n?")  # the line before each message in a mailbox
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_LINE = 1 << 20  # bytes read at once
_HEAD = 1 << 16  # bytes of a message in which its subject is looked for


def parts(document: Document, limits: Limits) -> Iterator[Part]:
    """What is attached to a message. UnreadableDocument where it is none."""
    raw = message_bytes(document.file, limits)
    try:
        message = message_from_bytes(raw, policy=policy.compat32)
        yield from _attached(message, mail_date(header(message, "Date")), 0)
    except RecursionError as error:
        raise UnreadableDocument("is a damaged message: its parts are nested too deeply") from error
    except (MessageError, ValueError) as error:
        raise UnreadableDocument(f"is a damaged message: {error}") from error


def messages(stream: BinaryIO, limits: Limits) -> Iterator[Part]:
    """The messages in a mailbox, each called by its subject."""
    most = MOST_BYTES * limits.max_text_bytes
    content, size, blank = io.BytesIO(), 0, True
    while line := stream.readline(_LINE):
        if blank and line.startswith(b"From ") and _BEGINS.match(line):
            if size:
                yield _message(content, size, most)
            content, size = io.BytesIO(), 0
        else:
            size += len(line)
            if size <= most:
                content.write(line)
        blank = line in (b"\n", b"\r\n")
    if size:
        yield _message(content, size, most)


def _message(content: io.BytesIO, size: int, most: int) -> Part:
    raw = content.getvalue()
    headers = BytesHeaderParser(policy=policy.compat32).parsebytes(raw[:_HEAD])
    bare = raw.startswith((b"\n", b"\r\n"))  # a text alone: no header lines stand before it
    name = _file_name(header(headers, "Subject") or "message", ".txt" if bare else ".eml")
    if size > most:
        return Part(name, reason=f"has more than {most:,} bytes, {MOST_BYTES} times max_text_bytes")
    return Part(name, lambda: io.BytesIO(_QUOTED.sub(rb"\1", raw)))


def _attached(part: Message, dated: float | None, depth: int) -> Iterator[Part]:
    if depth > _DEEPEST:
        raise UnreadableDocument("is a damaged message: its parts are nested too deeply")
    kind = part.get_content_type()
    if kind == "message/rfc822":
        forwarded = _forwarded(part)
        subject = header(message_from_bytes(forwarded[:_HEAD], policy=policy.compat32), "Subject")
        yield Part(_name(part) or _file_name(subject or "message", ".eml"), partial(io.BytesIO, forwarded), dated=dated)
    elif part.is_multipart():
        for one in part.get_payload():
            if isinstance(one, Message):
                yield from _attached(one, dated, depth + 1)
    elif kind in _SIGNATURES or kind in _STYLES or kind.startswith("message/"):
        return
    elif kind not in _BODY or _name(part) or part.get_content_disposition() == "attachment":
        name = _name(part) or _file_name(kind.partition("/")[2], _SUFFIXES.get(kind, ""))
        shown = kind.startswith("image/") and part.get_content_disposition() != "attachment"
        yield Part(name, partial(_content, part), dated=dated, shown=shown)


def _content(part: Message) -> BinaryIO:
    payload = part.get_payload(decode=True)
    return io.BytesIO(payload if isinstance(payload, bytes) else b"")


def _forwarded(part: Message) -> bytes:
    """The bytes of a message in a message; some programs encode it though that is not allowed."""
    inner = part.get_payload()
    if not (isinstance(inner, list) and inner and isinstance(inner[0], Message)):
        return bytes(part.get_payload(decode=True) or b"")
    whole: Message = inner[0]
    if not whole.keys() and str(part.get("Content-Transfer-Encoding", "")).strip().lower() in ("base64", "quoted-printable"):
        whole["Content-Transfer-Encoding"] = part["Content-Transfer-Encoding"]
        return bytes(whole.get_payload(decode=True) or b"")
    try:
        return whole.as_bytes()
    except (UnicodeError, LookupError, ValueError, TypeError, AttributeError):
        return str(whole).encode("utf-8", "replace")


def _name(part: Message) -> str:
    """The name of an attachment; in a saved page, the end of its address."""
    name = part.get_filename()
    if not name:
        address = str(part.get("Content-Location") or "").strip()
        name = re.split(r"[?#]", address)[0].rstrip("/").rpartition("/")[2] if part.get_content_type() not in _BODY else ""
    return words(str(name)).encode("utf-8", "surrogateescape").decode("utf-8", "replace") if name else ""


def _file_name(subject: str, suffix: str) -> str:
    return re.sub(r"[/\\]", "-", subject.strip(". ")) + suffix
