"""The laws of `rag.index.base.Structure`, for every row of STRUCTURES, against a plain NumPy product of the 16-bit rows."""

import numpy as np
import pytest

from rag.errors import IndexDamaged
from rag.index import STRUCTURES
from rag.index.folder import SEGMENTS, segment_file
from rag.index.segments import write_segment
from rag.tables import resolve


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def build(structure: str, folder, vectors: np.ndarray):
    (folder / SEGMENTS).mkdir(parents=True)
    write_segment(folder, 1, 1, [vectors.astype(np.float16)], vectors.shape[1])
    return resolve(STRUCTURES, structure, "search structure")(segment_file(folder, 1), vectors.shape[1])


def truth(vectors: np.ndarray, queries: np.ndarray, k: int, within: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    stored = vectors.astype(np.float16).astype(np.float64)
    allowed = np.arange(len(vectors)) if within is None else np.flatnonzero(within)
    scores = queries.astype(np.float64) @ stored[allowed].T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), allowed[order]


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
        np.testing.assert_allclose(scores, expected, atol=1e-3)
        assert np.mean([len(set(one) & set(other)) / k for one, other in zip(rows, wanted, strict=True)]) >= 0.99
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


def test_a_file_that_is_no_segment_is_damage(structure, tmp_path):
    file = tmp_path / "000001.faiss"
    for content in (b"", b"IxXX" + b"\0" * 100):
        file.write_bytes(content)
        with pytest.raises(IndexDamaged):
            resolve(STRUCTURES, structure, "search structure")(file, 16)
    build(structure, tmp_path / "index", unit(np.ones((3, 8))))
    with pytest.raises(IndexDamaged, match="8 dimensions"):
        resolve(STRUCTURES, structure, "search structure")(segment_file(tmp_path / "index", 1), 16)
