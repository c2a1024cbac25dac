"""The laws of `rag.index.base.Structure`, for every row of STRUCTURES, against a plain product of the 16-bit rows and `exact`."""

import numpy as np
import pytest

from rag.errors import IndexDamaged
from rag.index import STRUCTURES
from rag.index.catalog.index_folder import create
from rag.index.files.layout import SEGMENTS, segment_file
from rag.index.vectors.segments import write_segment
from rag.index.vectors.verified_rows import VerifiedRows
from rag.plugins import resolve
from rag.types import Fingerprint


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def build(structure: str, folder, vectors: np.ndarray):
    (folder / SEGMENTS).mkdir(parents=True)
    return resolve(STRUCTURES, structure, "search structure")(opened_rows(folder, vectors))


def opened_rows(folder, vectors: np.ndarray) -> VerifiedRows:
    segment, sums = write_segment(folder, 1, 1, len(vectors), [vectors.astype(np.float16)], vectors.shape[1])
    return VerifiedRows(folder, segment, sums, vectors.shape[1])


def truth(vectors: np.ndarray, queries: np.ndarray, k: int, within: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    stored = vectors.astype(np.float16).astype(np.float64)
    allowed = np.arange(len(vectors)) if within is None else np.flatnonzero(within)
    scores = queries.astype(np.float64) @ stored[allowed].T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), allowed[order]


def recall(found: np.ndarray, wanted: np.ndarray) -> float:
    pairs = zip(found.tolist(), wanted.tolist(), strict=True)
    return float(np.mean([len(set(one) & set(other)) / max(len(other), 1) for one, other in pairs]))


def assert_same_where_shared(rows, scores, other_rows, other_scores, tolerance: float) -> None:
    """A row that both found has the same score in both."""
    for query in range(len(rows)):
        other = dict(zip(other_rows[query].tolist(), other_scores[query].tolist(), strict=True))
        pairs = [(score, other[row]) for row, score in zip(rows[query].tolist(), scores[query], strict=True) if row in other]
        np.testing.assert_allclose([one for one, _ in pairs], [another for _, another in pairs], atol=tolerance)


@pytest.fixture(params=STRUCTURES)
def structure(request):
    return request.param


@pytest.mark.parametrize("dim", [8, 256, 1024])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_agrees_with_a_plain_product(structure, dim, k, tmp_path):
    rng = np.random.default_rng(dim)
    centres = rng.standard_normal((20, dim))
    vectors = unit(centres[rng.integers(0, 20, 2000)] + 0.5 * rng.standard_normal((2000, dim)))
    queries = unit(centres[:5] + 0.3 * rng.standard_normal((5, dim)))
    opened = build(structure, tmp_path, vectors)
    assert len(opened) == 2000
    within = rng.random(2000) < 0.1
    for mask in (None, within):
        scores, rows = opened.nearest(queries, k, mask)
        expected, wanted = truth(vectors, queries, k, mask)
        assert (scores.dtype, rows.dtype, rows.shape) == (np.float32, np.int64, (5, k))
        assert recall(rows, wanted) >= 0.99
        assert_same_where_shared(rows, scores, wanted, expected, 1e-3)
        assert mask is None or mask[rows].all()
        assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("allowed", [0, 1, 10])
def test_all_of_a_few_allowed_rows_are_found(structure, allowed, tmp_path):
    vectors = unit(np.random.default_rng(1).standard_normal((3000, 32)))
    within = np.zeros(3000, np.bool_)
    within[np.random.default_rng(2).choice(3000, allowed, replace=False)] = True
    _, rows = build(structure, tmp_path, vectors).nearest(vectors[:2], 50, within)
    assert rows.shape == (2, allowed)
    assert [set(found) for found in rows.tolist()] == [set(np.flatnonzero(within).tolist())] * 2


@pytest.mark.parametrize("k", [1, 3, 49, 50, 51, 120, 200])
def test_equal_scores_go_to_the_smaller_row(structure, k, tmp_path):
    rng = np.random.default_rng(3)
    vectors = np.repeat(unit(rng.standard_normal((4, 64))), 50, 0)
    order = rng.permutation(200)
    opened = build(structure, tmp_path, vectors[order])
    scores, rows = opened.nearest(vectors[[0, 70]], k, None)
    for found, values in zip(rows.tolist(), scores.tolist(), strict=True):
        assert len(set(found)) == k
        assert list(zip(values, found, strict=True)) == sorted(
            zip(values, found, strict=True), key=lambda pair: (-pair[0], pair[1])
        )
    best = np.flatnonzero(order < 50).tolist()
    assert rows[0].tolist()[:50] == best[:k]


def test_a_query_does_not_depend_on_its_neighbours(structure, tmp_path):
    vectors = unit(np.random.default_rng(4).standard_normal((500, 48)))
    opened = build(structure, tmp_path, vectors)
    together = opened.nearest(vectors[:40], 5, None)
    for at in range(40):
        alone = opened.nearest(vectors[at : at + 1], 5, None)
        np.testing.assert_array_equal(alone[0][0], together[0][at])
        np.testing.assert_array_equal(alone[1][0], together[1][at])


def test_no_queries_and_no_places(structure, tmp_path):
    vectors = unit(np.random.default_rng(5).standard_normal((5, 16)))
    opened = build(structure, tmp_path, vectors)
    assert opened.nearest(vectors[:0], 3, None)[1].shape == (0, 3)
    assert opened.nearest(vectors, 0, None)[1].shape == (5, 0)
    assert opened.nearest(vectors, 99, None)[1].shape == (5, 5)


@pytest.mark.parametrize("dim", [64, 256, 1024, 2048, 4096])
@pytest.mark.parametrize("telling", ["everywhere", "in front"])
def test_agrees_with_exact_search(structure, dim, telling, tmp_path):
    """Clustered vectors whose numbers say as much everywhere, or most in front, as those of Matryoshka models do."""
    rng = np.random.default_rng(dim)
    weights = np.ones(dim) if telling == "everywhere" else 1 / np.sqrt(1 + np.arange(dim))
    centres = rng.standard_normal((100, dim)) * weights
    vectors = unit(centres[rng.integers(0, 100, 4000)] + 0.7 * rng.standard_normal((4000, dim)) * weights)
    queries = unit(centres[:20] + 0.7 * rng.standard_normal((20, dim)) * weights)
    opened = build(structure, tmp_path, vectors)
    exact = resolve(STRUCTURES, "exact", "search structure")(opened_rows(tmp_path, vectors))
    for mask in (None, rng.random(4000) < 0.3, rng.random(4000) < 0.01):
        for asked in (queries, queries[:1]):
            scores, rows = opened.nearest(asked, 10, mask)
            expected, wanted = exact.nearest(asked, 10, mask)
            assert recall(rows, wanted) >= (0.97 if structure == "ivf" else 0.99)
            assert_same_where_shared(rows, scores, wanted, expected, 1e-6)


def test_a_damaged_row_is_never_searched(structure, tmp_path):
    create(tmp_path, Fingerprint("model", "1", 64, "", "plain"), {})
    vectors = unit(np.random.default_rng(6).standard_normal((2000, 64)))
    segment, sums = write_segment(tmp_path, 1, 1, len(vectors), [vectors.astype(np.float16)], 64)
    content = bytearray(segment_file(tmp_path, 1).read_bytes())
    content[-200] ^= 1
    segment_file(tmp_path, 1).write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"000001\.faiss"):
        resolve(STRUCTURES, structure, "search structure")(VerifiedRows(tmp_path, segment, sums, 64))
