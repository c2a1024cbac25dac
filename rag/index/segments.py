"""Segment files: immutable 16-bit vectors on disk, with checksums, and their rows by memory map.

Knows the FAISS file; knows no passages. The catalog's row about a segment is the truth about its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.durable import write_durably
from rag.index.folder import segment_file

if TYPE_CHECKING:
    from rag.types import Vectors

BLOCK = 1 << 20  # bytes under one checksum
_BYTES_PER_NUMBER = 2  # IEEE half precision
_REMEDY = "run rag check; then restore the folder from a copy, or rebuild it: rag index --rebuild FOLDER"


@dataclass(frozen=True, slots=True)
class Segment:
    """What the catalog says of one segment. Row r holds the vector of number `first` + r."""

    number: int
    first: int
    rows: int
    size: int  # bytes
    header: int  # bytes before the vectors
    header_checksum: bytes
    checksum: bytes


SEGMENT_COLUMNS = "number, first, rows, size, header, header_checksum, checksum"


def read_segments(connection: apsw.Connection, generation: int) -> tuple[Segment, ...]:
    """The segments live at `generation`, by number."""
    question = f"SELECT {SEGMENT_COLUMNS} FROM segments WHERE born <= ?1 AND (ended IS NULL OR ended > ?1) ORDER BY number"
    return tuple(Segment(*row) for row in connection.execute(question, (generation,)))


def write_segment(
    folder: Path, number: int, first: int, parts: Sequence[NDArray[np.float16]], dim: int
) -> tuple[Segment, list[bytes]]:
    """Writes the rows of `parts`, in order, durably; gives the catalog's row and the checksum of each block. OSError."""
    import faiss

    index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    for part in parts:
        index.add(part.astype(np.float32))
    rows = int(index.ntotal)
    image = memoryview(faiss.serialize_index(index).data)
    header = len(image) - rows * dim * _BYTES_PER_NUMBER
    blocks = [image[start : start + BLOCK] for start in range(0, len(image), BLOCK)]
    write_durably(segment_file(folder, number), blocks)
    segment = Segment(number, first, rows, len(image), header, header_sum(image[:header]), whole_sum(blocks))
    return segment, [block_sum(block) for block in blocks]


def record_segment(connection: apsw.Connection, segment: Segment, sums: Sequence[bytes], born: int) -> None:
    """Names a segment in the catalog."""
    values = (segment.number, segment.first, segment.rows, segment.size, segment.header, segment.header_checksum)
    connection.execute(
        f"INSERT INTO segments({SEGMENT_COLUMNS}, born) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, segment.checksum, born)
    )
    connection.executemany("INSERT INTO blocks VALUES (?, ?, ?)", [(segment.number, at, each) for at, each in enumerate(sums)])


def header_sum(header: bytes | memoryview) -> bytes:
    """BLAKE2b, 128 bits, of what stands before the vectors."""
    return blake2b(header, digest_size=16).digest()


def block_sum(block: bytes | memoryview) -> bytes:
    """BLAKE2b, 64 bits, of one block."""
    return blake2b(block, digest_size=8).digest()


def whole_sum(blocks: Iterable[bytes | memoryview]) -> bytes:
    """BLAKE2b, 256 bits, of the blocks one after the other."""
    digest = blake2b(digest_size=32)
    for block in blocks:
        digest.update(block)
    return digest.digest()


def read_blocks(file: Path) -> Iterator[bytes]:
    """The bytes of a file, block by block."""
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block


def trust(folder: Path, segment: Segment, dim: int) -> Path:
    """The segment's file, after its size and header were compared with the catalog: before that FAISS must not parse it."""
    file = segment_file(folder, segment.number)
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            header = opened.read(segment.header)
    except OSError as error:
        raise IndexDamaged(f"{file} cannot be read: {error.strerror}", remedy=_REMEDY) from error
    if size != segment.size or size != segment.header + segment.rows * dim * _BYTES_PER_NUMBER:
        raise IndexDamaged(f"{file} has {size} bytes; {segment.size} were written", remedy=_REMEDY)
    if header_sum(header) != segment.header_checksum:
        raise IndexDamaged(f"{file}: its header is not what was written", remedy=_REMEDY)
    return file


def map_rows(file: Path, segment: Segment, dim: int) -> NDArray[np.float16]:
    """The vectors of a trusted file, (rows, dim), read from disk as they are touched."""
    return np.memmap(file, np.float16, "r", offset=segment.header, shape=(segment.rows, dim))


def take_rows(mapped: NDArray[np.float16], rows: NDArray[np.int64]) -> Vectors:
    """Some rows as float32, in the order asked."""
    return mapped[rows].astype(np.float32)
