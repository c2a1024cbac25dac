"""Gives the file inside a packed one (.gz, .bz2, .xz, .lzma, .zst) as a file: in memory, under its inner name, within bounds.

Knows packed streams; knows no format of what is inside, and no archive. A confined reader cannot write to a disk.
"""

from __future__ import annotations

import os
import re
import resource
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PosixPath
from typing import Any, BinaryIO

from rag.corpus.file_types import unpacked_name
from rag.errors import UnreadableDocument
from rag.loaders.base import Limits

MOST_BYTES = 2_000_000_000  # unpacked
_MOST_LAYERS = 3  # packed and packed again
_MOST_RATIO = 3_000  # unpacked to packed: logs reach 100, the best of repetitive tables 1,000
_RATIO_FREE_BYTES = 64_000_000  # unpacked; up to here any ratio is harmless
_STEP = 1 << 20  # bytes unpacked at once
_DICTIONARY = 300_000_000  # bytes of memory an .xz may ask for; `xz -9e` asks for 65 MB

_MAGIC: dict[str, tuple[bytes, ...]] = {  # the first bytes of a stream; several may follow one another
    "gz": (b"\x1f\x8b\x08",),
    "bz2": (b"BZh",),
    "xz": (b"\xfd7zXZ\0",),
    "lzma": (b"\x5d\0\0",),
    "zst": (b"\x28\xb5\x2f\xfd", *(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))),
}
_DESCRIPTORS = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")


class MemoryFile(PosixPath):
    """The path of a file in memory that bears the name of the file it holds: its suffix says how it is read."""

    _shown: str

    @property
    def name(self) -> str:
        """Of the file it holds."""
        return self._shown

    @property
    def suffix(self) -> str:
        """Of that name."""
        dot = self._shown.rfind(".")
        return self._shown[dot:] if 0 < dot < len(self._shown) - 1 else ""

    @property
    def stem(self) -> str:
        """That name without its suffix."""
        return self._shown.removesuffix(self.suffix) if self.suffix else self._shown

    def resolve(self, strict: bool = False) -> MemoryFile:
        """Itself: what the link in /proc names cannot be opened."""
        return self

    def expanduser(self) -> MemoryFile:
        """Itself."""
        return self


_DECODERS_PREFIX = re.compile(r"^Error -?\d+ while decompressing data: ")  # of zlib, before what it says


@contextmanager
def unpacked(file: Path, limits: Limits) -> Iterator[Path]:
    """The file inside a packed one, or the file itself where it is none; it is there until the context ends.

    UnreadableDocument where it is damaged, or unpacks to more than `MOST_BYTES` or than half the memory of this process.
    """
    with ExitStack() as opened:
        found = file
        for layer in range(_MOST_LAYERS + 1):
            form = packed_form(found)
            if not form or _is_packed_tar(found):
                break
            if layer == _MOST_LAYERS:
                raise UnreadableDocument(f"is packed more than {_MOST_LAYERS} times")
            found = opened.enter_context(_unpacked(found, form, limits))
        yield found


def packed_form(file: Path) -> str:
    """How a file is packed, "gz" for example, by its name and its first bytes; "" where it is not, or cannot be opened."""
    is_nameless = file.parent == _DESCRIPTORS and not isinstance(file, MemoryFile)  # opened by another process, and checked there
    if unpacked_name(file.name) == file.name and not is_nameless:
        return ""
    try:
        with file.open("rb") as stream:
            head = stream.read(8)
    except OSError:
        return ""
    return next((form for form, marks in _MAGIC.items() if head.startswith(marks)), "")


@contextmanager
def in_memory(name: str, pieces: Iterator[bytes], most: int) -> Iterator[Path]:
    """Bytes as a file in memory of that name; UnreadableDocument where there are more than `most`.

    What this process may use otherwise is less meanwhile: its memory stays bounded.
    """
    written_before, memory = (resource.getrlimit(what) for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_DATA))
    descriptor = _new_file()
    try:
        if written_before[0] != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_FSIZE, (written_before[0] + most, written_before[1]))
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > most:
                raise UnreadableDocument(f"unpacks to more than {most:,} bytes")
            view = memoryview(piece)
            while view:
                view = view[os.write(descriptor, view) :]
        if memory[0] != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_DATA, (memory[0] - size, memory[1]))
        yield named(_DESCRIPTORS / str(descriptor), name)
    finally:
        os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_FSIZE, written_before)
        resource.setrlimit(resource.RLIMIT_DATA, memory)


def named(file: Path, name: str) -> MemoryFile:
    """The path of an open file, under the name of what it holds."""
    found = MemoryFile(file)
    found._shown = name
    return found


def _is_packed_tar(file: Path) -> bool:
    """Whether it is an archive, which is read from its beginning to its end without being in memory as a whole."""
    from rag.loaders.inside.archives import is_packed_tar

    with file.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0)
        return is_packed_tar(stream, head)


def room(limits: Limits) -> int:
    """How many bytes a file in memory may have in this process."""
    memory, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return min(MOST_BYTES, limits.max_file_bytes, MOST_BYTES if memory == resource.RLIM_INFINITY else memory // 2)


def _new_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("unpacked", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as stream:  # elsewhere readers may write
        return os.dup(stream.fileno())


@contextmanager
def _unpacked(file: Path, form: str, limits: Limits) -> Iterator[Path]:
    try:
        with file.open("rb") as source, in_memory(_inner_name(file, source), _pieces(source, form), room(limits)) as found:
            yield found
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error


def _inner_name(file: Path, source: BinaryIO) -> str:
    """The name without what says that it is packed; where nothing is left of it, the name that a .gz keeps."""
    name = unpacked_name(file.name)
    if "." in name.lstrip("."):
        return name
    head = source.read(600)
    source.seek(0)
    if head.startswith(b"\x1f\x8b\x08") and head[3:4] == b"\x08":  # a name, and no extra field before it
        kept = head[10:].split(b"\0")[0].decode("latin-1").rpartition("/")[2]
        return f"{name}{kept[kept.rfind('.') :]}" if "." in kept else name
    return name


def _pieces(source: BinaryIO, form: str) -> Iterator[bytes]:
    """The unpacked bytes, a piece at a time. UnreadableDocument where it is damaged or a bomb."""
    new, damaged = _decoders(form)
    decoder, data = None, b""
    taken = given = 0  # bytes
    try:
        while True:
            if decoder is None:  # at the beginning of a stream; what follows the last one is ignored, as the tools do
                data = (data + source.read(_STEP // 4)).lstrip(b"\0")
                if not data or (given and not data.startswith(_MAGIC[form])):
                    return
                decoder = new()
            elif decoder.needs_input:
                data = source.read(_STEP // 4)
                if not data:
                    raise EOFError
            taken = source.tell()
            piece = decoder.decompress(data, _STEP)
            data = decoder.unused_data if decoder.eof else b""
            given += len(piece)
            if given > max(_RATIO_FREE_BYTES, _MOST_RATIO * taken):
                raise UnreadableDocument(f"is a bomb: {taken:,} bytes that unpack to more than {given:,}")
            if piece:
                yield piece
            if decoder.eof:
                decoder = None
    except damaged as error:
        said = "it ends too early" if isinstance(error, EOFError) else _DECODERS_PREFIX.sub("", str(error))[:160]
        raise UnreadableDocument(f"is a damaged .{form} file: {said}") from None


def _decoders(form: str) -> tuple[Callable[[], Any], tuple[type[BaseException], ...]]:
    """What makes a decoder with the interface of `bz2.BZ2Decompressor`, and the errors it raises on damage."""
    if form == "gz":
        return _Gzip, (zlib.error, EOFError)
    if form == "bz2":
        import bz2

        return bz2.BZ2Decompressor, (OSError, ValueError, EOFError)
    if form in ("xz", "lzma"):
        import lzma

        return partial(lzma.LZMADecompressor, memlimit=_DICTIONARY), (lzma.LZMAError, EOFError)
    zstd = _zstd()
    return zstd.ZstdDecompressor, (zstd.ZstdError, EOFError)


def _zstd() -> Any:
    try:
        from compression import zstd  # from Python 3.14 on
    except ImportError:
        from backports import zstd
    return zstd


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes, most: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, most)

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data
