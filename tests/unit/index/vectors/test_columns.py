"""Codes by dimension: the scan gives what plain sums give, and the structure over sparse rows finds what `exact` finds."""

from pathlib import Path

import numpy as np
import pytest

from rag.index.catalog.index_folder import create
from rag.index.files.layout import SEGMENTS
from rag.index.files.sealed_file import open_sealed, write_sealed
from rag.index.vectors import coarse_columns, coarse_file, columns
from rag.index.vectors.coarse import CoarseStructure
from rag.index.vectors.exact import ExactStructure
from rag.index.vectors.multi_segment import nearest_in_all
from rag.index.vectors.row_mask import MaskPart
from rag.index.vectors.segments import write_segment
from rag.index.vectors.verified_rows import VerifiedRows
from rag.types import Fingerprint

DIM = 200


def hashed(count: int, each: int, seed: int) -> np.ndarray:
    """Unit rows with at most `each` numbers that are not 0; the last dimensions are 0 in all of them."""
    random = np.random.default_rng(seed)
    rows = np.zeros((count, DIM), np.float32)
    for row in rows:
        places = random.integers(0, DIM - 30, each)
        row[places] = random.choice([-1, 1], each) * random.lognormal(0, 1, each)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def opened(folder: Path, number: int, first: int, vectors: np.ndarray) -> VerifiedRows:
    segment, sums = write_segment(folder, number, first, len(vectors), [vectors.astype(np.float16)], DIM)
    return VerifiedRows(folder, segment, sums, DIM)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for module in (columns, coarse_columns, coarse_file):
        monkeypatch.setattr(module, "BLOCK_ROWS", 700)
    create(tmp_path / "index", Fingerprint("model", "1", DIM, "", "plain"), {})
    assert (tmp_path / "index" / SEGMENTS).is_dir()
    return tmp_path / "index"


@pytest.mark.parametrize("queries", [1, 3, 20])
@pytest.mark.parametrize("share", [None, 0.5, 0.02])
def test_the_scan_gives_the_largest_sums(queries, share, monkeypatch):
    monkeypatch.setattr(columns, "BLOCK_ROWS", 64)
    random = np.random.default_rng(queries)
    scans, plain = [], []
    for rows in (150, 64, 7):
        codes = random.integers(-127, 128, (40, rows), np.int8)
        asked = random.integers(-127, 128, (queries, 40)).astype(np.float32)
        asked[:, random.random(40) < 0.6] = 0
        scale = random.random((queries, 1), np.float32)
        within = None if share is None else random.random(rows) < share
        blocks = [codes[:, start : start + 64] for start in range(0, rows, 64)]
        scans.append(columns.Scan(blocks, rows, asked, scale, within))
        estimates = (asked.astype(np.int64) @ codes.astype(np.int64)).astype(np.float32) * scale
        plain.append(estimates if within is None else np.where(within, estimates, -np.inf))
    every = np.concatenate(plain, axis=1)
    k = min(30, int((every[0] > -np.inf).sum()))
    found = columns.best_of_scans(scans, k)
    for query in range(queries):
        best = np.concatenate([each[query][0] for each in found])
        np.testing.assert_array_equal(np.sort(best), np.sort(every[query])[-k:])
        for (estimates, rows), right in zip([each[query] for each in found], plain, strict=True):
            np.testing.assert_array_equal(estimates, right[query, rows])
            assert (np.diff(rows) > 0).all()


def test_sparse_rows_are_stored_by_dimension_and_found_as_exact_finds_them(folder):
    rows = opened(folder, 1, 1, hashed(3000, 60, 1))
    structure, exact = CoarseStructure(rows), ExactStructure(rows)
    sealed = open_sealed(folder / SEGMENTS / "000001.coarse")
    assert sealed is not None and sealed.manifest["layout"] == "columns" and len(sealed.payload) == (DIM - 30) * (3000 + 8)
    random = np.random.default_rng(2)
    for queries in (hashed(1, 9, 3), hashed(5, 60, 4)):
        for within in (None, random.random(3000) < 0.5, random.random(3000) < 0.02, np.arange(3000) == 5):
            scores, found = structure.nearest(queries, 10, within)
            right, wanted = exact.nearest(queries, 10, within)
            np.testing.assert_allclose(scores, right, atol=1e-6)
            assert np.mean([len(set(one) & set(other)) / len(other) for one, other in zip(found, wanted, strict=True)]) >= 0.99


def test_dense_rows_stay_row_by_row(folder):
    vectors = np.random.default_rng(5).standard_normal((3000, DIM))
    CoarseStructure(opened(folder, 1, 1, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))
    sealed = open_sealed(folder / SEGMENTS / "000001.coarse")
    assert sealed is not None and sealed.manifest["layout"] == "rows"


def test_rows_of_zeros_can_be_searched(folder):
    structure = CoarseStructure(opened(folder, 1, 1, np.zeros((2000, DIM), np.float32)))
    scores, found = structure.nearest(hashed(1, 9, 3), 3, None)
    assert (scores.tolist(), found.shape) == ([[0.0, 0.0, 0.0]], (1, 3))


def test_segments_share_one_pass_and_rescore_no_more_rows_than_one(folder, monkeypatch):
    vectors = hashed(5000, 60, 6)
    parts = [(0, 3000), (3000, 5000)]
    searched = [
        (CoarseStructure(opened(folder, at + 1, start + 1, vectors[start:end])), MaskPart(start + 1, end - start, None))
        for at, (start, end) in enumerate(parts)
    ]
    taken = []
    take = VerifiedRows.take
    monkeypatch.setattr(VerifiedRows, "take", lambda rows, chosen: taken.append(len(chosen)) or take(rows, chosen))
    query = hashed(1, 9, 7)
    answers = nearest_in_all(searched, query, 20)
    assert sum(taken) == 4 * 75
    found = [
        (float(score), int(row) + start)
        for (start, _), [(scores, rows)] in zip(parts, answers, strict=True)
        for score, row in zip(scores, rows, strict=True)
    ]
    best = sorted(found, key=lambda pair: (-pair[0], pair[1]))[:20]
    right = (vectors.astype(np.float16).astype(np.float32) @ query[0]).argsort()[::-1][:20]
    assert {row for _, row in best} == set(right.tolist())


def test_a_file_of_an_earlier_layout_is_built_anew(folder):
    rows = opened(folder, 1, 1, hashed(2000, 60, 8))
    CoarseStructure(rows)
    file = folder / SEGMENTS / "000001.coarse"
    whole = file.read_bytes()
    sealed = open_sealed(file)
    assert sealed is not None
    write_sealed(file, [sealed.payload.tobytes()], {"kind": "coarse 2", "segment": sealed.manifest["segment"], "promised": 4})
    assert file.read_bytes() != whole
    CoarseStructure(rows)
    assert file.read_bytes() == whole
