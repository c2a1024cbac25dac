"""Canaries: vectors of a fixed text and a fixed picture that an index keeps, to notice a server with another model.

Knows embedders and numbers; knows no index folder. Over HTTP a model's name proves little: the weights behind it can change.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rag.backends.base import Embedder
from rag.errors import AnotherModel
from rag.types import Content

KEY = "canaries"  # in the settings that an index keeps
SAME_MODEL = 0.99  # cosine: the same weights stay above it on other hardware and in 16 bits; other weights are far below
TEXT = "A lighthouse keeper wrote down the wind, the tide and the names of the ships, every evening for thirty years."


def embed_canaries(embedder: Embedder) -> dict[str, str]:
    """The canaries' vectors as one JSON text under KEY: float16 in base64, by the canary's name."""
    vectors = embedder.embed(list(_contents(embedder).values()), role="document")
    names = list(_contents(embedder))
    kept = {name: b64encode(row.astype("<f2").tobytes()).decode() for name, row in zip(names, vectors, strict=True)}
    return {KEY: json.dumps(kept)}


def compare_canaries(folder: Path | str, kept: Mapping[str, str], embedder: Embedder) -> None:
    """AnotherModel if the embedder's vectors of the canaries differ from those in `kept`, the settings of an index, if any."""
    expected = json.loads(kept.get(KEY, "{}"))
    contents = {name: content for name, content in _contents(embedder).items() if name in expected}
    if not contents:
        return
    found = embedder.embed(list(contents.values()), role="document")
    for name, row in zip(contents, found, strict=True):
        vector = np.frombuffer(b64decode(expected[name]), "<f2").astype(np.float32)
        cosine = float(vector @ row / (np.linalg.norm(vector) or 1.0)) if vector.shape == row.shape else 0.0
        if cosine < SAME_MODEL:
            raise AnotherModel(folder, embedder.fingerprint.model, name, cosine)


def _contents(embedder: Embedder) -> dict[str, Content]:
    contents = {"text": Content("text", text=TEXT)}
    if "image" in embedder.modalities:
        contents["picture"] = Content("image", pixels=(_picture(),))
    return contents


def _picture() -> np.typing.NDArray[np.uint8]:
    """A red sun over a blue sea: 128 × 128, RGB."""
    y, x = np.mgrid[0:128, 0:128]
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[..., 2] = np.where(y > 80, 160, 255 - y)
    pixels[..., 1] = np.where(y > 80, 90, 120 + x // 2)
    pixels[(x - 64) ** 2 + (y - 50) ** 2 < 400] = (220, 40, 30)
    return pixels
