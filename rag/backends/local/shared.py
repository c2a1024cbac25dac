"""The checks and conversions of the in-process backends: package, dimension, prompt length, pixels, vectors and scores.

Knows content and token limits; knows no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag.backends import media
from rag.backends.base import Choice
from rag.backends.families import MAX_PIXELS, native_dim
from rag.backends.prompts import is_video
from rag.errors import BackendError, MissingExtra, WrongRequest, WrongSetting
from rag.types import Content

if TYPE_CHECKING:
    from rag.types import Vectors

FRAME_SECONDS = 1.0  # between two frames of a video, as a vLLM server reads `data:video/jpeg`
PATCH = 32 * 32  # pixels of a picture per token
_TIMESTAMP = 12  # tokens for the time and the brackets of two frames
_CUTS = 8  # attempts to cut a text so that its prompt fits: a cut may change how its last characters are tokenized


class Sight(NamedTuple):
    """How many tokens pictures become: one for each `patch` × `patch` pixels, after scaling to `least` … `most` pixels."""

    patch: int
    least: int
    most: int


DEFAULT_SIGHT = Sight(32, 0, MAX_PIXELS)


def require(package: str, extra: str, model: str) -> None:
    """MissingExtra if the package is not installed, WrongSetting if no model is named. Imports nothing."""
    if find_spec(package) is None:
        raise MissingExtra(
            f"{package.replace('_', '-')} is not installed, which is needed to run {model or 'the model'} here", extra
        )
    if not model:
        raise WrongSetting("no model is named", remedy="name one: --model Qwen/Qwen3-VL-Embedding-2B, or a local folder")


def dim_of(choice: Choice) -> int | None:
    """The dimension of the vectors, if it is known without loading; else None. WrongSetting if the model has fewer."""
    native = native_dim(choice)
    if native is not None:
        require_dim(choice, native)
    return choice.dim or native


def require_dim(choice: Choice, native: int) -> None:
    """WrongSetting if the choice asks for more dimensions than the model's own."""
    if choice.dim > native:
        raise WrongSetting(f"{choice.model} has {native} dimensions, not {choice.dim}", remedy=f"choose --dim {native} or less")


def shown(contents: Sequence[Content], limit: int = MAX_PIXELS) -> tuple[list[Any], list[list[Any]]]:
    """The pictures, and the videos as lists of frames, of contents in order: PIL images as a server decodes what we send it.

    `limit`: the most pixels of one picture.
    """
    pictures = [media.picture(pixels, limit) for content in contents if not is_video(content) for pixels in content.pixels]
    return pictures, [media.film(content.pixels) for content in contents if is_video(content)]


def times(frames: Sequence[Any]) -> dict[str, Any]:
    """The metadata of a video for transformers and vLLM: one frame per second, counted from 0, none to be dropped."""
    count = len(frames)
    return {
        "fps": 1 / FRAME_SECONDS,
        "total_num_frames": count,
        "duration": count * FRAME_SECONDS,
        "frames_indices": list(range(count)),
        "video_backend": "frames",
    }


def fitted(
    content: Content,
    others: Sequence[Content],
    tokenizer: Any,
    limit: int,
    render: Callable[[Content], str],
    sight: Sight = DEFAULT_SIGHT,
) -> Content:
    """The content, its text cut so that the rendered prompt has at most `limit` tokens, those of pictures included.

    `others` are the other contents in the prompt. WrongRequest if the prompt is too long even without the text.
    """
    room = limit - _pixel_tokens([content, *others], sight)
    if len(render(content).encode("utf-8")) < room:  # a token is at least one byte
        return content
    kept = content
    for _ in range(_CUTS):
        over = len(tokenizer(render(kept))["input_ids"]) - room
        if over <= 0:
            return kept
        offsets = tokenizer(kept.text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        kept = replace(kept, text=kept.text[: offsets[-over][0]] if over < len(offsets) else "")
    raise WrongRequest(f"the prompt is longer than {limit} tokens", remedy="use fewer words or fewer pictures")


def _pixel_tokens(contents: Sequence[Content], sight: Sight) -> int:
    """An upper bound for the tokens of the pixels."""
    tokens, side = 0, sight.patch
    fewest, most_of_one = ceil(sight.least / side**2 * 1.3), min(sight.most, MAX_PIXELS) // side**2
    for content in contents:
        shapes = (pixels.shape for pixels in content.pixels)
        sizes = [max(fewest, ceil(height / side) * ceil(width / side)) for height, width, _ in shapes]
        if is_video(content):
            frames = min(len(sizes), media.MAX_FRAMES)
            most = min(max(sizes), media.MAX_VIDEO_PIXELS // frames // PATCH)
            tokens += ceil(frames / 2) * (most + _TIMESTAMP)
        else:
            tokens += sum(min(size, max(fewest, most_of_one)) + 2 for size in sizes)
    return tokens


def unit_rows(values: Any, dim: int, count: int, model: str) -> Vectors:
    """float32 (count, dim), unit rows: first sliced, then normalised, as the models were trained for shorter vectors.

    BackendError for too few or too many rows, rows that are too short, or a zero or non-finite row.
    """
    rows = np.asarray(values, np.float32).reshape(count, -1)[:, :dim] if len(values) == count else None
    if rows is None or rows.shape[1] != dim:
        raise BackendError(f"{model} did not return {count} vectors of {dim} numbers", remedy="is it an embedding model?")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise BackendError(f"{model} returned a zero or non-finite vector", remedy="run it in float32 or bfloat16")
    return np.asarray(rows / lengths, np.float32)


def checked_scores(scores: Sequence[float], count: int, model: str) -> list[float]:
    """The scores as floats. BackendError unless there are `count` of them, all in 0…1."""
    checked = [float(score) for score in scores]
    if len(checked) != count or not all(0 <= score <= 1 for score in checked):
        raise BackendError(f"{model} did not return {count} scores from 0 to 1", remedy="is it a reranker?")
    return checked
