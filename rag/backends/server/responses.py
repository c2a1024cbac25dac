"""Reads and checks the responses of model servers: vectors, scores, and the models they serve.

Knows the forms of responses; knows no connection and no prompt. Anything invalid raises a BackendError that names the endpoint,
what it sent, and what to do.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from rag.backends.server.exchange import HttpResponse
from rag.backends.server.sanitize import shown
from rag.errors import BackendError
from rag.humanize import counted

if TYPE_CHECKING:
    from rag.types import Vectors

BROKEN_REMEDY = "do not index with this server until it is repaired: restart it; `rag doctor` checks its vectors"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One entry of /v1/models: the name that requests use and, if known, the model behind it and its longest prompt."""

    id: str
    root: str
    max_tokens: int = 0  # of one prompt; 0: not known
    owner: str = ""  # what the entry says of the server's program, such as `vllm` or `llamacpp`


def vectors_of(answer: HttpResponse, count: int, dim: int) -> Vectors:
    """The `count` vectors in a response of /v1/embeddings as `rows_of` reads them, brought to unit length.

    `dim` 0 accepts whatever dimension the server sends. BackendError also for a vector of another dimension.
    """
    rows = rows_of(answer, count)
    if dim and rows.shape[1] != dim:
        _refuse(
            answer,
            f"sent vectors of {rows.shape[1]} numbers, not {dim}",
            "name the model and the length it serves (--model, --dim); shorter vectors need a server started with: "
            """--hf-overrides '{"is_matryoshka": true}'""",
        )
    return unit(rows)


def rows_of(answer: HttpResponse, count: int) -> Vectors:
    """The `count` vectors in a response of /v1/embeddings, in the order of their `index`, as sent: float32 (count, length).

    Reads lists of numbers and base64 of little-endian float32. BackendError for too many, too few or repeated vectors, for
    vectors of several lengths or none, and for one that is not finite, or zero.
    """
    items = _in_order(answer, _items(answer, ("data",)), count, "vectors")
    rows = [_numbers(answer, item.get("embedding")) for item in items]
    lengths = {row.size for row in rows}
    if len(lengths) != 1 or lengths == {0}:
        found = ", ".join(str(length) for length in sorted(lengths))
        _refuse(answer, f"sent vectors of {found} numbers, not one length", BROKEN_REMEDY)
    vectors = np.stack(rows)
    if not np.isfinite(vectors).all():
        _refuse(answer, "sent a vector with numbers that are not finite", BROKEN_REMEDY)
    if np.linalg.norm(vectors.astype(np.float64), axis=1).min() < 1e-12:
        _refuse(answer, "sent a zero vector", BROKEN_REMEDY)
    return vectors


def unit(rows: Vectors) -> Vectors:
    """The rows, none of them zero, brought to unit length: float32."""
    norms = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return np.ascontiguousarray(rows / norms, dtype=np.float32)


def scores_of(answer: HttpResponse, count: int) -> list[float]:
    """The `count` scores in a response of /v1/rerank, in the order of their `index`, as the server sent them.

    Reads the forms of vLLM, Jina, Cohere and Infinity (`results`, `relevance_score`), Voyage (`data`) and TEI (a list, `score`).
    BackendError for too many, too few or repeated scores, and for one that is not a finite number.
    """
    items = _in_order(answer, _items(answer, ("results", "data")), count, "scores")
    scores = [item.get("relevance_score", item.get("score")) for item in items]
    for score in scores:
        if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
            _refuse(answer, f"sent {shown(str(score))} as a score", "restart the server; `rag doctor` checks its scores")
    return [float(score) for score in scores]


def cards_of(answer: HttpResponse) -> tuple[ModelCard, ...]:
    """The models in a response of /v1/models, without adapters on top of another model. BackendError if there are none."""
    entries = [entry for entry in _items(answer, ("data", "models")) if not entry.get("parent")]
    cards = [_card(entry) for entry in entries if isinstance(entry.get("id"), str) and entry["id"]]
    if not cards:
        _refuse(answer, "lists no model", "check that this is the address of a model server")
    return tuple(cards)


def _card(entry: Mapping[str, Any]) -> ModelCard:
    root, length, owner = (entry.get(key) for key in ("root", "max_model_len", "owned_by"))
    return ModelCard(
        entry["id"],
        root if isinstance(root, str) else "",
        length if isinstance(length, int) and length > 0 else 0,
        owner if isinstance(owner, str) else "",
    )


def _items(answer: HttpResponse, keys: Sequence[str]) -> list[Mapping[str, Any]]:
    """The entries of a response: the list under one of the keys, or the response itself."""
    content = answer.content
    if isinstance(content, Mapping):
        error = next((content[key] for key in ("error", "message", "detail") if content.get(key)), None)
        content = next((content[key] for key in keys if key in content), None)
        if content is None and error is not None:
            error = error.get("message", error) if isinstance(error, Mapping) else error
            _refuse(answer, f"answered with an error: {shown(str(error))}", "the message says why; the server's log says more")
    if not isinstance(content, list) or not all(isinstance(item, Mapping) for item in content):
        _refuse(
            answer,
            f"answered without {' or '.join(keys)}: {shown(str(answer.content))}",
            "check that the server is for this task (an embedder is not a reranker); `rag doctor` checks it",
        )
    return content


def _in_order(answer: HttpResponse, items: list[Mapping[str, Any]], count: int, what: str) -> list[Mapping[str, Any]]:
    """The entries in the order of `index`, which must be 0 … count - 1, each once."""
    if len(items) != count:
        _refuse(answer, f"sent {len(items)} {what} for {counted(count, 'input')}", BROKEN_REMEDY)
    by_index = {item.get("index"): item for item in items if isinstance(item.get("index"), int)}
    if by_index.keys() != set(range(count)):
        _refuse(answer, f"sent {what} whose index is not 0 to {count - 1}, each once", BROKEN_REMEDY)
    return [by_index[index] for index in range(count)]


def _numbers(answer: HttpResponse, value: Any) -> Vectors:
    """One vector from base64 or a list: float32 (dim,)."""
    try:
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
        row = np.array(value, dtype=np.float32)
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        _refuse(answer, f"sent a vector that cannot be read ({shown(str(error))})", BROKEN_REMEDY)
    if row.ndim != 1 or not isinstance(value, list):
        _refuse(answer, f"sent {shown(str(value))} as a vector", BROKEN_REMEDY)
    return row


def _refuse(answer: HttpResponse, what: str, remedy: str) -> NoReturn:
    raise BackendError(f"{answer.place} {what}", remedy=remedy)
