"""Messages as Outlook saves them, made byte by byte: a compound file with storages and small streams.

Knows MS-CFB and MS-OXMSG; knows no reader.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, TypeAlias

Tree: TypeAlias = Mapping[str, Any]  # of bytes and trees
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096


def compound(tree: Tree) -> bytes:
    """A compound file of these storages and streams; streams below 4,096 bytes lie in the mini stream."""
    entries: list[list[object]] = [["Root Entry", 5, _FREE, _FREE, _FREE, _END, 0]]
    large: list[tuple[int, bytes]] = []
    mini, minifat = bytearray(), list[int]()

    def add(children: Tree) -> int:
        first = previous = _FREE
        for name, child in children.items():
            at = len(entries)
            entries.append([name, 2, _FREE, _FREE, _FREE, _END, 0])
            if previous == _FREE:
                first = at
            else:
                entries[previous][3] = at
            previous = at
            if not isinstance(child, bytes):
                entries[at][1] = 1
                entries[at][4] = add(child)
            elif len(child) >= _CUTOFF:
                entries[at][6] = len(child)
                large.append((at, child))
            elif child:
                entries[at][5:] = [len(minifat), len(child)]
                count = -(-len(child) // _MINI)
                minifat.extend([*range(len(minifat) + 1, len(minifat) + count), _END])
                mini.extend(child.ljust(count * _MINI, b"\0"))
        return first

    entries[0][4] = add(tree)
    fat: list[int] = []
    data = b""

    def put(content: bytes) -> int:
        nonlocal data
        first, count = len(fat), max(1, -(-len(content) // _SECTOR))
        fat.extend([*range(first + 1, first + count), _END])
        data += content.ljust(count * _SECTOR, b"\0")
        return first

    for at, content in large:
        entries[at][5] = put(content)
    entries[0][5:] = [put(bytes(mini)), len(mini)]
    minifat_at = put(struct.pack(f"<{len(minifat)}I", *minifat).ljust(-(-4 * len(minifat) // _SECTOR) * _SECTOR, b"\xff"))
    directory = b"".join(_entry(*entry) for entry in entries)  # type: ignore[arg-type]
    directory_at = put(directory.ljust(-(-len(directory) // _SECTOR) * _SECTOR, b"\0"))
    sectors = -(-(len(fat) + 8) // 128)
    first_fat = len(fat)
    fat += [_FAT] * sectors
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(sectors * _SECTOR, b"\xff")
    places = [*range(first_fat, first_fat + sectors), *[_FREE] * (109 - sectors)]
    count = -(-len(minifat) * 4 // _SECTOR)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, sectors, directory_at, 0, _CUTOFF, minifat_at, count, _END, 0
    )
    return header + struct.pack("<109I", *places) + data + table


def _entry(name: str, kind: int, left: int, right: int, child: int, first: int, size: int) -> bytes:
    written = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI16xIQ", written, len(written) + 2, kind, 1, left, right, child, 0, first if size or kind == 5 else 0, size
    )


def message(
    subject: str, body: str, *, sender: str = "Ann <ann@example.org>", html: str = "", top: bool = True, **more: object
) -> dict[str, object]:
    """The streams of a message. `attached`: storages of attachments; `narrow`: the body in that code page."""
    name, _, address = sender.rstrip(">").partition(" <")
    narrow = more.get("narrow")
    streams: dict[str, object] = {
        "__properties_version1.0": b"\0" * (32 if top else 24)
        + struct.pack("<IIQ", 0x00390040, 6, 133_854_660_000_000_000)
        + struct.pack("<IIQ", 0x3FFD0003, 6, int(narrow or 1252)),  # type: ignore[call-overload]
        "__substg1.0_0037001F": subject.encode("utf-16-le"),
        "__substg1.0_0C1A001F": name.encode("utf-16-le"),
        "__substg1.0_5D01001F": address.encode("utf-16-le"),
        "__substg1.0_0E04001F": "Bo".encode("utf-16-le"),
    }
    if narrow:
        streams["__substg1.0_1000001E"] = body.encode(f"cp{narrow}")
    elif body:
        streams["__substg1.0_1000001F"] = body.encode("utf-16-le")
    if html:
        streams["__substg1.0_10130102"] = html.encode()
    if rtf := more.get("rtf"):
        assert isinstance(rtf, bytes)
        streams["__substg1.0_10090102"] = struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf
    for number, attached in enumerate(more.get("attached", ())):  # type: ignore[var-annotated,arg-type]
        streams[f"__attach_version1.0_#{number:08X}"] = attached
    return streams


def file(name: str, content: bytes) -> dict[str, object]:
    """The storage of an attached file."""
    return {
        "__properties_version1.0": b"\0" * 8,
        "__substg1.0_3707001F": name.encode("utf-16-le"),
        "__substg1.0_37010102": content,
    }


def forwarded(inner: dict[str, object]) -> dict[str, object]:
    """The storage of an attached message."""
    return {"__properties_version1.0": b"\0" * 8, "__substg1.0_3701000D": inner}
