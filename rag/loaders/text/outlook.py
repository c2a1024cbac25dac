"""Outlook's own messages (.msg) as MIME, with what is attached to them; the rest is done as for every other message.

Knows the properties of MS-OXMSG; `olefile` reads the file system in them. Reads nothing that is attached.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.ole import DAMAGED_OLE, OLE, damaged_ole, opened_ole
from rag.loaders.text.encoding import decoded, read_bytes

MOST_BYTES = 4  # times max_text_bytes: a message also holds what is attached to it
_TEXT, _WIDE, _BYTES, _OBJECT = "001e", "001f", "0102", "000d"  # types of properties
_SUBJECT, _SENDER, _ADDRESS, _SMTP, _TO, _CC = "0037", "0c1a", "0c1f", "5d01", "0e04", "0e03"
_BODY, _HTML, _RTF = "1000", "1013", "1009"
_DATA, _NAME, _SHORT_NAME, _KIND, _CONTENT_ID = "3701", "3707", "3704", "370e", "3712"
_PROPERTIES, _STREAM = "__properties_version1.0", "__substg1.0_"
_SUBMITTED, _DELIVERED, _CODE_PAGE, _HTML_PAGE = 0x00390040, 0x0E060040, 0x3FFD0003, 0x3FDE0003
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DEEPEST, _MOST_ATTACHED = 12, 2_000
_LONGEST = 900  # characters of a header
_RTF_BEGINS = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArial"
    b"Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)  # MS-OXRTFCP 2.1.3.1


def message_bytes(file: Path, limits: Limits) -> bytes:
    """A message as MIME, whichever program wrote it. UnreadableDocument where it is too large or damaged."""
    most = MOST_BYTES * limits.max_text_bytes
    with _opened(file) as stream:
        if stream.read(len(OLE)) != OLE:
            return _in_bytes(read_bytes(file, limits, most=most))
    with opened_ole(file) as ole:
        try:
            return bytes(_Outlook(ole, most).message((), 0).as_bytes())
        except DAMAGED_OLE as error:
            raise damaged_ole(error) from None


def _in_bytes(raw: bytes) -> bytes:
    """A message that an editor saved in 16 bits a letter, as one of 8 bits; others as they are."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace").encode()
    for order, high in (("be", 0), ("le", 1)):
        if len(raw) >= 8 and raw[high:8:2] == bytes(4) and bytes(4) != raw[1 - high : 8 : 2]:
            return raw.decode(f"utf-16-{order}", "replace").encode()
    return raw


def _opened(file: Path) -> Any:
    try:
        return file.open("rb")
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error


class _Outlook:
    """Reads the streams of a file, all together at most `left` bytes."""

    def __init__(self, ole: Any, left: int) -> None:
        self._ole, self._left = ole, left
        self._names = {tuple(part.lower() for part in path): path for path in ole.listdir(streams=True, storages=True)}

    def message(self, above: tuple[str, ...], depth: int) -> EmailMessage:
        """The message in a storage, "" at the top."""
        numbers = self._numbers(above, 32 if not above else 24)
        page = numbers.get(_CODE_PAGE, 0) & 0xFFFFFFFF
        made = EmailMessage()
        sender = self._text(above, _SENDER, page)
        address = self._text(above, _SMTP, page) or self._text(above, _ADDRESS, page)
        written = f"{sender} <{address}>" if "@" in address and address != sender else sender or address
        for name, value in (("Subject", self._text(above, _SUBJECT, page)), ("From", written)):
            _add(made, name, value)
        _add(made, "To", self._text(above, _TO, page))
        _add(made, "Cc", self._text(above, _CC, page))
        _add(made, "Date", _date(numbers.get(_SUBMITTED) or numbers.get(_DELIVERED) or 0))
        self._put_body(made, above, page, numbers.get(_HTML_PAGE, 0) & 0xFFFFFFFF)
        for storage in self._attached(above):
            self._attach(made, storage, page, depth)
        return made

    def _put_body(self, made: EmailMessage, above: tuple[str, ...], page: int, html_page: int) -> None:
        body, html = self._text(above, _BODY, page), self._bytes(above, _HTML + _BYTES)
        made.set_content(body, cte="base64")
        if html or (html := self._text(above, _HTML, page).encode()):
            made.add_alternative(html, maintype="text", subtype="html", params={"charset": _codec(html_page) or "utf-8"})
        elif not body.strip() and (packed := self._bytes(above, _RTF + _BYTES)):
            made.add_attachment(_unpacked(packed), maintype="application", subtype="rtf", filename="message.rtf")

    def _attach(self, made: EmailMessage, storage: tuple[str, ...], page: int, depth: int) -> None:
        name = self._text(storage, _NAME, page) or self._text(storage, _SHORT_NAME, page) or "attachment"
        inner = (*storage, f"{_STREAM}{_DATA}{_OBJECT}")
        if (*inner, _PROPERTIES) in self._names and depth < _DEEPEST:
            made.add_attachment(self.message(inner, depth + 1))
            return
        content = self._bytes(storage, _DATA + _BYTES)
        kind = self._text(storage, _KIND, page).lower()
        shown = kind.startswith("image/") and bool(self._text(storage, _CONTENT_ID, page))
        major, minor = ("image", kind[6:].strip() or "png") if shown and kind[6:].isalnum() else ("application", "octet-stream")
        made.add_attachment(
            content, maintype=major, subtype=minor, filename=_plain(name), disposition="inline" if shown else "attachment"
        )

    def _attached(self, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        found = sorted(path for path in self._names if path[:-1] == above and path[-1].startswith("__attach_version1.0_"))
        yield from found[:_MOST_ATTACHED]

    def _text(self, above: tuple[str, ...], number: str, page: int) -> str:
        wide = self._bytes(above, number + _WIDE)
        if wide:
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        narrow = self._bytes(above, number + _TEXT).rstrip(b"\0")
        try:
            return decoded(narrow, declared=_codec(page)) if narrow else ""
        except UnreadableDocument:
            return narrow.decode("cp1252", "replace")

    def _bytes(self, above: tuple[str, ...], named: str) -> bytes:
        return self._stream((*above, f"{_STREAM}{named}"))

    def _stream(self, path: tuple[str, ...]) -> bytes:
        written = self._names.get(path)
        if written is None or self._ole.get_type(written) != 2:  # 2: a stream
            return b""
        self._left -= self._ole.get_size(written)
        if self._left < 0:
            raise UnreadableDocument(f"has more bytes than {MOST_BYTES} times max_text_bytes")
        with self._ole.openstream(written) as stream:
            return bytes(stream.read())

    def _numbers(self, above: tuple[str, ...], header: int) -> dict[int, int]:
        """The values of fixed length, by tag: property and type."""
        raw = self._stream((*above, _PROPERTIES))[header:]
        return {tag: value for tag, _, value in struct.iter_unpack("<IIQ", raw[: len(raw) // 16 * 16])}


def _add(made: EmailMessage, name: str, value: str) -> None:
    if text := _plain(value):
        made[name] = text


def _plain(value: str) -> str:
    return " ".join(value.encode("utf-8", "replace").decode().replace("\0", "").split())[:_LONGEST]


def _date(ticks: int) -> str:
    """A date as mail writes it, of units of 100 ns since 1601."""
    try:
        return format_datetime(_EPOCH + timedelta(microseconds=ticks // 10)) if ticks else ""
    except OverflowError:
        return ""


def _codec(page: int) -> str:
    return {65001: "utf-8", 20127: "ascii", 28591: "latin-1", 0: ""}.get(page, f"cp{page}")


def _unpacked(packed: bytes) -> bytes:
    """Rich text as Outlook packs it (MS-OXRTFCP), up to where it is damaged."""
    if len(packed) < 16:
        return b""
    _, size, kind, _ = struct.unpack_from("<IIII", packed)
    if kind == 0x414C454D:  # "MELA": not packed
        return packed[16:]
    window = bytearray(_RTF_BEGINS.ljust(4096, b" "))
    at, out, place = 16, bytearray(), len(_RTF_BEGINS)
    while at < len(packed) and len(out) < size:
        flags = packed[at]
        at += 1
        for bit in range(8):
            if flags >> bit & 1:
                if at + 2 > len(packed):
                    return bytes(out)
                reference = int.from_bytes(packed[at : at + 2], "big")
                at += 2
                start, length = reference >> 4, (reference & 15) + 2
                if start == place:
                    return bytes(out)
                copied: Iterator[int] = (window[(start + step) % 4096] for step in range(length))
            elif at < len(packed):
                copied, at = iter((packed[at],)), at + 1
            else:
                return bytes(out)
            for byte in copied:
                window[place] = byte
                place = (place + 1) % 4096
                out.append(byte)
    return bytes(out)
