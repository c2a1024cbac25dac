"""Checksums of a file by blocks, and of all its blocks together.

Knows bytes; knows neither FAISS nor the catalog.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import xxhash
from numpy.typing import NDArray

BLOCK = 1 << 16  # bytes under one checksum: little to read for one row, and 1 byte of checksum in 8,192
_SUM = np.dtype("<u8")  # XXH3, 64 bits: 10 GB/s, where BLAKE2b did 0.5; no one else's bytes come here


def header_sum(header: bytes | memoryview) -> bytes:
    """BLAKE2b, 128 bits, of what stands before the vectors."""
    return blake2b(header, digest_size=16).digest()


def sum_of_sums(sums: NDArray[np.uint64]) -> bytes:
    """BLAKE2b, 256 bits, of the checksums of all blocks, uint64 (blocks,): it stands for the whole file."""
    return blake2b(sums.astype(_SUM).tobytes(), digest_size=32).digest()


def block_sum(block: bytes | memoryview) -> int:
    """XXH3, 64 bits, of one block."""
    return int(xxhash.xxh3_64_intdigest(block))


class BlockSums:
    """The checksums of the blocks of a stream that comes in chunks of any length."""

    def __init__(self) -> None:
        self._open = xxhash.xxh3_64()
        self._filled = 0  # bytes of the open block
        self._done: list[int] = []

    def add(self, chunk: memoryview) -> memoryview:
        """Takes the next bytes of the stream, and gives them on."""
        rest = chunk
        while len(rest):
            part = rest[: BLOCK - self._filled]
            self._open.update(part)
            self._filled += len(part)
            rest = rest[len(part) :]
            if self._filled == BLOCK:
                self._close()
        return chunk

    def found(self) -> NDArray[np.uint64]:
        """The checksums, uint64 (blocks,), once the stream has ended."""
        if self._filled:
            self._close()
        return np.array(self._done, np.uint64)

    def _close(self) -> None:
        self._done.append(self._open.intdigest())
        self._open, self._filled = xxhash.xxh3_64(), 0
