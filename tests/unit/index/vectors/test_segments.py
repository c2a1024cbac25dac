"""Ranges of a segment's rows are read in chunks, each block verified, and nothing of them stays in memory."""

from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexDamaged
from rag.index.catalog.index_folder import create
from rag.index.files.checksums import BLOCK
from rag.index.files.layout import segment_file
from rag.index.vectors.segments import write_segment
from rag.index.vectors.verified_rows import VerifiedRows
from rag.types import Fingerprint

DIM, COUNT = 96, 20_000  # 3.8 MB
MEGABYTE = 1 << 20


@pytest.fixture
def numbers(tmp_path) -> np.ndarray:
    create(tmp_path, Fingerprint("model", "1", DIM, "", "plain"), {})
    return np.random.default_rng(3).standard_normal((COUNT, DIM)).astype(np.float16)


def written(folder: Path, numbers: np.ndarray) -> VerifiedRows:
    thirds = np.array_split(numbers, 3)
    segment, sums = write_segment(folder, 1, 1, COUNT, iter(thirds), DIM)
    return VerifiedRows(folder, segment, sums, DIM)


@pytest.mark.parametrize(("start", "end"), [(0, COUNT), (7, COUNT - 1), (5_460, 5_462), (12, 13), (9, 9)])
def test_a_range_is_read_a_megabyte_at_a_time(tmp_path, numbers, start, end):
    parts = list(written(tmp_path, numbers).read_range(start, end))
    np.testing.assert_array_equal(np.concatenate([numbers[:0], *parts]), numbers[start:end])
    assert all(part.nbytes <= MEGABYTE for part in parts)
    assert len(parts) == -(-(end - start) // (MEGABYTE // (2 * DIM)))


def test_a_row_longer_than_a_chunk_comes_alone(tmp_path):
    dim = MEGABYTE
    create(tmp_path, Fingerprint("model", "1", dim, "", "plain"), {})
    rows = np.random.default_rng(5).standard_normal((3, dim), np.float32).astype(np.float16)
    segment, sums = write_segment(tmp_path, 1, 1, 3, [rows], dim)
    parts = list(VerifiedRows(tmp_path, segment, sums, dim).read_range(1, 3))
    assert [part.shape for part in parts] == [(1, dim), (1, dim)]
    np.testing.assert_array_equal(np.concatenate(parts), rows[1:])


def test_a_damaged_block_fails_only_the_ranges_that_contain_it(tmp_path, numbers):
    rows = written(tmp_path, numbers)
    with segment_file(tmp_path, 1).open("r+b") as file:
        file.seek(BLOCK * 20 + 100)
        file.write(b"\0\1\2")
    row = BLOCK * 20 // (2 * DIM)
    np.testing.assert_array_equal(np.concatenate(list(rows.read_range(0, row - 1))), numbers[: row - 1])
    with pytest.raises(IndexDamaged, match=r"000001\.faiss: the block at byte 1310720 is damaged"):
        list(rows.read_range(0, COUNT))


def test_a_file_truncated_after_its_blocks_were_verified_is_damage(tmp_path, numbers):
    rows = written(tmp_path, numbers)
    rows.all()
    with segment_file(tmp_path, 1).open("r+b") as file:
        file.truncate(3 * MEGABYTE)
    with pytest.raises(IndexDamaged, match="ends before byte"):
        list(rows.read_range(0, COUNT))
