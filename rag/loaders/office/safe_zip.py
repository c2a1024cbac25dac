"""Opens the zip-based formats safely: bounded before anything is unpacked, text members only, no XML entities.

Knows no document format. Libraries get a cleaned copy, so a bomb, a false directory or a large film in a deck never reaches
them: the copy is at most `max_text_bytes` of text, all of it verified against its checksums.
"""

from __future__ import annotations

import errno
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.dialects import in_common_dialect
from rag.loaders.plain_reasons import PACK_AGAIN, damage

_MAX_MEMBERS = 20_000
_MAX_DIRECTORY_BYTES = 8_000_000
_MAX_RATIO = 400  # unpacked to packed: 10 to 60 in office XML, 250 in the most repetitive table, 1,000 in a bomb of zeros
_RATIO_FREE_BYTES = 4_000_000  # unpacked; up to here any ratio is harmless
_TEXT_SUFFIXES = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm", "mimetype")
_HTML_SUFFIXES = (".xhtml", ".html", ".htm")  # read by an HTML parser, which expands no declared entities

DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError)


def member_names(file: Path) -> list[str]:
    """The names in a zip file. UnreadableDocument where its directory is damaged or implausibly large."""
    try:
        with file.open("rb") as stream, opened_zip(stream) as archive:
            return archive.namelist()
    except DAMAGED_ZIP as error:
        raise damaged_zip(error) from (None if _seeks_nowhere(error) else error)


def text_members(file: Path, limits: Limits) -> io.BytesIO:
    """A copy of a zip file with its XML and HTML members, and every other member empty.

    UnreadableDocument where it is a bomb, encrypted, damaged, declares XML entities, or has more text than `max_text_bytes`.
    """
    cleaned = io.BytesIO()
    try:
        with file.open("rb") as stream, opened_zip(stream) as archive, zipfile.ZipFile(cleaned, "w") as copy:
            members = [member for member in archive.infolist() if not member.is_dir()]
            refuse_bombs(members, limits.max_text_bytes, "text; the limit max_text_bytes is")
            for member in members:
                texts = member.filename.lower().endswith(_TEXT_SUFFIXES)
                content = archive.read(member) if texts else b""
                if texts and not member.filename.lower().endswith(_HTML_SUFFIXES):
                    refuse_entities(content)
                    content = in_common_dialect(member.filename, content)
                copy.writestr(member.filename, content)
    except DAMAGED_ZIP as error:
        raise damaged_zip(error) from (None if _seeks_nowhere(error) else error)
    cleaned.seek(0)
    return cleaned


def damaged_zip(error: BaseException) -> UnreadableDocument:
    """The error that reports a damaged zip file, with what the library said."""
    said = "its directory points outside the file" if _seeks_nowhere(error) else first_line(error)
    return UnreadableDocument(f"is a damaged zip file: {said}")


def _seeks_nowhere(error: BaseException) -> bool:
    """Whether an OSError is due to the file, not the system: a seek to an impossible offset (EINVAL)."""
    return isinstance(error, OSError) and error.errno == errno.EINVAL


def opened_zip(stream: BinaryIO) -> zipfile.ZipFile:
    """The archive; UnreadableDocument if its directory is too large, because `zipfile` reads all of it at once."""
    end = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, end - 65_557))  # the end record is 22 bytes, its comment at most 65,535
    tail = stream.read()
    record = tail.rfind(b"PK\x05\x06")
    if record >= 0 and len(tail) >= record + 22:
        members, size = struct.unpack_from("<HI", tail, record + 10)
        if b"PK\x06\x06" in tail[:record]:  # zip64: the real numbers are in its own record
            members, size = struct.unpack_from(
                "<QQ", tail.ljust(len(tail) + 56, b"\0"), tail.rfind(b"PK\x06\x06", 0, record) + 32
            )
        if members > _MAX_MEMBERS or size > _MAX_DIRECTORY_BYTES:
            raise UnreadableDocument(
                f"is a zip bomb: its directory has {members:,} members in {size:,} bytes;"
                f" the limits are {_MAX_MEMBERS:,} and {_MAX_DIRECTORY_BYTES:,}"
            )
    stream.seek(0)
    archive = zipfile.ZipFile(stream)
    if not all(member.filename for member in archive.infolist()):
        raise zipfile.BadZipFile("a member has no name")
    return archive


def refuse_bombs(members: Sequence[zipfile.ZipInfo], most: int, named: str) -> None:
    """UnreadableDocument for a bomb, by the sizes in the directory: `zipfile` unpacks no member beyond its declared size."""
    if len(members) > _MAX_MEMBERS:
        raise UnreadableDocument(f"is a zip bomb: {len(members):,} members; the limit is {_MAX_MEMBERS:,}")
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableDocument("is encrypted; save it without a password")
    texts = [member for member in members if member.filename.lower().endswith(_TEXT_SUFFIXES)]
    unpacked, packed = sum(member.file_size for member in texts), sum(member.compress_size for member in texts)
    if unpacked > _RATIO_FREE_BYTES and unpacked > _MAX_RATIO * packed:
        raise UnreadableDocument(f"is a zip bomb: {packed:,} bytes that unpack to {unpacked:,}")
    if unpacked > most:
        raise UnreadableDocument(f"unpacks to {unpacked:,} bytes of {named} {most:,}")


def refuse_entities(content: bytes) -> None:
    """UnreadableDocument if XML entities are declared: Office formats never do, bombs ("billion laughs") do.

    In UTF-16 they are found with the NULs removed.
    """
    if b"<!ENTITY" in content or (b"\0" in content[:256] and b"<!ENTITY" in content.replace(b"\0", b"")):
        raise UnreadableDocument("declares XML entities, which real documents never do")


def first_line(error: BaseException) -> str:
    """What a library said, short enough for a report."""
    said = str(error).partition("\n")[0]
    said = said.partition(" while decompressing data: ")[2] or said  # after zlib's number
    if isinstance(error, EOFError):
        said = "it ends too early"
    if isinstance(error, NotImplementedError):
        return f"it {PACK_AGAIN}"
    return damage(said)[:200] or "its parts do not fit together"
