"""The `vllm` backend: models in a vLLM engine in this process, on CUDA, Ascend or the CPU.

Knows vLLM's offline interface; knows no index. Prompts come from `rag.backends.prompts`, so no chat template is needed.
Neither class loads anything before `load()` or the first content that the model accepts. vLLM's own log goes to stderr.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from rag.backends import modelscope
from rag.backends.base import DEFAULT_CHOICE, Choice
from rag.backends.devices import look
from rag.backends.families import Family, classifier_overrides, model_name, resizing
from rag.backends.local.base import LoadedEmbedder, LoadedReranker, Prompt
from rag.backends.local.platforms import ALLOCATOR, engine_keywords
from rag.backends.local.shared import dim_of, shown, times
from rag.backends.local.weights import folder_here
from rag.backends.prompts import template_file
from rag.errors import BackendError, first_line
from rag.types import Content, Role

GIB = 1024**3
WORKING_MEMORY = 6 * GIB  # on an accelerator, beside the weights: activations and the cache of a few long prompts
PICTURES, VIDEOS = 8, 2  # the most in one prompt
_BILLIONS = re.compile(r"(\d+(?:\.\d+)?)b(?![a-z])", re.IGNORECASE)


class EngineEmbedder(LoadedEmbedder):
    """An embedding model in vLLM; see the module's docstring."""

    package = extra = "vllm"
    batch = 64
    options: Mapping[str, Any] = {}  # more keywords for vllm.LLM

    def __init__(self, choice: Choice = DEFAULT_CHOICE) -> None:
        super().__init__(choice)

    def _load_model(self) -> Any:
        return _engine(self._choice.model, self._family, {}, self.options)

    def _tokenizer(self) -> Any:
        return self._loaded.get_tokenizer()

    def _limit(self) -> int:
        return _max_model_len(self._loaded)

    def _known_dim(self) -> int | None:
        return dim_of(self._choice)

    def _native_dim(self) -> int:
        return int(self._loaded.llm_engine.model_config.get_hidden_size())

    def _rows(self, contents: Sequence[Content], role: Role) -> Any:
        asked = [_inputs(*prompt, self._family.pixels[1]) for prompt in self._prompts(contents, role)]
        rows: dict[int, Any] = {}
        for with_pixels, more in ((False, self._family.tokenizing), (True, {})):  # only texts are padded
            places = [at for at, content in enumerate(contents) if bool(content.pixels) == with_pixels]
            how = {"add_special_tokens": self._family.special_tokens, **more}
            found = _run(self._loaded.embed, [asked[at] for at in places], self._choice.model, how) if places else []
            rows |= {at: output.outputs.embedding for at, output in zip(places, found, strict=True)}
        return [rows[at] for at in range(len(contents))]


class EngineReranker(LoadedReranker):
    """A reranking model in vLLM; see the module's docstring."""

    package = extra = "vllm"
    options: Mapping[str, Any] = {}  # more keywords for vllm.LLM

    def __init__(self, choice: Choice = DEFAULT_CHOICE) -> None:
        super().__init__(choice)

    def _load_model(self) -> Any:
        if not self._family.templated:
            return _engine(self._choice.model, self._family, {}, self.options)
        template = {"chat_template": template_file(self._family)} if self._family.template else {}
        overrides = classifier_overrides(self._family) if self._family.classifier else {}
        return _engine(self._choice.model, self._family, overrides, {**template, **self.options})

    def _tokenizer(self) -> Any:
        return self._loaded.get_tokenizer()

    def _limit(self) -> int:
        return _max_model_len(self._loaded)

    def _score_prompts(self, pairs: Sequence[Prompt]) -> Sequence[float]:
        inputs = [self._ended(_inputs(*prompt, self._family.pixels[1])) for prompt in pairs]
        outputs = _run(self._loaded.classify, inputs, self._choice.model, {"add_special_tokens": False})
        return [output.outputs.probs[0] for output in outputs]

    def _ended(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The prompt as tokens, with those that vLLM's class appends when it renders a pair itself."""
        if not self._family.appended:
            return asked
        tokens = self._tokenizer()(asked.pop("prompt"), add_special_tokens=False)["input_ids"]
        return {**asked, "prompt_token_ids": [*tokens, *self._family.appended]}

    def _score_pairs(self, query: str, words: Sequence[str]) -> Sequence[float]:
        outputs = _run(partial(self._loaded.score, query), words, self._choice.model, None)
        return [output.outputs.score for output in outputs]


def memory_share(weights: int, total: int) -> float:
    """The share of an accelerator's memory for one engine: its weights and WORKING_MEMORY, so that two engines fit one card.

    `weights` and `total` in bytes.
    """
    return round(min(0.92, (weights + WORKING_MEMORY) / total), 2)


def _engine(model: str, family: Family, overrides: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """Starts a `vllm.LLM`. BackendError, with the reason, if that fails."""
    for name, value in {
        "VLLM_LOGGING_STREAM": "ext://sys.stderr",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",  # a fork would inherit the lock on the index, and its threads' locks
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "4",  # GiB
        **ALLOCATOR,
    }.items():
        os.environ.setdefault(name, value)
    if here := folder_here(model):
        model = here
    elif modelscope.is_there(model):
        os.environ[modelscope.VARIABLE] = "True"
        model = modelscope.name_of(model)
    try:
        import vllm
        from vllm.platforms import current_platform
    except (ImportError, OSError) as error:
        raise BackendError(
            f"vllm is installed but cannot be imported: {error}", remedy="reinstall it for this machine"
        ) from error
    keywords: dict[str, Any] = {"model": model, "runner": "pooling", "hf_overrides": dict(overrides), "use_tqdm_on_load": False}
    if family.templated:
        keywords["max_model_len"] = family.max_tokens
    if family.sees:
        sides = 2 if family.pair else 1  # a query and a document
        pictures, videos = (PICTURES, VIDEOS) if family.videos else (sides * family.pictures, 0)
        keywords["limit_mm_per_prompt"] = {"image": pictures, "video": videos}
    if family.resizes:
        keywords["mm_processor_kwargs"] = resizing(family)
    if current_platform.is_cpu():
        keywords["enforce_eager"] = True
    else:
        keywords["gpu_memory_utilization"] = _memory_share_of(model, current_platform)
        if current_platform.device_type == "npu":
            keywords |= engine_keywords(look().platform, version("vllm-ascend"), keywords.get("max_model_len", 0))
    try:
        engine = vllm.LLM(**{**keywords, **options})
    except (ValueError, OSError, RuntimeError, ImportError, TypeError) as error:
        raise BackendError(
            f"vllm cannot load {model}: {first_line(error)}",
            remedy="its messages above say why; or choose --backend transformers",
        ) from error
    # Ended while the interpreter still runs: its own end, later, aborts the process now and then (vLLM 0.32, exit status 134).
    atexit.register(engine.llm_engine.engine_core.shutdown)
    return engine


def _memory_share_of(model: str, platform: Any) -> float:
    try:
        total = int(platform.get_device_total_memory())
    except (NotImplementedError, RuntimeError):
        return 0.45  # two engines on one card
    folder = Path(model).expanduser()
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors")) if folder.is_dir() else 0
    named = _BILLIONS.search(model_name(model))
    return memory_share(weights or (int(float(named[1]) * 2.2e9) if named else total // 3), total)


def _max_model_len(engine: Any) -> int:
    return int(engine.llm_engine.model_config.max_model_len)


def _inputs(rendered: str, contents: Sequence[Content], limit: int) -> dict[str, Any]:
    """A prompt with its pixels, in vLLM's form. `limit`: the most pixels of one picture."""
    pictures, videos = shown(contents, limit)
    pixels: dict[str, Any] = {"image": pictures} if pictures else {}
    if videos:
        pixels["video"] = [
            (np.stack([np.asarray(frame) for frame in video]), times(video) | {"do_sample_frames": False}) for video in videos
        ]
    return {"prompt": rendered, "multi_modal_data": pixels} if pixels else {"prompt": rendered}


def _run(call: Any, asked: Sequence[Any], model: str, tokenizing: Mapping[str, Any] | None) -> Any:
    try:
        return call(list(asked), use_tqdm=False, tokenization_kwargs=dict(tokenizing) if tokenizing else None)
    except (ValueError, RuntimeError) as error:
        raise BackendError(f"{model} failed in vllm: {first_line(error)}", remedy="see its messages above") from error
