"""Computes checksums: of each block of a file, of its header, and of the file as a whole.

Knows bytes; knows neither FAISS nor the catalog.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import xxhash
from numpy.typing import NDArray

BLOCK = 1 << 16  # bytes per checksum: little to read for one row, and 1 byte of checksum per 8,192
SUM_DTYPE = np.dtype("<u8")  # XXH3, 64 bits: 10 GB/s, against 0.5 of BLAKE2b; it need not resist attackers, all bytes are ours


def header_sum(header: bytes | memoryview) -> bytes:
    """BLAKE2b, 128 bits, of the bytes before the vectors."""
    return blake2b(header, digest_size=16).digest()


def file_sum(sums: NDArray[np.uint64]) -> bytes:
    """BLAKE2b, 256 bits, of the checksums of all blocks, uint64 (n,): it identifies the whole file."""
    return blake2b(sums.astype(SUM_DTYPE).tobytes(), digest_size=32).digest()


def block_sum(block: bytes | memoryview) -> int:
    """XXH3, 64 bits, of one block."""
    return int(xxhash.xxh3_64_intdigest(block))


class BlockSums:
    """Computes the checksum of each block of a stream that arrives in chunks of any length."""

    def __init__(self) -> None:
        self._hash = xxhash.xxh3_64()
        self._filled = 0  # bytes hashed of the current block
        self._sums: list[int] = []

    def add(self, chunk: memoryview) -> memoryview:
        """Hashes the next bytes of the stream; returns them."""
        rest = chunk
        while len(rest):
            part = rest[: BLOCK - self._filled]
            self._hash.update(part)
            self._filled += len(part)
            rest = rest[len(part) :]
            if self._filled == BLOCK:
                self._close_block()
        return chunk

    def finish(self) -> NDArray[np.uint64]:
        """The checksums, uint64 (blocks,), once the stream has ended."""
        if self._filled:
            self._close_block()
        return np.array(self._sums, np.uint64)

    def _close_block(self) -> None:
        self._sums.append(self._hash.intdigest())
        self._hash, self._filled = xxhash.xxh3_64(), 0
