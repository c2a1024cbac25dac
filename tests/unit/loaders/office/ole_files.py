"""Small files as Office wrote them before 2007, made byte by byte: OLE, Word, PowerPoint, and a workbook older than OLE.

Knows the formats; knows no reader.
"""

from __future__ import annotations

import struct

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def ole(streams: dict[str, bytes]) -> bytes:
    """A compound file of one FAT sector, its streams padded to 4,096 bytes, from where they have sectors of their own."""
    fat = [_FAT, _END]
    data = b""
    entries = [_entry("Root Entry", 5, _END, 0, child=1)]
    for number, (name, content) in enumerate(streams.items(), start=1):
        content = content.ljust(4096, b"\0")
        content += b"\0" * (-len(content) % _SECTOR)
        first, count = len(fat), len(content) // _SECTOR
        fat += [*range(first + 1, first + count), _END]
        data += content
        entries.append(_entry(name, 2, first, len(content), right=number + 1 if number < len(streams) else _FREE))
    entries += [_entry("", 0, 0, 0)] * (4 - len(entries))
    assert len(entries) == 4 and len(fat) <= 128
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 16
        + struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    )
    header += struct.pack("<109I", 0, *[_FREE] * 108)
    return header + struct.pack("<128I", *fat, *[_FREE] * (128 - len(fat))) + b"".join(entries) + data


def _entry(name: str, kind: int, first: int, size: int, child: int = _FREE, right: int = _FREE) -> bytes:
    written = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI16xIQ", written, len(written) + 2 if name else 0, kind, 1, _FREE, right, child, 0, first, size
    )


def doc(main: str, footnote: str = "", deleted: tuple[int, int] = (0, 0)) -> bytes:
    """A Word 97 document; a footnote is referred to by "\\x02" in the main text, and characters may be deleted."""
    text = (main + footnote).encode("utf-16-le")
    start = 0x800
    word = bytearray(start + len(text) + 2 * _SECTOR)
    struct.pack_into("<HHHHHH", word, 0, 0xA5EC, 0xC1, 0, 0x0409, 0, 0x0200)
    struct.pack_into("<II", word, 0x4C, len(main), len(footnote))
    word[start : start + len(text)] = text
    page = -(-(start + len(text)) // _SECTOR)  # of character formats
    word += b"\0" * ((page + 1) * _SECTOR - len(word))
    runs = [start, start + 2 * deleted[0], start + 2 * deleted[1], start + len(text)]
    struct.pack_into("<4I3B", word, page * _SECTOR, *runs, 0, 200, 0)
    word[page * _SECTOR + 400 : page * _SECTOR + 404] = bytes((3, 0x00, 0x08, 1))  # sprmCFRMarkDel
    word[page * _SECTOR + 511] = 3
    tables = {
        33: b"\x02" + struct.pack("<I", 16) + struct.pack("<II", 0, len(main + footnote)) + struct.pack("<HIH", 0, start, 0),
        12: struct.pack("<III", start, start + len(text), page),
        2: struct.pack("<IIH", main.find("\x02"), len(main), 1) if footnote else b"",
        3: struct.pack("<III", 0, len(footnote), len(footnote) + 1) if footnote else b"",
    }
    table = b""
    for number, content in tables.items():
        struct.pack_into("<II", word, 0x9A + 8 * number, len(table), len(content))
        table += content
    return ole({"WordDocument": bytes(word), "1Table": table})


def ppt(slides: list[str], notes: str = "", hidden: int = -1) -> bytes:
    """A PowerPoint 97 deck: the texts of its slides, the notes of the first, and which slide is hidden."""
    deck, places = b"", dict[int, int]()

    def add(number: int, content: bytes) -> None:
        nonlocal deck
        places[number] = len(deck)
        deck += content

    listed = b"".join(_record(1011, struct.pack("<IIIII", number + 10, 0, 0, 256 + number, 0)) for number in range(len(slides)))
    said = _record(1011, struct.pack("<IIIII", 5, 0, 0, 999, 0)) if notes else b""
    add(1, _record(1000, _record(4080, listed, 0xF) + _record(4080, said, 0x2F), 0xF))
    for number, text in enumerate(slides):
        shown = _record(1017, struct.pack("<iIHH", 0, 0, 0, 4 if number == hidden else 0).ljust(16, b"\0"))
        add(number + 10, _record(1006, shown + _shape(text), 0xF))
    if notes:
        add(5, _record(1008, _record(1009, struct.pack("<II", 256, 0)) + _shape(notes), 0xF))
    directory = len(deck)
    deck += _record(6002, b"".join(struct.pack("<II", number | 1 << 20, place) for number, place in places.items()))
    edit = len(deck)
    deck += _record(4085, struct.pack("<IIIIIII", 0, 0, 0, directory, 1, 20, 0))
    return ole({"PowerPoint Document": deck, "Current User": _record(4086, struct.pack("<III", 20, 0xE391C05F, edit))})


def _shape(text: str) -> bytes:
    words = _record(3999, struct.pack("<I", 4)) + _record(4000, text.encode("utf-16-le"))
    return _record(1036, _record(0xF002, _record(0xF003, _record(0xF004, _record(0xF00D, words, 0xF), 0xF), 0xF), 0xF), 0xF)


def _record(kind: int, content: bytes, flags: int = 0) -> bytes:
    return struct.pack("<HHI", flags, kind, len(content)) + content


def bare_sheet(rows: list[list[str | float]]) -> bytes:
    """A workbook of Excel 2, which is one sheet."""
    written = struct.pack("<HHHH", 0x09, 4, 2, 0x10)
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            place = struct.pack("<HH3x", row, column)
            text = value.encode("cp1252") if isinstance(value, str) else b""
            content = place + (bytes([len(text)]) + text if text else struct.pack("<d", value))
            written += struct.pack("<HH", 0x04 if text else 0x03, len(content)) + content
    return written + struct.pack("<HH", 0x0A, 0)
