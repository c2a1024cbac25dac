"""Turns a reranker's last hidden state into its score, with the two rows of the model's GGUF that stand for yes and no.

Knows GGUF files; knows no server and no prompt. llama.cpp returns hidden states; score = sigmoid(h · (W_yes − W_no)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

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
    """The judge in a GGUF, or in the first of its several files.

    MissingExtra without the package gguf; BackendError if the file cannot be read or lacks the words or the rows.
    """
    if find_spec("gguf") is None:
        raise MissingExtra(f"gguf is not installed, which reads from {file} what turns vectors into scores", "llamacpp")
    import gguf

    try:
        readers = [gguf.GGUFReader(part) for part in _parts(file)]
        words = readers[0].fields["tokenizer.ggml.tokens"]
        found = {bytes(words.parts[place]): number for number, place in enumerate(words.data) if words.parts[place].size <= 3}
        yes, no = found[b"yes"], found[b"no"]
        tensors = {tensor.name: tensor for reader in readers for tensor in reader.tensors if tensor.name in HEADS}
        head = next(tensors[name] for name in HEADS if name in tensors)
        rows = [gguf.dequantize(_row(head, token), head.tensor_type) for token in (yes, no)]
    except (OSError, ValueError, KeyError, IndexError, StopIteration, NotImplementedError) as error:
        raise BackendError(
            f"{file} is no GGUF of a Qwen3 reranker: {first_line(error) or type(error).__name__}",
            remedy="name the file that the server runs: --reranker-model FILE.gguf",
        ) from error
    yes_row, no_row = (np.asarray(row, np.float32).reshape(-1) for row in rows)
    return Judge(yes_row - no_row, yes, no)


def _row(head: Any, token: int) -> Any:
    return head.data[token : token + 1]


def _parts(file: Path) -> Iterator[Path]:
    """The files of a model in several, from its first one; else the file itself."""
    shard = _SHARD.search(file.name)
    if not shard:
        yield file
        return
    for number in range(1, int(shard[1]) + 1):
        yield file.with_name(f"{file.name[: shard.start()]}-{number:05d}-of-{shard[1]}.gguf")
