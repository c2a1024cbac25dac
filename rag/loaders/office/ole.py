"""OLE compound files, in which Office kept its documents until 2007: which program wrote one, and its streams.

Knows streams; knows no document format. `olefile` reads the file system in them.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.plain_reasons import damage

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# what olefile 0.47 raises on damaged files (tests/unit/loaders/office/test_old_office.py damages some)
DAMAGED_OLE = (OSError, ValueError, LookupError, struct.error, TypeError, AttributeError, OverflowError, RecursionError)
_KINDS = {  # by the stream that holds the document
    "worddocument": "doc",
    "workbook": "xls",
    "book": "xls",
    "powerpoint document": "ppt",
    "pp97_dualstorage/powerpoint document": "ppt",
    "encryptedpackage": "encrypted",
    "__properties_version1.0": "msg",
}
OBJECT_STREAMS = ("\x01Ole10Native", "CONTENTS", "Package")  # of an embedded object: any program, Acrobat, Office
_INNER = (
    b"%PDF",
    b"PK\x03\x04",
    OLE,
)  # begin what Acrobat and Office put there; other programs use the same names for other things
_PROPERTIES = "\x05SummaryInformation"
_TEXT, _WIDE_TEXT = 30, 31  # types of properties
_MAX_PROPERTIES, _MAX_TITLE = 100, 2_000  # bytes of a title
_MAX_STREAM = 4  # times max_text_bytes: a stream also holds formats and drawings; pictures mostly have streams of their own


def kind_of_ole(file: Path) -> str:
    """ "doc", "xls", "ppt", "msg", "object" for what Office embeds, "encrypted", or "" for anything else and damaged files."""
    try:
        with opened_ole(file) as ole:
            names = {"/".join(path).lower() for path in ole.listdir()}
            found = next((kind for stream, kind in _KINDS.items() if stream in names), "")
            return found or ("object" if _is_object(ole) else "")
    except UnreadableDocument:
        return ""


def _is_object(ole: Any) -> bool:
    native, *others = OBJECT_STREAMS
    try:
        return bool(ole.exists(native)) or any(
            ole.openstream(one).read(8).startswith(_INNER) for one in others if ole.exists(one)
        )
    except DAMAGED_OLE:
        return False


@contextmanager
def opened_ole(file: Path) -> Iterator[Any]:
    """The streams of a file. UnreadableDocument where it is damaged."""
    import olefile

    try:
        ole = olefile.OleFileIO(file)
    except DAMAGED_OLE as error:
        raise damaged_ole(error) from (error if isinstance(error, OSError) and error.errno else None)
    try:
        yield ole
    finally:
        ole.close()


def stream(ole: Any, names: tuple[str, ...], limits: Limits) -> bytes:
    """The bytes of the first of these streams that is there. UnreadableDocument where none is, or it is too large or damaged."""
    most = _MAX_STREAM * limits.max_text_bytes
    try:
        name = next((name for name in names if ole.exists(name)), "")
        if not name:
            raise UnreadableDocument(f"is damaged: its stream {names[0]} is missing")
        if (size := ole.get_size(name)) > most:
            raise UnreadableDocument(f"has a stream ({name}) of {size:,} bytes; the limit is {_MAX_STREAM} times max_text_bytes")
        with ole.openstream(name) as opened:
            return bytes(opened.read())
    except DAMAGED_OLE as error:
        raise damaged_ole(error) from None


def title_in(ole: Any, limits: Limits) -> str:
    """The title that the document gives itself; "" where it has none, or its properties are damaged.

    Read by hand: olefile 0.47 counts to any number that a property claims.
    """
    try:
        properties = stream(ole, (_PROPERTIES,), limits)
        (section,) = struct.unpack_from("<I", properties, 44)
        (count,) = struct.unpack_from("<I", properties, section + 4)
        places = dict(struct.iter_unpack("<II", properties[section + 8 : section + 8 + 8 * min(count, _MAX_PROPERTIES)]))
        page = struct.unpack_from("<H", properties, section + places[1] + 4)[0] if 1 in places else 1252
        if 2 not in places:
            return ""
        kind, length = struct.unpack_from("<II", properties, section + places[2])
        start = section + places[2] + 8
        wide = kind == _WIDE_TEXT
        raw = properties[start : start + min(length * (2 if wide else 1), _MAX_TITLE)]
    except (UnreadableDocument, struct.error):
        return ""
    title = raw.decode("utf-16-le" if wide else _codec(page), "replace") if kind in (_TEXT, _WIDE_TEXT) else ""
    return " ".join(title.partition("\0")[0].split())


def damaged_ole(error: BaseException) -> UnreadableDocument:
    """The reason for what olefile cannot read."""
    said = damage(str(error).partition("\n")[0][:200])
    return UnreadableDocument(f"is a damaged OLE file: {said or 'its parts do not fit together'}")


def _codec(page: int) -> str:
    name = {65001: "utf-8", 1200: "utf-16-le", 10000: "mac_roman"}.get(page, f"cp{page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
