"""A model for tests whose second call, and each after it, waits for a file. Knows the lite embedder only."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.backends.base import EmbedderCapabilities
from rag.types import Content, Role
from tests.unit.half_model import HalfEmbedder

if TYPE_CHECKING:
    from rag.types import Vectors

GATE = "TESTS_GATE"  # environment: the path of the file


class GatedEmbedder(HalfEmbedder):
    """Half, two contents a call, in a thread of its own as a server's model."""

    fingerprint = replace(HalfEmbedder.fingerprint, model="gated")
    batch = 2
    capabilities = EmbedderCapabilities(concurrent_calls=1)
    calls = 0

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """Unit rows, float32 (n, 513)."""
        if role == "document":
            type(self).calls += 1
            while type(self).calls > 1 and not Path(os.environ[GATE]).exists():
                time.sleep(0.02)
        return super().embed(contents, role=role)
