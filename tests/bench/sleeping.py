"""A model that takes its time and none of this machine's. Knows the lite embedder's form only."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from rag.backends.base import EmbedderCapabilities
from rag.backends.lite.embedder import LiteEmbedder
from rag.types import Content, Role

REQUEST, CALL = 0.05, 32  # seconds of a call, and contents in it
DIM = 256


class SleepingEmbedder(LiteEmbedder):
    """A model of 50 ms a request of 32 contents, one at a time, and nothing to do for this machine."""

    fingerprint = replace(LiteEmbedder.fingerprint, model="sleeping", dim=DIM)
    batch = CALL
    capabilities = EmbedderCapabilities(concurrent_calls=1)
    seconds: ClassVar[list[float]] = []  # of each call

    def embed(self, contents: Sequence[Content], *, role: Role) -> np.ndarray:
        """Unit rows, float32 (n, 256)."""
        began = time.perf_counter()
        if role == "document":
            time.sleep(REQUEST)
        rows = np.stack([np.random.default_rng(zlib.crc32(content.text.encode())).standard_normal(DIM) for content in contents])
        SleepingEmbedder.seconds.append(time.perf_counter() - began)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
