"""Reads the names that git tracks from the bytes of a `.git/index`, versions 2 to 4, as gitformat-index(5) describes them.

Knows bytes only: it opens no file and runs no program. The bytes are a stranger's; whatever they claim, reading them costs at
most their own length, `MAX_NAMES` names and `MAX_NAME_BYTES` bytes of names.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

MAX_NAMES = 1_000_000  # the largest public repositories track about 500,000 files
MAX_NAME_BYTES = 100_000_000  # of all names together: version 4 can write long names in two bytes each
_MAX_NAME = 4_096  # bytes: PATH_MAX of Linux
_HEADER = struct.Struct(">4sII")
_STAT_BYTES, _MODE_AT = 40, 24  # before the object's id: times, device, inode, mode, owner, size
_OBJECT_IDS = {20: hashlib.sha1, 32: hashlib.sha256}  # bytes of an id, and what the whole file ends with a checksum of
_EXTENDED, _NAME_LENGTH = 0x4000, 0x0FFF  # in an entry's flags
_MODES = frozenset(
    {0o040000, 0o100644, 0o100755, 0o100664, 0o120000, 0o160000}
)  # folder of a sparse index, files, link, submodule
_FOLDER = 0o040000


class Tracked(NamedTuple):
    """What an index file holds: names as bytes, sorted; and the id of the shared index with more of them, "" for none."""

    names: list[bytes]
    shared: str = ""


def read_tracked(index: bytes) -> Tracked:
    """The names in an index. ValueError with a reason where it is damaged, too large, or of an unknown version."""
    if len(index) < _HEADER.size + 20:
        raise ValueError("it is cut off")
    signature, version, count = _HEADER.unpack_from(index)
    if signature != b"DIRC":
        raise ValueError("it is not an index of git")
    if version not in (2, 3, 4):
        raise ValueError(f"its version is {version}, and only 2 to 4 are known")
    if count > MAX_NAMES:
        raise ValueError(f"it claims {count:,} names; the limit is {MAX_NAMES:,}")
    failure = ValueError("its checksum is wrong")
    for id_bytes in _sizes_of_ids(index):
        try:
            return _read(index, version, count, id_bytes)
        except (ValueError, struct.error, IndexError) as error:
            failure = error if isinstance(error, ValueError) else ValueError("it is damaged")
    raise failure


def _sizes_of_ids(index: bytes) -> list[int]:
    """How long its object ids can be: the index does not say so itself, but the checksum at its end does.

    A checksum of zeros is that of a repository which does without (`index.skipHash`).
    """
    content = memoryview(index)
    found = []
    for size, digest in _OBJECT_IDS.items():
        written = index[-size:]
        if not any(written) or digest(content[:-size], usedforsecurity=False).digest() == written:
            found.append(size)
    return found


def _read(index: bytes, version: int, count: int, id_bytes: int) -> Tracked:
    names: list[bytes] = []
    end = len(index) - id_bytes
    fixed = _STAT_BYTES + id_bytes + 2
    at, name, room = _HEADER.size, b"", MAX_NAME_BYTES
    for _ in range(count):
        begin = at
        (mode,) = struct.unpack_from(">I", index, begin + _MODE_AT)
        (flags,) = struct.unpack_from(">H", index, begin + fixed - 2)
        at = begin + fixed + (2 if version >= 3 and flags & _EXTENDED else 0)
        if mode not in _MODES:
            raise ValueError("it is damaged")
        kept = 0
        if version == 4:
            stripped, at = _variable_int(index, at)
            kept = len(name) - stripped
        stop = index.find(b"\0", at, min(end, at + _MAX_NAME + 1))
        length = kept + stop - at
        if stop < 0 or not 0 <= kept <= len(name) or length > _MAX_NAME or min(length, _NAME_LENGTH) != flags & _NAME_LENGTH:
            raise ValueError("it is damaged")
        name = name[:kept] + index[at:stop]
        at = stop + 1 if version == 4 else begin + (stop - begin) // 8 * 8 + 8  # one to eight zeros fill it up to a multiple of 8
        room -= len(name)
        if room < 0:
            raise ValueError(f"its names have more than {MAX_NAME_BYTES:,} bytes")
        if name and mode != _FOLDER:  # an entry of a split index may have no name: that of the shared index counts
            names.append(name)
    names.sort()
    return Tracked(names, _shared_index(index, at, end, id_bytes))


def _variable_int(index: bytes, at: int) -> tuple[int, int]:
    """A number as git's `decode_varint` reads it, and where it ends."""
    byte = index[at]
    value = byte & 127
    for place in range(at + 1, at + 5):
        if byte < 128:
            return value, place
        byte = index[place]
        value = (value + 1 << 7) | byte & 127
    raise ValueError("it is damaged")


def _shared_index(index: bytes, at: int, end: int, id_bytes: int) -> str:
    """The id in the extension `link`, which a split index has; "" without one."""
    while at + 8 <= end:
        signature, size = struct.unpack_from(">4sI", index, at)
        if signature == b"link" and size >= id_bytes:
            id_found = index[at + 8 : at + 8 + id_bytes]
            return id_found.hex() if any(id_found) else ""
        at += 8 + size
    return ""
