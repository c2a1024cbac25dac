"""The embedder of `--model small`: words by a text encoder, pixels by an image-text encoder, each in its block of one vector.

Knows contents and the two encoders; knows no file but theirs, no network and no index.

A row is ``[text | picture | filler 1]``. A passage has its words in the first block, its pixels in the second, each with up to
half of the squared length; what is left goes to the filler, which is 0 in queries. The words of a query are in both blocks. So a
photo and a text are ranked by one inner product, each by the encoder that knows it. docs/models.md has the formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.base import DEFAULT_CHOICE, Choice
from rag.backends.small.background import PASSAGE, QUERY, REVISION, Background, kept
from rag.backends.small.encoders import PictureEncoder, TextEncoder, unit
from rag.backends.small.files import NAME, PARTS, require_files
from rag.errors import MissingExtra, WrongSetting
from rag.types import Content, Fingerprint, Modality, Role

if TYPE_CHECKING:
    from pathlib import Path

    from rag.types import Vectors

HALF = np.float32(np.sqrt(0.5))


class SmallEmbedder:
    """Two ONNX encoders in one vector; see the module's docstring. Threads take turns."""

    modalities: frozenset[Modality] = frozenset({"text", "image"})
    reads_clues = True
    batch = 32

    def __init__(self, choice: Choice = DEFAULT_CHOICE) -> None:
        """BackendError for files that are missing or broken, MissingExtra without tokenizers, WrongSetting for a --dim."""
        if find_spec("tokenizers") is None:
            raise MissingExtra("tokenizers is not installed, which is needed to run the small tier here", NAME)
        if choice.dim:
            raise WrongSetting("the vectors of the small tier cannot be shortened", remedy="leave out --dim")
        self._folder: Path = require_files(choice.model or NAME)
        self._lock = Lock()
        revision = _digest(self._folder)
        self._file = self._folder / f"background-{REVISION}-{revision}.npz"
        self._text_dim, self._picture_dim = len(self._background.passage), len(self._background.picture)
        self.fingerprint = Fingerprint(
            model=NAME,
            revision=f"{REVISION}-{revision}",
            dim=self._text_dim + self._picture_dim + 1,
            instruction=PASSAGE,
            preprocessing=f"text {self._text_dim} + picture {self._picture_dim}, means taken off",
        )

    def load(self) -> None:
        """Loads the weights, unless they are loaded. BackendError, with the reason, if they cannot be."""
        with self._lock:
            _ = self._texts, self._pictures, self._background

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """Unit rows, float32 (n, dim); as rag.backends.base.Embedder. Of a query picture, clues count nothing."""
        rows = np.zeros((len(contents), self.fingerprint.dim), np.float32)
        if not contents:
            return rows
        with self._lock:
            if role == "document":
                self._fill_documents(rows, contents)
            else:
                self._fill_queries(rows, contents)
        return unit(rows)

    def _fill_documents(self, rows: Vectors, contents: Sequence[Content]) -> None:
        words = [f"{content.text}\n{content.clues}".strip() for content in contents]
        known = self._background
        read, shown = self._put_words(rows, words, PASSAGE), self._put_pictures(rows, contents)
        rows[read, : self._text_dim] = HALF * known.text_scale * (rows[read, : self._text_dim] - known.passage)
        rows[shown, self._text_dim : -1] = HALF * known.picture_scale * (rows[shown, self._text_dim : -1] - known.picture)
        rows[:, -1] = np.sqrt(np.maximum(0.0, 1.0 - np.square(rows).sum(axis=1)))  # the rest of the length 1

    def _fill_queries(self, rows: Vectors, contents: Sequence[Content]) -> None:
        words = [content.text.strip() for content in contents]
        read = self._put_words(rows, words, QUERY)
        if read:
            captions = self._pictures.embed_captions([words[at] for at in read])
            rows[read, self._text_dim : -1] = self._background.ratio * captions
        like = np.zeros_like(rows)
        self._put_pictures(like, contents)
        rows[:] = unit(rows) + like  # words beside a picture count as much as the picture
        rows[~rows.any(axis=1), -1] = -1.0  # nothing is asked, so nothing matches

    def _put_words(self, rows: Vectors, words: Sequence[str], prefix: str) -> list[int]:
        """Puts the unit vectors of words in their block; returns the places of rows that have words."""
        places = [at for at, each in enumerate(words) if each]
        if places:
            rows[places, : self._text_dim] = self._texts.embed([words[at] for at in places], prefix)
        return places

    def _put_pictures(self, rows: Vectors, contents: Sequence[Content]) -> list[int]:
        """The same for pixels."""
        places = [at for at, content in enumerate(contents) if content.pixels]
        if places:
            rows[places, self._text_dim : -1] = self._pictures.embed_pictures([contents[at].pixels[0] for at in places])
        return places

    @cached_property
    def _texts(self) -> TextEncoder:
        return TextEncoder(self._folder / PARTS[0].folder)

    @cached_property
    def _pictures(self) -> PictureEncoder:
        return PictureEncoder(self._folder / PARTS[1].folder)

    @cached_property
    def _background(self) -> Background:
        return kept(self._file, self._texts, self._pictures)


def _digest(folder: Path) -> str:
    """12 hexadecimal characters for the bytes of all files: other weights give other vectors. 0.3 s for 500 MB."""
    from blake3 import blake3

    digest = blake3(max_threads=blake3.AUTO)
    for part in PARTS:
        for _, name in part.files:
            digest.update(f"{part.folder}/{name}".encode())
            digest.update_mmap(folder / part.folder / name)
    return digest.hexdigest()[:12]
