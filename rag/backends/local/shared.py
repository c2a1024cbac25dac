"""What the backends that run a model in this process share: what is installed, what fits, what is shown, what came back.

Knows content and limits of tokens; knows no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends import media
from rag.backends.base import Choice
from rag.backends.families import MAX_PIXELS, native_dim
from rag.backends.prompts import is_video
from rag.errors import BackendError, MissingExtra, WrongRequest, WrongSetting
from rag.types import Content

if TYPE_CHECKING:
    from rag.types import Vectors

SECOND = 1.0  # between two frames of a video, as a vLLM server takes `data:video/jpeg`
PATCH = 32 * 32  # pixels for one token of a picture
_STAMP = 12  # tokens for the time and the brackets of two frames
_TRIES = 8  # to cut a text so that its prompt fits: a cut may change how its last characters are split into tokens


def require(package: str, extra: str, model: str) -> None:
    """MissingExtra where the package is not installed, WrongSetting where no model is named. Imports nothing."""
    if find_spec(package) is None:
        raise MissingExtra(f"{package.replace('_', '-')} is not installed: it would run {model or 'the model'} here", extra)
    if not model:
        raise WrongSetting("no model is named", remedy="name one: --model Qwen/Qwen3-VL-Embedding-2B, or a local folder")


def dim_of(choice: Choice) -> int | None:
    """The dimension of the vectors, where it can be known without loading; WrongSetting where the model has fewer."""
    native = native_dim(choice)
    if native is not None:
        require_dim(choice, native)
    return choice.dim or native


def require_dim(choice: Choice, native: int) -> None:
    """WrongSetting where more dimensions are asked than the model has."""
    if choice.dim > native:
        raise WrongSetting(f"{choice.model} has {native} dimensions, not {choice.dim}", remedy=f"choose --dim {native} or less")


def shown(contents: Sequence[Content]) -> tuple[list[Any], list[list[Any]]]:
    """The pictures and the films (each a list of frames) of contents in order, as a server would decode what we send it."""
    pictures = [media.picture(pixels) for content in contents if not is_video(content) for pixels in content.pixels]
    return pictures, [media.film(content.pixels) for content in contents if is_video(content)]


def times(frames: Sequence[Any]) -> dict[str, Any]:
    """When each frame of a film is: one a second, counted from 0. None is to be dropped."""
    count = len(frames)
    return {
        "fps": 1 / SECOND, "total_num_frames": count, "duration": count * SECOND, "frames_indices": list(range(count)),
        "video_backend": "frames",
    }  # fmt: skip


def fitted(content: Content, others: Sequence[Content], tokenizer: Any, limit: int, render: Callable[[Content], str]) -> Content:
    """The content with as much of its text as leaves the rendered prompt within `limit` tokens, pictures and all.

    `others` are the further contents of the prompt. WrongRequest where even without the text it is too long.
    """
    room = limit - _tokens_seen([content, *others])
    if len(render(content).encode("utf-8")) < room:  # a token is at least one byte
        return content
    kept = content
    for _ in range(_TRIES):
        over = len(tokenizer(render(kept))["input_ids"]) - room
        if over <= 0:
            return kept
        offsets = tokenizer(kept.text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        kept = replace(kept, text=kept.text[: offsets[-over][0]] if over < len(offsets) else "")
    raise WrongRequest(f"the prompt is longer than {limit} tokens", remedy="ask with fewer words or fewer pictures")


def _tokens_seen(contents: Sequence[Content]) -> int:
    """At most so many tokens stand for the pixels."""
    found = 0
    for content in contents:
        sizes = [ceil(height / 32) * ceil(width / 32) for height, width, _ in (pixels.shape for pixels in content.pixels)]
        if is_video(content):
            frames = min(len(sizes), media.MAX_FRAMES)
            most = min(max(sizes), media.MAX_VIDEO_PIXELS // frames // PATCH)
            found += ceil(frames / 2) * (most + _STAMP)
        else:
            found += sum(min(size, MAX_PIXELS // PATCH) + 2 for size in sizes)
    return found


def unit_rows(values: Any, dim: int, count: int, model: str) -> Vectors:
    """float32 (count, dim): sliced first, brought to unit length after, as the models were trained for shorter vectors.

    BackendError where there are fewer or more rows, or one that is no direction.
    """
    rows = np.asarray(values, np.float32).reshape(count, -1)[:, :dim] if len(values) == count else None
    if rows is None or rows.shape[1] != dim:
        raise BackendError(f"{model} did not give {count} vectors of {dim} numbers", remedy="is it an embedding model?")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise BackendError(f"{model} gave a vector that is no direction", remedy="run it in float32 or bfloat16")
    return np.asarray(rows / lengths, np.float32)


def judged(scores: Sequence[float], count: int, model: str) -> list[float]:
    """One score in 0…1 for each content; BackendError where that is not what came."""
    found = [float(score) for score in scores]
    if len(found) != count or not all(0 <= score <= 1 for score in found):
        raise BackendError(f"{model} did not give {count} scores from 0 to 1", remedy="is it a reranker?")
    return found
