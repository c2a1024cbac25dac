"""Calculates how much memory a model needs on each card and how servers share a card; a refusal shows the arithmetic.

Knows numbers of parameters and layers; starts nothing and inspects no machine.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import WrongRequest

GIB = 1 << 30
WHOLE = 0.92  # share of a card for all servers together: vLLM's own default for one
ENGINE = 1 * GIB  # driver context, kernels and captured graphs of one server (an estimate)
STEP_TOKENS = 8192  # the fewest tokens that vLLM profiles in one step
PATCHES = 8 * 1_310_720 // 256  # of 8 pictures of 1,310,720 pixels, 16 × 16 pixels per patch
VISION_WIDTH, VISION_INNER = 1152, 4304  # the vision tower of Qwen3-VL-8B; that of the 2B is slightly smaller


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes that determine a model's memory and its arithmetic.

    `kv`: width of the keys, and of the values, of one layer: heads × head size; `queries`: that of its queries, 0: not known.
    """

    parameters: float
    layers: int
    hidden: int
    inner: int
    kv: int = 1024  # 8 heads × 128 in every model of the family
    queries: int = 0

    @property
    def matrices(self) -> int:
        """The weights that each token is multiplied with, in attention and the gated MLP of all layers; 0: not known.

        Without the table of tokens, which is only looked up, and without the vision tower, which text goes past.
        """
        return self.layers * self.hidden * (2 * self.queries + 2 * self.kv + 3 * self.inner) if self.queries else 0


SHAPES: Mapping[tuple[bool, str], ModelShape] = {  # (sees, size in the name): from the checkpoints' config.json
    (True, "2B"): ModelShape(2.13e9, 28, 2048, 6144, queries=2048),
    (True, "4B"): ModelShape(4.44e9, 36, 2560, 9728, queries=4096),
    (True, "8B"): ModelShape(8.77e9, 36, 4096, 12288, queries=4096),
    (False, "0.6B"): ModelShape(0.60e9, 28, 1024, 3072, queries=2048),
    (False, "4B"): ModelShape(4.02e9, 36, 2560, 9728, queries=4096),
    (False, "8B"): ModelShape(8.19e9, 36, 4096, 12288, queries=4096),
}


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """The least memory that one server needs on each of its cards, in bytes."""

    name: str
    weights: float
    prompt: float  # keys and values of one prompt of the longest length
    working: float

    @property
    def total(self) -> float:
        """All of it, in bytes."""
        return self.weights + self.prompt + self.working

    def __str__(self) -> str:
        return (
            f"{self.name}: {_gib(self.weights)} weights + {_gib(self.prompt)} keys and values of one longest prompt + "
            f"{_gib(self.working)} working memory = {_gib(self.total)}"
        )


def shape_of(model: str, *, sees: bool) -> ModelShape | None:
    """The shape of a model, from its folder's config.json, else from the size in its name; None if neither tells."""
    if Path(model).is_dir():
        return _shape_of_folder(Path(model))
    named = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)B(?![A-Za-z])", model.rsplit("/", 1)[-1])
    return SHAPES.get((sees, f"{named.group(1)}B")) if named else None


def need_of(
    name: str, shape: ModelShape, *, sees: bool, max_model_len: int, bytes_a_number: int, tensor_parallel: int, weights: float = 0
) -> MemoryNeed:
    """What a server with this shape needs on each of its cards. `weights`: bytes on disk if the model is a local folder, else 0.

    Keys and values: 2 × layers × kv × bytes per token (vLLM does not start without room for one whole prompt).
    Working memory, an upper estimate: the engine, the widest activations of one step (three times the inner and four times the
    hidden width per token) and, for a model that sees, the vision tower over eight of the largest pictures.
    """
    steps = max(max_model_len, STEP_TOKENS) * (3 * shape.inner + 4 * shape.hidden) * bytes_a_number
    vision = PATCHES * (2 * VISION_INNER + 4 * VISION_WIDTH) * bytes_a_number if sees else 0
    return MemoryNeed(
        name=name,
        weights=(weights or shape.parameters * bytes_a_number) / tensor_parallel,
        prompt=2 * shape.layers * shape.kv * bytes_a_number * max_model_len / tensor_parallel,
        working=ENGINE + steps + vision,
    )


def weights_of(model: str) -> float:
    """Bytes of the weights in a local folder; 0 if it is not a folder or holds none."""
    folder = Path(model)
    return float(sum(file.stat().st_size for file in folder.glob("*.safetensors"))) if folder.is_dir() else 0.0


def shares(needs: Sequence[MemoryNeed | None], *, total: int, free: int, whole: float = WHOLE) -> list[float]:
    """The share of a card for each server (`--gpu-memory-utilization`), rounded down to hundredths; at most `whole` in sum.

    Each server gets what it needs, and the rest is divided in proportion. `total` and `free` are bytes; 0: not known. Without
    `total` the shares follow the needs, and with an unknown need they are even; neither is checked. WrongRequest, with the
    arithmetic, if the servers do not fit: vLLM does not start on a card with less free memory than its share, measured when its
    own engine already occupies some.
    """
    known = [need for need in needs if need is not None]
    if not total or len(known) < len(needs):
        weight = [need.total if need and len(known) == len(needs) else 1.0 for need in needs]
        return [_down(whole * part / sum(weight)) for part in weight]
    room = min(whole * total, (free or total + ENGINE) - ENGINE / 2)
    wanted = sum(need.total for need in known)
    if wanted > room:
        taken = "" if room == whole * total else f", but only {_gib(free)} are free, of which starting takes {_gib(ENGINE / 2)}"
        raise WrongRequest(
            f"{'the models do' if len(known) > 1 else 'the model does'} not fit on the card: {' · '.join(map(str, known))} · "
            f"needed: {_gib(wanted)}; the card has {_gib(total)} × {whole:.2f} = {_gib(whole * total)}{taken}",
            remedy="use a smaller model, a smaller --max-model-len, --tensor-parallel over more cards, or another card",
        )
    return [_down(room * need.total / wanted / total) for need in known]


def kept_space(shape: ModelShape | None, *, max_model_len: int, bytes_a_number: int, prompts: int) -> int:
    """GiB for keys and values on a processor (VLLM_CPU_KVCACHE_SPACE): room for `prompts` longest prompts, at least 1 GiB."""
    if shape is None:
        return 4
    return max(1, math.ceil(prompts * max_model_len * 2 * shape.layers * shape.kv * bytes_a_number / GIB))


def _shape_of_folder(folder: Path) -> ModelShape | None:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
        text: dict[str, Any] = config.get("text_config") or config
        layers, hidden, inner = (int(text[key]) for key in ("num_hidden_layers", "hidden_size", "intermediate_size"))
        asking = int(text["num_attention_heads"])
        heads = int(text.get("num_key_value_heads") or asking)
        size = int(text.get("head_dim") or hidden // asking)
        words = int(text.get("vocab_size") or 0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError):
        return None
    parameters = float(layers * hidden * (4 * hidden + 3 * inner) + words * hidden)
    return ModelShape(parameters, layers, hidden, inner, heads * size, asking * size)


def _down(share: float) -> float:
    return math.floor(share * 100 + 1e-9) / 100


def _gib(count: float) -> str:
    return f"{count / GIB:.1f} GiB"
