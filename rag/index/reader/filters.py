"""Resolves filters to the passages they allow, before any search.

Knows the arrays of live passages and `path_globs.py`; knows no SQL and no vector values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.schema import KIND_CODES
from rag.index.reader.live_passages import DocumentTable, InnerPaths, LivePassages
from rag.index.reader.path_globs import matcher, names_of
from rag.types import Filters


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """The passages that filters allow: their numbers, ascending, and perhaps a mask over the live passages of a generation."""

    numbers: NDArray[np.int64]
    mask: NDArray[np.bool_] | None = None
    generation: int = -1

    def __len__(self) -> int:
        return len(self.numbers)


def matching(
    live: LivePassages, documents: Callable[[], DocumentTable], inside: Callable[[], InnerPaths], filters: Filters
) -> Allowed | None:
    """The passages of a generation that the filters allow; None where they allow all.

    `documents` and `inside`, the files inside documents, are called only if they are needed.
    """
    if filters == Filters():
        return None
    keep = np.ones(len(live.numbers), np.bool_)
    if filters.kinds:
        keep &= np.isin(live.kinds, [KIND_CODES[kind] for kind in filters.kinds if kind in KIND_CODES])
    if filters.after is not None:
        keep &= live.dated >= filters.after
    if filters.before is not None:
        keep &= live.dated < filters.before
    if filters.paths or filters.roots or filters.documents:
        table = documents()
        keep &= _kept_by_document(live, table, _documents_kept(table, filters), inside, filters.paths)
    return Allowed(live.numbers[keep], keep, live.generation)


def allowed_mask(live: LivePassages, allowed: Allowed) -> NDArray[np.bool_]:
    """A bool per live passage: whether it is allowed. An `Allowed` of another generation is matched by passage number."""
    if allowed.mask is not None and allowed.generation == live.generation and len(allowed.mask) == len(live.numbers):
        return allowed.mask
    places = live.places(allowed.numbers)
    mask = np.zeros(len(live.numbers), np.bool_)
    mask[places[places >= 0]] = True
    return mask


def _documents_kept(table: DocumentTable, filters: Filters) -> NDArray[np.bool_]:
    keep = np.ones(len(table.numbers), np.bool_)
    if filters.roots:
        roots = frozenset(filters.roots)
        keep &= np.fromiter((root in roots for root in table.roots), np.bool_, len(keep))
    if filters.documents:
        wanted = frozenset((document.root, document.path) for document in filters.documents)
        pairs = zip(table.roots, table.paths, strict=True)
        keep &= np.fromiter((pair in wanted for pair in pairs), np.bool_, len(keep))
    return keep


def _kept_by_document(
    live: LivePassages,
    table: DocumentTable,
    kept: NDArray[np.bool_],
    inside: Callable[[], InnerPaths],
    paths: tuple[str, ...],
) -> NDArray[np.bool_]:
    """A bool per live passage: whether its document is kept and one of the paths matches it or, if any, the file inside."""
    if not paths:
        return np.isin(live.documents, table.numbers[kept])
    fits = matcher(paths)
    named = kept & np.fromiter(map(fits, table.paths), np.bool_, len(kept))
    keep = np.isin(live.documents, table.numbers[named])
    others = table.numbers[kept & ~named]
    if len(others):
        found = inside()
        places = live.places(found.numbers)
        owners = live.documents[places]
        wanted = (places >= 0) & np.isin(owners, others)
        pairs, which = np.unique(np.stack((owners[wanted], found.codes[wanted])), axis=1, return_inverse=True)
        owning = np.searchsorted(table.numbers, pairs[0])
        fitting = np.fromiter(
            (
                any(map(fits, names_of(table.paths[owner], found.paths[code])))
                for owner, code in zip(owning, pairs[1], strict=True)
            ),
            np.bool_,
            pairs.shape[1],
        )
        keep[places[wanted]] |= fitting[which.reshape(-1)]
    return keep
