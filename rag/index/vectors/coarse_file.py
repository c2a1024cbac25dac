"""Builds and opens the coarse file of a segment: the leading dimensions of every row, 8 bits each.

Knows one segment's rows and FAISS; knows no search. Layout: indexes/README.md, section "Derived files".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.base import Rows
from rag.index.files.sealed_file import LengthGuard, derived_file, open_sealed, write_sealed
from rag.index.vectors.exact import open_mapped

if TYPE_CHECKING:
    from rag.types import Vectors

NAME = "coarse"
_KIND = "coarse 2"
_ROWS_AT_ONCE = 8192  # quantised together
_FULL_RESCORE_FACTOR = 4  # rows rescored per requested row where all dimensions are scanned
# (leading dimensions scanned, rows rescored per requested row), from cheap to expensive at 1,000,000 rows and k = 100. Below 256
# dimensions the scan no longer dominates the cost; 512 dimensions with 4 cost 11 ms more than 256 with 8.
_SETTINGS_TRIED = ((256, 4), (256, 8), (256, 12), (512, 4), (512, 8))
# A setting must find 0.995 of a sample's hundred nearest: at 0.97, 300,000 rows in 100 broad clusters lost 0.03 of the ten
# nearest and 0.12 of the hundred nearest, even after the rescore.
_SAMPLE_ROWS, _SAMPLE_QUERIES, _MIN_RECALL = 20_000, 256, 0.995


@dataclass(frozen=True, slots=True, eq=False)
class CoarseCodes:
    """An opened coarse file: the FAISS index over the 8-bit leading dimensions of every row, and the quantisation steps."""

    index: Any
    steps: Vectors  # (dimensions,): number ≈ step × code, code in -127…127
    rescore_factor: int  # rows rescored per requested row
    guard: LengthGuard


def open_coarse(rows: Rows) -> CoarseCodes | None:
    """The coarse codes of a segment; None where the file is absent, damaged, or made from other vectors."""
    file = derived_file(rows.file, NAME)
    sealed = open_sealed(file)
    if sealed is None or sealed.manifest["kind"] != _KIND or sealed.manifest["segment"] != rows.segment.checksum.hex():
        return None
    try:
        index = open_mapped(file)  # FAISS reads its own part, at the start, and ignores the rest
    except IndexDamaged:  # the file was replaced by a damaged one meanwhile
        return None
    steps = np.frombuffer(sealed.payload[-4 * index.d :].tobytes(), "<f4").astype(np.float32)
    return CoarseCodes(index, steps, int(sealed.manifest["promised"]), sealed.guard)


def build_coarse(rows: Rows) -> None:
    """Builds the coarse file of a segment, replacing an existing one. OSError where it cannot be written; IndexDamaged.

    Reads and verifies every row. Measured on 2 cores: 1,000,000 × 1024 in 6 s.
    """
    vectors = rows.all()
    dims, rescore_factor = choose_prefix(vectors)
    largest = np.zeros(dims, np.float32)
    for part in _parts(vectors, dims):
        np.maximum(largest, np.abs(part).max(axis=0), out=largest)
    steps = np.where(largest > 0, largest, 1) / np.float32(127)

    def payload() -> Iterator[bytes]:
        yield _faiss_header(len(vectors), dims)
        for part in _parts(vectors, dims):
            yield (np.rint(part / steps).astype(np.int16) + 128).astype(np.uint8).tobytes()
        yield steps.astype("<f4").tobytes()

    manifest = {"kind": _KIND, "segment": rows.segment.checksum.hex(), "promised": rescore_factor}
    write_sealed(derived_file(rows.file, NAME), payload(), manifest)


def choose_prefix(vectors: NDArray[np.float16]) -> tuple[int, int]:
    """(leading dimensions to scan, rows to rescore per requested row); all dimensions where no prefix suffices.

    Models trained for it (Matryoshka) put most of the information in front, others do not. The vectors show which, a model's name
    does not: in a sample, the prefix's candidates must include the nearest rows, in proportion to a hundred of all rows.
    """
    count, dim = int(vectors.shape[0]), int(vectors.shape[1])
    if dim <= _SETTINGS_TRIED[0][0] or count <= 2 * _SAMPLE_QUERIES:
        return dim, _FULL_RESCORE_FACTOR
    random = np.random.default_rng(0)
    chosen = random.choice(count, min(count, _SAMPLE_ROWS + _SAMPLE_QUERIES), replace=False)
    sample = vectors[np.sort(chosen)].astype(np.float32)
    sample = sample[random.permutation(len(sample))]
    queries, others = sample[:_SAMPLE_QUERIES], sample[_SAMPLE_QUERIES:]
    asked = max(100 * len(others) // count, 1)
    scores = queries @ others.T
    best = np.argpartition(scores, len(others) - asked, axis=1)[:, -asked:]
    for dims, group in groupby((pair for pair in _SETTINGS_TRIED if pair[0] < dim), lambda pair: pair[0]):
        partial = queries[:, :dims] @ others[:, :dims].T
        found = np.take_along_axis(partial, best, 1)
        for _, rescore_factor in group:
            looked_at = min(rescore_factor * asked, len(others))
            last = np.partition(partial, len(others) - looked_at, axis=1)[:, -looked_at]
            if (found >= last[:, None]).mean() >= _MIN_RECALL:
                return dims, rescore_factor
    return dim, _FULL_RESCORE_FACTOR


def _parts(vectors: NDArray[np.float16], dims: int) -> Iterator[Vectors]:
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        yield vectors[start : start + _ROWS_AT_ONCE, :dims].astype(np.float32)


def _faiss_header(rows: int, dims: int) -> bytes:
    """The FAISS header before the codes: an empty index's, with the number of rows at byte 8 and of codes in the last 8 bytes."""
    import faiss

    empty = faiss.IndexScalarQuantizer(dims, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT)
    empty.is_trained = True
    header = bytearray(faiss.serialize_index(empty).tobytes())
    header[8:16] = rows.to_bytes(8, "little")
    header[-8:] = (rows * dims).to_bytes(8, "little")
    return bytes(header)
