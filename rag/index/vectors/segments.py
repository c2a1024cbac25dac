"""Reads and writes segments: immutable files of 16-bit vectors, and their rows in the catalog.

Knows the FAISS file format; knows no passages. The segment's row in the catalog is the truth about its file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.base import Segment
from rag.index.catalog.schema import LIVE
from rag.index.files.checksums import BLOCK, SUM_DTYPE, BlockSums, file_sum, header_sum
from rag.index.files.durable import write_durably
from rag.index.files.layout import segment_file

REMEDY = "run rag repair, then rag index, which reads the lost documents again"
_BYTES_PER_NUMBER = 2  # IEEE half precision
_FAISS_HEADER = struct.Struct("<4siqqq?iiifQQQQ")
_UNUSED, _IS_TRAINED, _INNER_PRODUCT, _FP16, _NO_RANGE, _NO_TRAINED_NUMBERS = (1 << 20, 1 << 20), True, 0, 4, (0, 0.0), 0


SEGMENT_COLUMNS = "number, first, rows, size, header, header_checksum, checksum, space"


def read_segments(connection: apsw.Connection, generation: int, space: int = 0) -> tuple[Segment, ...]:
    """The segments of a space that are live at `generation`, by number."""
    question = f"SELECT {SEGMENT_COLUMNS} FROM segments WHERE {LIVE} AND space = ?2 ORDER BY number"
    return tuple(Segment(*row) for row in connection.execute(question, (generation, space)))


def read_segment_numbers(connection: apsw.Connection, generation: int) -> frozenset[int]:
    """The numbers of the segments of every space that are live at `generation`."""
    return frozenset(number for (number,) in connection.execute(f"SELECT number FROM segments WHERE {LIVE}", (generation,)))


def write_segment(
    folder: Path, number: int, first: int, rows: int, parts: Iterable[NDArray[np.float16]], dim: int, space: int = 0
) -> tuple[Segment, NDArray[np.uint64]]:
    """Writes the `rows` rows of `parts`, in order, durably. Returns the catalog's row and the checksum of each block. OSError.

    Each part is float16 (n, dim), and is consumed when it is written, so that they need not be in memory together.
    """
    header = faiss_header(rows, dim)
    sums = BlockSums()

    def summed() -> Iterator[memoryview]:
        yield sums.add(memoryview(header))
        for part in parts:
            yield sums.add(np.ascontiguousarray(part, "<f2").reshape(-1).view(np.uint8).data)

    write_durably(segment_file(folder, number), summed())
    found = sums.finish()
    size = len(header) + rows * dim * _BYTES_PER_NUMBER
    return Segment(number, first, rows, size, len(header), header_sum(header), file_sum(found), space), found


def record_segment(connection: apsw.Connection, segment: Segment, sums: NDArray[np.uint64], born: int) -> None:
    """Inserts a segment and its block checksums, uint64 (n,), into the catalog."""
    values = (segment.number, segment.first, segment.rows, segment.size, segment.header, segment.header_checksum)
    connection.execute(
        f"INSERT INTO segments({SEGMENT_COLUMNS}, born) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, segment.checksum, segment.space, born),
    )
    connection.execute("INSERT INTO blocks VALUES (?, ?)", (segment.number, sums.astype(SUM_DTYPE).tobytes()))


def read_sums(connection: apsw.Connection, segment: Segment) -> NDArray[np.uint64]:
    """The checksum of each block of a segment, uint64 (blocks,). apsw.CorruptError where they are damaged."""
    stored = connection.execute("SELECT checksums FROM blocks WHERE segment = ?", (segment.number,)).get
    sums = np.frombuffer(stored if isinstance(stored, bytes) else b"", SUM_DTYPE)
    if len(sums) != -(-segment.size // BLOCK) or file_sum(sums) != segment.checksum:
        raise apsw.CorruptError(f"the stored checksums of segment {segment.number} are damaged")
    return sums.astype(np.uint64)


def faiss_header(rows: int, dim: int) -> bytes:
    """The FAISS header of a 16-bit scalar quantiser, made without importing FAISS; a test compares it with FAISS's own.

    Source: `write_index_header` and `write_ScalarQuantizer` of faiss/impl/index_write.cpp.
    """
    return _FAISS_HEADER.pack(
        b"IxSQ", dim, rows, *_UNUSED, _IS_TRAINED, _INNER_PRODUCT, _FP16, *_NO_RANGE,
        dim, dim * _BYTES_PER_NUMBER, _NO_TRAINED_NUMBERS, rows * dim * _BYTES_PER_NUMBER,
    )  # fmt: skip


def read_blocks(file: Path) -> Iterator[bytes]:
    """The content of a file, block by block. OSError."""
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block


def verify_header(folder: Path, segment: Segment, dim: int) -> Path:
    """Compares the size and header of a segment's file with the catalog; returns its path. IndexDamaged.

    FAISS must not parse a file that was not verified.
    """
    file = segment_file(folder, segment.number)
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            header = opened.read(segment.header)
    except OSError as error:
        raise IndexDamaged(f"{file} cannot be read: {error.strerror}", remedy=REMEDY) from error
    if size != segment.size or size != segment.header + segment.rows * dim * _BYTES_PER_NUMBER:
        raise IndexDamaged(f"{file} has {size} bytes; {segment.size} were written", remedy=REMEDY)
    if header_sum(header) != segment.header_checksum:
        raise IndexDamaged(f"{file} is damaged: the checksum of its header is wrong", remedy=REMEDY)
    return file


def vectors_in(segment: Segment, block: int, dim: int) -> tuple[int, int]:
    """The range [first, end) of vector numbers that lie in a block, wholly or in part."""
    row = _BYTES_PER_NUMBER * dim
    start, end = block * BLOCK - segment.header, (block + 1) * BLOCK - segment.header
    return segment.first + max(start, 0) // row, segment.first + min(-(-max(end, 0) // row), segment.rows)
