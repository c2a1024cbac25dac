"""The file inside an embedded object: what Office keeps as `oleObject1.bin` of a PDF, an archive or another program's document.

Knows the streams of such objects (MS-OLEDS 2.3.6, and what Acrobat and Office call theirs); knows no document format.
"""

from __future__ import annotations

import io
import ntpath
import struct
from collections.abc import Iterator

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside.base import Part
from rag.loaders.office.ole import OBJECT_STREAMS, opened_ole, stream
from rag.types import Document

_NATIVE = OBJECT_STREAMS[0]
_PACKAGED = 2  # the flags of an object that the Packager made: names and a file; others hold the bytes alone
_MOST_NAME = 1_000  # bytes
_CUT = "is a damaged embedded object: it ends too early"


def parts(document: Document, limits: Limits) -> Iterator[Part]:
    """The one file in an object. UnreadableDocument where it is damaged or too large."""
    with opened_ole(document.file) as ole:
        name = next((one for one in OBJECT_STREAMS if ole.exists(one)), "")
        content = stream(ole, (name or _NATIVE,), limits)
    if name == _NATIVE:
        title, content = _from_native(content)
    else:
        title = "object.pdf" if content.startswith(b"%PDF") else "object"
    yield Part(title, lambda: io.BytesIO(content))


def _from_native(written: bytes) -> tuple[str, bytes]:
    """The name and the bytes of a native object: size, flags, label, path, four bytes, another path, size, bytes."""
    body = written[4 : 4 + _number(written, 0)]
    if len(body) < 6 or struct.unpack_from("<H", body)[0] != _PACKAGED:
        return "object", body
    label, at = _text(body, 2)
    path, at = _text(body, at)
    at += 8 + _number(body, at + 4)
    count = _number(body, at)
    content = body[at + 4 : at + 4 + count]
    if len(content) < count:
        raise UnreadableDocument(_CUT)
    return ntpath.basename(label) or ntpath.basename(path) or "object", content


def _number(body: bytes, at: int) -> int:
    if at + 4 > len(body):
        raise UnreadableDocument(_CUT)
    return int.from_bytes(body[at : at + 4], "little")


def _text(body: bytes, at: int) -> tuple[str, int]:
    end = body.find(b"\0", at, at + _MOST_NAME)
    if end < 0:
        raise UnreadableDocument("is a damaged embedded object: a name has no end")
    raw = body[at:end]
    try:
        return raw.decode("utf-8"), end + 1
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), end + 1
