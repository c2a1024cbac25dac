"""A second model for tests, whose vectors cannot be compared with those of `lite`. Knows the lite embedder only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.lite.embedder import LiteEmbedder
from rag.types import Content, Role

if TYPE_CHECKING:
    from rag.types import Vectors

DIM = 512


class HalfEmbedder(LiteEmbedder):
    """The first numbers of a lite vector and what is missing to length 1, under another name."""

    fingerprint = replace(LiteEmbedder.fingerprint, model="half", dim=DIM + 1)

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """Unit rows, float32 (n, 513)."""
        rows = super().embed(contents, role=role)[:, :DIM]
        rest = np.sqrt(np.maximum(0.0, 1.0 - (rows**2).sum(axis=1, keepdims=True)))
        return np.asarray(np.hstack([rows, rest if role == "document" else 0 * rest]), np.float32)
