"""Reads the rows of a segment, each only after its block was verified against the catalog's checksum.

Knows one segment file; knows no passages, and looks up document names only to report damage.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.base import Segment
from rag.index.catalog.affected_documents import affected_clause
from rag.index.catalog.connection import open_to_read, translate_errors
from rag.index.files.checksums import BLOCK, block_sum
from rag.index.vectors.segments import REMEDY, read_sums, vectors_in, verify_header

if TYPE_CHECKING:
    from rag.types import Vectors

_CHUNK_BYTES = 1 << 20  # of rows read together


class VerifiedRows:
    """The 16-bit vectors of one segment. Every block is verified once, when the first of its rows is read.

    Thread-safe: at worst a block is verified twice. Reading 300 scattered rows of 2 kB verifies 20 MB: 2 ms.
    """

    def __init__(self, folder: Path, segment: Segment, sums: NDArray[np.uint64], dim: int) -> None:
        """Maps the file. IndexDamaged where its size or header is wrong."""
        self.segment = segment
        self.file = verify_header(folder, segment, dim)
        self._folder = folder
        self._dim = dim
        self._sums = sums
        try:
            opened = self.file.open("rb")
        except OSError as error:
            raise IndexDamaged(f"{self.file} cannot be read: {error.strerror}", remedy=REMEDY) from error
        weakref.finalize(self, opened.close)
        self._descriptor = opened.fileno()
        self._bytes = np.frombuffer(mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ), np.uint8)
        self._rows = self._bytes[segment.header :].view("<f2").reshape(segment.rows, dim)
        self._verified = np.zeros(len(sums), np.bool_)

    def take(self, rows: NDArray[np.int64]) -> Vectors:
        """The given rows as float32 (n, dim), in the given order. IndexDamaged names the documents of a damaged block."""
        width = 2 * self._dim
        starts = self.segment.header + rows * width
        # Usually a row lies in one or two blocks; with more than 32,768 dimensions it may span several.
        spans = [(starts + offset) // BLOCK for offset in (*range(0, width, BLOCK), width - 1)]
        needed = np.zeros(len(self._sums), np.bool_)
        needed[np.concatenate(spans)] = True
        self._verify(np.flatnonzero(needed))
        if 8 * len(rows) > self.segment.rows:
            self._refuse_truncated()
            return np.asarray(self._rows[rows], np.float32)
        # Read, not mapped: Linux maps up to 2 MB around every row that is accessed, and so soon the whole file.
        found = np.empty((len(rows), self._dim), "<f2")
        for row, start in zip(found, starts.tolist(), strict=True):
            self._read_into(row, start)
        return np.asarray(found, np.float32)

    def read_range(self, start: int, end: int) -> Iterator[NDArray[np.float16]]:
        """The rows start … end - 1, in order, in float16 arrays (n, dim) of at most 1 MB: read, not mapped, to save memory.

        IndexDamaged as `take`.
        """
        width = 2 * self._dim
        step = max(1, _CHUNK_BYTES // width)
        for first in range(start, end, step):
            found = np.empty((min(step, end - first), self._dim), "<f2")
            begin = self.segment.header + first * width
            self._verify(np.arange(begin // BLOCK, (begin + found.nbytes - 1) // BLOCK + 1))
            self._read_into(found, begin)
            yield found

    def all(self) -> NDArray[np.float16]:
        """All rows, float16 (rows, dim), memory-mapped. Verifies all of them once: 100,000 × 1024 take 20 ms.

        Call it before each scan: it raises IndexDamaged where the file has been truncated, as reading the missing part of the
        mapping would kill the process. Truncation during a scan still does.
        """
        self._refuse_truncated()
        self._verify(np.arange(len(self._sums)))
        return self._rows

    def _read_into(self, found: NDArray[np.float16], start: int) -> None:
        try:
            whole = os.preadv(self._descriptor, [found.data], start) == found.nbytes
        except OSError as error:
            raise IndexDamaged(f"{self.file} cannot be read: {error.strerror}", remedy=REMEDY) from error
        if not whole:
            raise IndexDamaged(f"{self.file} ends before byte {start + found.nbytes}", remedy=REMEDY)

    def _refuse_truncated(self) -> None:
        found = os.fstat(self._descriptor).st_size
        if found < self.segment.size:
            raise IndexDamaged(f"{self.file} has {found} bytes; {self.segment.size} were written", remedy=REMEDY)

    def _verify(self, blocks: NDArray[np.int64]) -> None:
        for block in blocks[~self._verified[blocks]].tolist():
            if not self._is_intact(block):
                raise self._damage_error(block)
            self._verified[block] = True

    def _is_intact(self, block: int) -> bool:
        try:
            content = os.pread(self._descriptor, BLOCK, block * BLOCK)
        except OSError:
            return False
        return block_sum(content) == int(self._sums[block])

    def _damage_error(self, block: int) -> IndexDamaged:
        with closing(open_to_read(self._folder)) as connection, translate_errors(self._folder):
            names = affected_clause(connection, *vectors_in(self.segment, block, self._dim), self.segment.space)
        return IndexDamaged(f"{self.file}: the block at byte {block * BLOCK} is damaged{names}", remedy=REMEDY)


def open_rows(folder: Path, connection: apsw.Connection, segment: Segment, dim: int) -> VerifiedRows:
    """The rows of one segment. IndexDamaged; apsw.CorruptError where its stored checksums are damaged."""
    return VerifiedRows(folder, segment, read_sums(connection, segment), dim)
