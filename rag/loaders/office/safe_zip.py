"""Opens the zip-based formats safely: bounded before anything is unpacked, text members only, no XML entities.

Knows no document format. Libraries get the cleaned copy, so a bomb, a lie in the directory or a large film in a deck never
reaches them: what is handed on is at most `max_text_bytes`, every byte of it checked against its checksum.
"""

from __future__ import annotations

import errno
import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.dialects import in_common_dialect

_MOST_MEMBERS = 20_000
_MOST_DIRECTORY_BYTES = 8_000_000
_HIGHEST_RATIO = 400  # office XML packs 10 to 60 times, the dullest table 250; a bomb of zeros a thousand times
_RATIO_MATTERS_FROM = 4_000_000  # bytes unpacked
_TEXT_SUFFIXES = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm", "mimetype")
_MARKUP_OF_PAGES = (".xhtml", ".html", ".htm")  # read by an HTML parser, which expands no entities of theirs

DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError)


def member_names(file: Path) -> list[str]:
    """The names in a zip file. UnreadableDocument where its directory is damaged or too large to be honest."""
    try:
        with file.open("rb") as stream, _opened(stream) as archive:
            return archive.namelist()
    except DAMAGED_ZIP as error:
        raise _damaged(error) from (None if _of_the_file(error) else error)


def text_members(file: Path, limits: Limits) -> io.BytesIO:
    """A copy of a zip file with its XML and HTML members as they are and every other member empty.

    UnreadableDocument where it is a bomb, encrypted, damaged, declares XML entities, or has more text than `max_text_bytes`.
    """
    cleaned = io.BytesIO()
    try:
        with file.open("rb") as stream, _opened(stream) as archive, zipfile.ZipFile(cleaned, "w") as copy:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _refuse_bombs(members, limits)
            for member in members:
                texts = member.filename.lower().endswith(_TEXT_SUFFIXES)
                content = archive.read(member) if texts else b""
                if texts and not member.filename.lower().endswith(_MARKUP_OF_PAGES):
                    _refuse_entities(content)
                    content = in_common_dialect(member.filename, content)
                copy.writestr(member.filename, content)
    except DAMAGED_ZIP as error:
        raise _damaged(error) from (None if _of_the_file(error) else error)
    cleaned.seek(0)
    return cleaned


def _damaged(error: BaseException) -> UnreadableDocument:
    said = "its directory points outside the file" if _of_the_file(error) else first_line(error)
    return UnreadableDocument(f"is a damaged zip file: {said}")


def _of_the_file(error: BaseException) -> bool:
    """Whether an error that looks like the system's is the file's own: a seek to a place that no file has."""
    return isinstance(error, OSError) and error.errno == errno.EINVAL


def _opened(stream: BinaryIO) -> zipfile.ZipFile:
    """The archive, once its directory is known to be small: Python reads all of it at once."""
    end = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, end - 65_557))  # the end record is 22 bytes, its comment at most 65,535
    tail = stream.read()
    record = tail.rfind(b"PK\x05\x06")
    if record >= 0 and len(tail) >= record + 22:
        members, size = struct.unpack_from("<HI", tail, record + 10)
        if b"PK\x06\x06" in tail[:record]:  # zip64: the real numbers stand in its own record
            members, size = struct.unpack_from(
                "<QQ", tail.ljust(len(tail) + 56, b"\0"), tail.rfind(b"PK\x06\x06", 0, record) + 32
            )
        if members > _MOST_MEMBERS or size > _MOST_DIRECTORY_BYTES:
            raise UnreadableDocument(f"is a zip bomb: {members:,} members (at most {_MOST_MEMBERS:,} are read)")
    stream.seek(0)
    return zipfile.ZipFile(stream)


def _refuse_bombs(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    """By the sizes in the directory, which hold: Python unpacks no member beyond the size its record declares."""
    if len(members) > _MOST_MEMBERS:
        raise UnreadableDocument(f"is a zip bomb: {len(members):,} members (at most {_MOST_MEMBERS:,} are read)")
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableDocument("is encrypted; save it without a password")
    texts = [member for member in members if member.filename.lower().endswith(_TEXT_SUFFIXES)]
    unpacked, packed = sum(member.file_size for member in texts), sum(member.compress_size for member in texts)
    if unpacked > _RATIO_MATTERS_FROM and unpacked > _HIGHEST_RATIO * packed:
        raise UnreadableDocument(f"is a zip bomb: {packed:,} bytes that unpack to {unpacked:,}")
    if unpacked > limits.max_text_bytes:
        raise UnreadableDocument(f"unpacks to {unpacked:,} bytes of text; the limit max_text_bytes is {limits.max_text_bytes:,}")


def _refuse_entities(content: bytes) -> None:
    """No office format declares entities; a bomb ("billion laughs") does. UTF-16 XML is looked through its NULs."""
    if b"<!ENTITY" in content or (b"\0" in content[:256] and b"<!ENTITY" in content.replace(b"\0", b"")):
        raise UnreadableDocument("declares XML entities, as no document does but bombs do")


def first_line(error: BaseException) -> str:
    """What a library said, short enough for a report."""
    said = str(error).partition("\n")[0]
    said = said.partition(" while decompressing data: ")[2] or said  # after zlib's number
    if isinstance(error, EOFError):
        said = "it ends too early"
    return said[:200] or type(error).__name__
