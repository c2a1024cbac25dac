"""Inverted lists: scans only the lists nearest to a query, at one bit per dimension, then rescores the best at 16 bits.

Knows FAISS and the rows of one segment; knows no catalog. Layout of its file: indexes/README.md, section "Derived files".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.base import Rows
from rag.index.files.parallel import parallel_map
from rag.index.files.sealed_file import LengthGuard, derived_file, open_sealed, write_sealed
from rag.index.vectors.exact import ExactStructure
from rag.index.vectors.rescore import rescore, rescore_allowed

if TYPE_CHECKING:
    from rag.types import Vectors

NAME = "ivf"
_KIND = "ivf 2"
_RESCORE_FACTOR, _MIN_CANDIDATES = 8, 500  # rows rescored per requested row, and at least: one-bit ranking is rough
_DIRECT_RATIO = 2  # allowed rows ÷ candidates: up to it, every allowed row is scored exactly
_MIN_ALLOWED_SHARE = 0.1  # of all rows: where fewer are allowed, most lists hold too few of them
_TRAINING_ROWS_PER_LIST = 64  # rows, for k-means
_MAX_LISTS = 4096
_KMEANS_ROUNDS = 6  # further rounds hardly move the centroids
_ROWS_AT_ONCE = 20_000
_PROBES_TRIED = (8, 16, 32, 64, 128, 256, 512, 1024)
_MIN_RECALL, _SAMPLE_ROWS = 0.99, 64  # share of the ten nearest that must be found, over so many sampled rows
_QUERY_BITS = 8  # per dimension of a query


class InvertedStructure:
    """FAISS's IndexIVFRaBitQ, and the number of lists to probe per query: enough to find the nearest rows of a sample.

    Few allowed rows, or a large k, are searched exactly.
    """

    def __init__(self, rows: Rows) -> None:
        """Opens the file; builds it where it is absent or damaged: minutes for a million rows. OSError, IndexDamaged."""
        found = _open_ivf(rows)
        if found is None:
            _build_ivf(rows)
            found = _open_ivf(rows)
        if found is None or found[0].ntotal != rows.segment.rows:
            raise IndexDamaged(f"the inverted lists of {rows.file} changed while they were written", remedy="search again")
        self._rows = rows
        self._index, self._probes, self._guard = found

    def __len__(self) -> int:
        return int(self._rows.segment.rows)

    def nearest(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]:
        """See `rag.index.base.Structure`; a near row in a list that is not probed is missed."""
        allowed = len(self) if within is None else int(np.count_nonzero(within))
        k = min(k, allowed)
        candidates = max(_RESCORE_FACTOR * k, _MIN_CANDIDATES)
        if within is not None and allowed <= _DIRECT_RATIO * candidates:
            return rescore_allowed(self._rows, np.flatnonzero(within), queries, k)
        if k == 0 or len(queries) == 0:
            return np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        if candidates * _DIRECT_RATIO >= allowed or allowed < _MIN_ALLOWED_SHARE * len(self) or not self._guard.is_intact():
            return ExactStructure(self._rows).nearest(queries, k, within)
        selector = None if within is None else np.packbits(within, bitorder="little")

        def search(at: int) -> tuple[Vectors, NDArray[np.int64]]:
            asked = queries[at : at + 1]
            found = search_lists(self._index, asked, candidates, self._probes, selector)
            if len(found) < k:
                scores, placed = ExactStructure(self._rows).nearest(asked, k, within)
                return scores[0], placed[0]
            scores, placed = rescore(self._rows, found[None], asked, k)
            return scores[0], placed[0]

        answers = parallel_map(search, range(len(queries)))
        return np.stack([scores for scores, _ in answers]), np.stack([placed for _, placed in answers])


def search_lists(index: Any, query: Vectors, k: int, probes: int, bitmap: NDArray[np.uint8] | None) -> NDArray[np.int64]:
    """At most k rows, int64 (n,), estimated nearest to one query (1, dim), among those whose bit is set in `bitmap`."""
    import faiss

    parameters: Any = faiss.IVFRaBitQSearchParameters
    pre_transform: Any = faiss.SearchParametersPreTransform
    selector: Any = faiss.IDSelectorBitmap
    chosen = {} if bitmap is None else {"sel": selector(bitmap)}
    _, rows = index.search(query, k, params=pre_transform(index_params=parameters(nprobe=probes, qb=_QUERY_BITS, **chosen)))
    found: NDArray[np.int64] = rows[0][rows[0] >= 0]
    return found


def _open_ivf(rows: Rows) -> tuple[Any, int, LengthGuard] | None:
    import faiss

    file = derived_file(rows.file, NAME)
    sealed = open_sealed(file)
    if sealed is None or sealed.manifest["kind"] != _KIND or sealed.manifest["segment"] != rows.segment.checksum.hex():
        return None
    try:
        index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP)
    except RuntimeError:  # the file was replaced by a damaged one meanwhile
        return None
    return index, int(sealed.manifest["probes"]), sealed.guard


def _build_ivf(rows: Rows) -> None:
    import faiss

    vectors = rows.all()
    count, dim = int(vectors.shape[0]), int(vectors.shape[1])
    random = np.random.default_rng(0)
    lists = int(min(_MAX_LISTS, count**0.5, max(1, count // _TRAINING_ROWS_PER_LIST)))
    chosen = np.sort(random.choice(count, min(count, lists * _TRAINING_ROWS_PER_LIST), replace=False))
    make: Any = faiss.IndexIVFRaBitQ
    inverted = make(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
    inverted.cp.seed, inverted.cp.niter = 0, _KMEANS_ROUNDS
    inverted.cp.spherical = True  # for unit vectors the nearest centroid has the largest product
    # One bit per dimension tells little where some dimensions are larger than others, as at the front of Matryoshka vectors: with
    # 1,000,000 of them all lists had to be probed without the rotation, 1 in 8 with it.
    rotation = faiss.RandomRotationMatrix(dim, dim)
    rotation.init(0)
    index: Any = faiss.IndexPreTransform(rotation, inverted)
    index.train(vectors[chosen].astype(np.float32))
    for start in range(0, count, _ROWS_AT_ONCE):
        index.add(vectors[start : start + _ROWS_AT_ONCE].astype(np.float32))
    manifest = {"kind": _KIND, "segment": rows.segment.checksum.hex(), "probes": _probes(rows, index, lists, random)}
    write_sealed(derived_file(rows.file, NAME), _pieces(index), manifest)


def _probes(rows: Rows, index: Any, lists: int, random: np.random.Generator) -> int:
    """The smallest number of lists to probe that finds the ten nearest neighbours of sampled rows, doubled for queries."""
    count = rows.segment.rows
    chosen = random.choice(count, min(count, _SAMPLE_ROWS), replace=False)
    queries = rows.take(chosen)
    _, wanted = ExactStructure(rows).nearest(queries, 11, None)  # 11, because each row is its own nearest
    for probes in _PROBES_TRIED:
        if probes >= lists:
            break
        found = [search_lists(index, queries[at : at + 1], _MIN_CANDIDATES, probes, None) for at in range(len(queries))]
        shares = [np.isin(best, some).mean() for best, some in zip(wanted, found, strict=True)]
        if np.mean(shares) >= _MIN_RECALL:
            return min(2 * probes, lists)  # queries lie farther from the centroids than rows do
    return lists


def _pieces(index: Any) -> Iterator[memoryview]:
    import faiss

    content = faiss.serialize_index(index).data
    for start in range(0, len(content), 1 << 24):
        yield content[start : start + (1 << 24)]
