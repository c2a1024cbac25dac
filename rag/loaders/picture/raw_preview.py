"""Finds the picture that a camera put into its raw file for showing: a JPEG, found by the structure of the file, never developed.

Knows TIFF directories, and where Fujifilm, Panasonic and Canon keep theirs; decodes nothing. Raw files are told by their content.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

_MOST_DIRECTORIES = 40
_MOST_ENTRIES = 1_000  # of one directory
_MOST_BYTES = 100_000_000  # of a preview
_HEAD = 4_000_000  # bytes in which Canon's newer files name theirs

_ORIENTATION, _DATE, _EXIF, _SUBFILES, _DATE_TAKEN = 0x0112, 0x0132, 0x8769, 0x014A, 0x9003
_COMPRESSION, _PHOTOMETRIC, _DNG = 0x0103, 0x0106, 0xC612
_STARTS, _SIZES, _JPEG, _JPEG_SIZE, _PANASONIC = 0x0111, 0x0117, 0x0201, 0x0202, 0x002E
_MOSAICS = frozenset({32803, 34892})  # colour filter array, linear raw (TIFF/EP, DNG)
_RAW_COMPRESSIONS = frozenset({34713, 32767, 65535, 32769, 32770})  # of Nikon, Sony, Pentax and Samsung
_SIZE_OF = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 9: 4, 13: 4}  # bytes of a value, by TIFF type


@dataclass(slots=True)
class Preview:
    """Where the picture is, and what the raw file says of it."""

    start: int
    size: int
    exif: dict[int, int | str] = field(default_factory=dict)  # by EXIF tag


def find_preview(stream: IO[bytes]) -> Preview | None:
    """The largest JPEG for showing in a raw file; None where the file is not raw, or has none."""
    stream.seek(0)
    head = stream.read(96)
    try:
        if head.startswith(b"FUJIFILMCCD-RAW"):
            start, size = struct.unpack_from(">II", head, 84)
            return _checked(stream, [Preview(start, size)])
        if head[4:12] == b"ftypcrx ":
            return _checked(stream, list(_in_boxes(stream)))
        if head[:2] in (b"II", b"MM"):
            return _in_directories(stream, head)
    except struct.error:
        return None
    return None


def _in_boxes(stream: IO[bytes]) -> Iterator[Preview]:
    """Canon CR3: a box `PRVW` with its size, 16 bytes before a JPEG."""
    stream.seek(0)
    data = stream.read(_HEAD)
    at = data.find(b"PRVW")
    if at >= 0 and (start := data.find(b"\xff\xd8\xff", at, at + 64)) >= 0:
        yield Preview(start, struct.unpack_from(">I", data, start - 4)[0])


def _in_directories(stream: IO[bytes], head: bytes) -> Preview | None:
    order = "<" if head[:2] == b"II" else ">"
    magic, first = struct.unpack_from(f"{order}HI", head, 2)
    is_raw = head[8:10] == b"CR" or magic in (0x0055, 0x4F52, 0x5352)  # Canon CR2, Panasonic, Olympus
    if not is_raw and magic != 42:
        return None
    found: list[Preview] = []
    said: dict[int, int | str] = {}
    waiting, seen = [first], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen or at < 8:
            continue
        seen.add(at)
        tags, following = _directory(stream, at, order)
        waiting += [*tags.get(_SUBFILES, ())[:8], *tags.get(_EXIF, ())[:1], following]
        values = {tag: numbers[0] for tag, numbers in tags.items() if numbers}
        mosaic = values.get(_PHOTOMETRIC) in _MOSAICS
        is_raw |= mosaic or _DNG in tags or values.get(_COMPRESSION) in _RAW_COMPRESSIONS
        if len(seen) == 1 and _ORIENTATION in values:
            said[_ORIENTATION] = values[_ORIENTATION]
        if _DATE_TAKEN in tags and (date := _text(stream, values[_DATE_TAKEN])):
            said[_DATE] = date
        if _JPEG in values and _JPEG_SIZE in values:
            found.append(Preview(values[_JPEG], values[_JPEG_SIZE]))
        if _PANASONIC in values and magic == 0x0055:
            found.append(Preview(values[_PANASONIC], _MOST_BYTES))
        if values.get(_COMPRESSION) in (6, 7) and not mosaic and len(tags.get(_STARTS, ())) == 1 and _SIZES in values:
            found.append(Preview(values[_STARTS], values[_SIZES]))
    best = _checked(stream, found) if is_raw else None
    if best is not None:
        best.exif.update(said)
    return best


def _directory(stream: IO[bytes], at: int, order: str) -> tuple[dict[int, list[int]], int]:
    """The numbers of each tag (for texts: where they stand), and where the next directory is."""
    stream.seek(at)
    (count,) = struct.unpack(f"{order}H", stream.read(2))
    raw = stream.read(12 * min(count, _MOST_ENTRIES) + 4)
    tags: dict[int, list[int]] = {}
    for entry in range(min(count, _MOST_ENTRIES)):
        tag, kind, length = struct.unpack_from(f"{order}HHI", raw, 12 * entry)
        size = _SIZE_OF.get(kind, 0)
        if not size:
            continue
        if kind in (1, 2, 7) or length > 64:
            tags[tag] = list(struct.unpack_from(f"{order}I", raw, 12 * entry + 8))
            continue
        if size * length > 4:
            stream.seek(struct.unpack_from(f"{order}I", raw, 12 * entry + 8)[0])
            values = stream.read(size * length)
        else:
            values = raw[12 * entry + 8 : 12 * entry + 12]
        tags[tag] = list(struct.unpack_from(f"{order}{length}{'H' if size == 2 else 'I'}", values))
    (following,) = struct.unpack_from(f"{order}I", raw, 12 * count) if count <= _MOST_ENTRIES else (0,)
    return tags, following


def _text(stream: IO[bytes], at: int) -> str:
    stream.seek(at)
    return stream.read(19).decode("ascii", "replace").rstrip("\0 ")


def _checked(stream: IO[bytes], found: list[Preview]) -> Preview | None:
    """The largest that is a JPEG of one kind that is shown; raw data may be one of another (lossless, SOF3)."""
    for one in sorted(found, key=lambda preview: -preview.size):
        if 0 < one.size <= _MOST_BYTES and one.start > 0:
            stream.seek(one.start)
            head = stream.read(2_000)
            if head.startswith(b"\xff\xd8\xff") and b"\xff\xc3" not in head:
                return one
    return None
