"""Turns a reranker's last hidden state into its score, with the two rows of the model's GGUF that stand for yes and no.

Knows GGUF files; knows no server and no prompt. llama.cpp returns hidden states; score = sigmoid(h · (W_yes − W_no)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.gguf_header import Tensor, read_header
from rag.errors import BackendError, MissingExtra, first_line

if TYPE_CHECKING:
    from rag.types import Vectors

HEADS = ("output.weight", "token_embd.weight")  # the second where both are one, as in the published 2B and 0.6B
_SHARD = re.compile(r"-\d{5}-of-(\d{5})\.gguf$")


@dataclass(frozen=True, slots=True)
class Judge:
    """The row of yes minus the row of no, float32 (dim,), and the numbers of the two tokens."""

    direction: Vectors
    yes: int
    no: int

    def scores(self, hidden: Vectors) -> list[float]:
        """sigmoid(h · direction) of hidden states, float32 (n, dim), each in 0…1."""
        odds = hidden.astype(np.float64) @ self.direction.astype(np.float64)
        return [float(score) for score in 1 / (1 + np.exp(-np.clip(odds, -500, 500)))]


def judge_of(file: Path) -> Judge:
    """The judge in a GGUF; of a model in several files, the first one is named.

    MissingExtra without the package gguf; BackendError if the file cannot be read or lacks the words or the rows.
    """
    if find_spec("gguf") is None:
        raise MissingExtra(f"gguf is not installed, which reads from {file} what turns vectors into scores", "llamacpp")
    headers = {part: read_header(part) for part in _parts(file)}
    words = headers[next(iter(headers))].words
    try:
        yes, no = words.index(b"yes"), words.index(b"no")
        name, part = next((name, part) for name in HEADS for part, header in headers.items() if name in header.tensors)
        rows = [_row(part, headers[part].tensors[name], token) for token in (yes, no)]
    except (OSError, ValueError, KeyError, StopIteration, NotImplementedError) as error:
        raise BackendError(
            f"{file} is no GGUF of a Qwen3 reranker: {first_line(error) or 'it lacks the words yes and no, or their rows'}",
            remedy="name the file that the server runs: --reranker-model FILE.gguf",
        ) from error
    return Judge(rows[0] - rows[1], yes, no)


def _row(file: Path, tensor: Tensor, number: int) -> Vectors:
    """One row of a matrix, dequantised: float32 (row length,)."""
    import gguf

    kind = gguf.GGMLQuantizationType(tensor.kind)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    length = tensor.sizes[0] // block * size
    packed = np.fromfile(file, np.uint8, count=length, offset=tensor.offset + number * length)
    if packed.size != length:
        raise ValueError("it ends too early")
    return np.asarray(gguf.dequantize(packed.reshape(1, -1), kind), np.float32).reshape(-1)


def _parts(file: Path) -> Iterator[Path]:
    """The files of a model in several, from its first one; else the file itself."""
    shard = _SHARD.search(file.name)
    if not shard:
        yield file
        return
    for number in range(1, int(shard[1]) + 1):
        yield file.with_name(f"{file.name[: shard.start()]}-{number:05d}-of-{shard[1]}.gguf")
