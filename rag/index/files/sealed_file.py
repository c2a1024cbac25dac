"""Files that can be made again from others: put in place whole, sealed with checksums, and never waited for.

Knows nothing of what is in them. What a power cut or a flip leaves of one is noticed when it is opened, and it is made again.

    payload · XXH3 (64 bits) of each 64 KiB of it · JSON · its length (4 bytes) · BLAKE2b (16 bytes) of all after the payload
"""

from __future__ import annotations

import json
import mmap
import os
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import xxhash

from rag.index.files.checksums import BLOCK, BlockSums
from rag.index.files.parallel import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEAL = 16  # bytes
_LENGTH = 4
_LONGEST_TOLD = 1 << 16
_SUM = np.dtype("<u8")
_AT_ONCE = 256  # blocks: 16 MB


class Length:
    """Whether a file still has it: what was cut off a mapped file ends the process that reads it. Keeps the file open only."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened = opened
        self._size = os.fstat(opened.fileno()).st_size
        weakref.finalize(self, opened.close)

    def mapped(self) -> mmap.mmap:
        """The file in memory. ValueError where it is empty."""
        return mmap.mmap(self._opened.fileno(), 0, access=mmap.ACCESS_READ)

    def holds(self) -> bool:
        """Ask before each use of the mapping."""
        return os.fstat(self._opened.fileno()).st_size >= self._size


@dataclass(frozen=True, slots=True, eq=False)
class Sealed:
    """A file that is what was written: its payload, mapped, and what was told of it."""

    payload: NDArray[np.uint8]
    told: Mapping[str, Any]
    length: Length


def derived_file(segment_file: Path, name: str) -> Path:
    """Where the file of that structure lies, beside the segment it is derived from."""
    return segment_file.with_suffix(f".{name}")


def write_sealed(file: Path, payload: Iterable[bytes | memoryview], told: Mapping[str, Any]) -> None:
    """Writes to a name of its own and renames: readers see the old file or the new one, whole. OSError.

    Several processes may do it at once; the last one stays. What a kill leaves ends in `.new`, which the next writer removes.
    """
    temporary = file.with_name(f"{file.name}.{os.getpid()}-{os.urandom(4).hex()}.new")
    sums, size = BlockSums(), 0
    try:
        with temporary.open("xb") as out:
            for chunk in payload:
                out.write(sums.add(memoryview(chunk)))
                size += len(chunk)
            line = json.dumps({**told, "size": size}).encode()
            end = sums.found().astype(_SUM).tobytes() + line + len(line).to_bytes(_LENGTH, "little")
            out.write(end + blake2b(end, digest_size=_SEAL).digest())
        temporary.rename(file)
    except BaseException:  # also Ctrl-C: half a file is of no use to anybody
        temporary.unlink(missing_ok=True)
        raise


def open_sealed(file: Path) -> Sealed | None:
    """The file mapped; None where there is none, or it is not what was written. 256 MB are compared in 25 ms on two cores."""
    try:
        length = Length(file.open("rb"))
        mapped = length.mapped()
    except (OSError, ValueError):  # ValueError: it is empty
        return None
    content = np.frombuffer(mapped, np.uint8)
    told = _told(content)
    if told is None:
        return None
    payload = content[: told["size"]]
    blocks = -(-len(payload) // BLOCK)
    kept = np.frombuffer(content[len(payload) :].tobytes(), _SUM, blocks)
    starts = range(0, blocks, _AT_ONCE)
    found = spread(lambda first: _sums(payload, range(first, min(first + _AT_ONCE, blocks))), list(starts))
    return Sealed(payload, told, length) if [each for some in found for each in some] == kept.tolist() else None


def _told(content: NDArray[np.uint8]) -> dict[str, Any] | None:
    tail = content[-(_SEAL + _LENGTH + _LONGEST_TOLD) :].tobytes()
    length = int.from_bytes(tail[-_SEAL - _LENGTH : -_SEAL], "little")
    try:
        told: dict[str, Any] = json.loads(tail[-_SEAL - _LENGTH - length : -_SEAL - _LENGTH])
        end = content[told["size"] :].tobytes()
    except (ValueError, KeyError, TypeError):
        return None
    return told if blake2b(end[:-_SEAL], digest_size=_SEAL).digest() == end[-_SEAL:] else None


def _sums(payload: NDArray[np.uint8], blocks: range) -> list[int]:
    return [xxhash.xxh3_64_intdigest(payload[block * BLOCK : (block + 1) * BLOCK].data) for block in blocks]
