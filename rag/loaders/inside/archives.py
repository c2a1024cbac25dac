"""Archives: zip and comic books (CBZ); tar, plain or packed by gzip, bzip2 or xz; mailboxes; objects that Office embeds.

Knows zip and tar; reads no file in them. Nothing is written: names that lead elsewhere are only names.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import mktime
from typing import Any, BinaryIO, cast

from rag.errors import UnreadableDocument
from rag.loaders import VERSIONS
from rag.loaders.base import Limits
from rag.loaders.inside import ole_objects
from rag.loaders.inside.base import Part
from rag.loaders.inside.mail import messages
from rag.loaders.office.ole import OLE
from rag.loaders.office.safe_zip import DAMAGED_ZIP, damaged_zip, first_line, opened_zip
from rag.loaders.plain_reasons import PACK_AGAIN, damage
from rag.types import CaptionOf, Content, Document, Passage

_UTF8_NAME, _ENCRYPTED = 0x800, 0x1  # flags of a zip member
_PACKED: dict[bytes, Callable[[BinaryIO], Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
_MARK_AT, _MARK = 257, b"ustar"
_DAMAGED = (*DAMAGED_ZIP, tarfile.TarError, lzma.LZMAError, gzip.BadGzipFile, RecursionError)


class ArchiveLoader:
    """An archive says nothing itself; all its passages are of the files in it."""

    version = VERSIONS["archive"]

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        return iter(())

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return iter(())

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def parts(document: Document, limits: Limits) -> Iterator[Part]:
    """The files in an archive. UnreadableDocument where it is damaged, from there on."""
    try:
        with document.file.open("rb") as stream:
            head = stream.read(4)
            stream.seek(0)
            if head.startswith(b"PK"):
                yield from _of_zip(stream)
            elif OLE.startswith(head) and head:
                yield from ole_objects.parts(document, limits)
            elif head == bytes(4):
                raise UnreadableDocument("is an empty or a damaged archive: it begins with zeros")
            elif head == b"From":
                yield from messages(stream, limits)
            else:
                yield from _of_tar(stream, head, limits)
    except gzip.BadGzipFile as error:
        raise UnreadableDocument(f"is a damaged archive: {first_line(error)}") from None
    except DAMAGED_ZIP as error:
        raise damaged_zip(error) from None
    except _DAMAGED as error:
        raise UnreadableDocument(f"is a damaged archive: {first_line(error)}") from None


def is_packed_tar(stream: BinaryIO, head: bytes) -> bool:
    """Whether packed data begins as a tar archive does."""
    try:
        with _PACKED[head[:2]](stream) as unpacked:
            return is_tar(cast(bytes, unpacked.read(512)))
    except (*_DAMAGED, KeyError):
        return False


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar archive."""
    return head[_MARK_AT : _MARK_AT + len(_MARK)] == _MARK


# ---- zip ------------------------------------------------------------------------------------


def _of_zip(stream: BinaryIO) -> Iterator[Part]:
    with opened_zip(stream) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield _zip_part(archive, member)


def _zip_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Part:
    if member.flag_bits & _ENCRYPTED:
        return Part(_zip_name(member), reason="is encrypted; unpack it with its password")
    return Part(_zip_name(member), partial(zip_stream, archive, member), dated=_zip_date(member))


def zip_stream(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    """The bytes of a file in a zip. UnreadableDocument, also when it is read, where it is damaged or encrypted."""
    try:
        return cast(BinaryIO, _Reported(cast(BinaryIO, archive.open(member))))
    except DAMAGED_ZIP as error:
        raise _damaged_member(error) from None


def _zip_name(member: zipfile.ZipInfo) -> str:
    """The name, which older programs wrote in the encoding of their system: UTF-8 is recognised, others look like DOS."""
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _zip_date(member: zipfile.ZipInfo) -> float | None:
    """Zip has no time zones: as on a clock here."""
    try:
        return None if member.date_time <= (1980, 1, 1, 23, 59, 59) else mktime((*member.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return None


# ---- tar ------------------------------------------------------------------------------------


def _of_tar(stream: BinaryIO, head: bytes, limits: Limits) -> Iterator[Part]:
    unpack = _PACKED.get(head[:2])
    whole = os.fstat(stream.fileno()).st_size
    bounded = _Bounded(cast(BinaryIO, unpack(stream)) if unpack else stream, limits.max_unpacked_bytes if unpack else whole)
    with tarfile.open(fileobj=bounded, mode="r|") as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # else all of them are kept
            if not 0 <= member.size <= bounded.most:  # tarfile would step through it block by block, also where there is nothing
                yield Part(member.name, reason=f"says it has {member.size:,} bytes, more than the archive may hold")
                return
            if member.isreg():
                yield Part(member.name, partial(_tar_stream, archive, member), dated=float(member.mtime) or None)
            elif member.issym() or member.islnk():
                yield Part(member.name, reason="are links to other files")


def _tar_stream(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    file = archive.extractfile(member)
    assert file is not None
    return cast(BinaryIO, _Reported(cast(BinaryIO, file)))


class _Bounded(io.RawIOBase):
    """What is unpacked of a tar, within bounds."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream, self._left, self.most = stream, most, most

    def read(self, size: int = -1) -> bytes:
        found = self._stream.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._left -= len(found)
        if self._left < 0:
            raise UnreadableDocument(f"is beyond what is unpacked of a document: max_unpacked_bytes = {self.most:,}")
        return found


class _Reported(io.RawIOBase):
    """A file in an archive, whose damage is told as of that file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except _DAMAGED as error:
            raise _damaged_member(error) from None

    def close(self) -> None:
        self._stream.close()
        super().close()


def _damaged_member(error: BaseException) -> UnreadableDocument:
    if isinstance(error, NotImplementedError):
        return UnreadableDocument(PACK_AGAIN)
    said = damage("it ends too early" if isinstance(error, EOFError) else str(error).partition("\n")[0][:200])
    return UnreadableDocument(f"is damaged in its archive: {said or 'its parts do not fit together'}")
