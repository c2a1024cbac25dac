"""The `vllm` backend: the models in this process's own vLLM engine, on CUDA, Ascend or the CPU.

Knows vLLM's offline interface; the strings come from `rag.backends.prompts`, so that no chat template is needed.
Neither class loads anything before `load()` or the first content that the model can take. vLLM's own talk goes to stderr.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends import modelscope, prompts
from rag.backends.base import UNTOLD, Choice
from rag.backends.families import Family, family_of, fingerprint_of, instruction_for, model_name, trust_of
from rag.backends.in_process import (
    dim_of,
    fitted,
    judged,
    modalities_of,
    refuse_unseen,
    require,
    require_dim,
    shown,
    times,
    unit_rows,
)
from rag.errors import BackendError
from rag.types import Content, Kind, Role

if TYPE_CHECKING:
    from rag.types import Vectors

GIB = 1024**3
ROOM = 6 * GIB  # on an accelerator beside the weights: activations and the cache of a few long prompts
PICTURES, VIDEOS = 8, 2  # at most in one prompt
_ROLES: tuple[Role, ...] = ("query", "document")
_REREAD = {"classifier_from_token": ["no", "yes"], "is_original_qwen3_reranker": True}
_ARCHITECTURES = {"qwen3-vl-reranker": "Qwen3VLForSequenceClassification", "qwen3-reranker": "Qwen3ForSequenceClassification"}
_BILLIONS = re.compile(r"(\d+(?:\.\d+)?)b(?![a-z])", re.IGNORECASE)


class EngineEmbedder:
    """An embedding model in vLLM; see the module. Threads take turns."""

    options: Mapping[str, Any] = {}  # further keywords for vllm.LLM

    def __init__(self, choice: Choice = UNTOLD) -> None:
        require("vllm", "vllm", choice.model)
        self._choice = choice
        self._family = family_of(choice, "embedder")
        self._told = {role: instruction_for(self._family, choice, role) for role in _ROLES}
        self._engine: Any = None
        self._turn = Lock()
        self.modalities = modalities_of(self._family)
        self.reads_clues = False
        self.batch = 64
        dim = dim_of(choice)
        if dim is None:  # only the model itself can tell
            native = int(self._ready().llm_engine.model_config.get_hidden_size())
            require_dim(choice, native)
            dim = choice.dim or native
        self.fingerprint = fingerprint_of(choice, self._family, dim)

    def load(self) -> None:
        """Starts the engine, unless it runs. BackendError with vLLM's reason where it cannot."""
        with self._turn:
            self._engine = self._engine or _started(self._choice.model, self._family, {}, self.options)

    def _ready(self) -> Any:
        self.load()
        return self._engine

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """Unit rows, float32 (n, dim); the law is that of rag.backends.base.Embedder. What it cannot see is refused unloaded."""
        refuse_unseen(self._family, contents, self._choice.model)
        dim = self.fingerprint.dim
        if not contents:
            return np.zeros((0, dim), np.float32)
        self.load()
        with self._turn:
            asked = [self._prompt(content, role) for content in contents]
            outputs = _run(self._engine.embed, asked, self._choice.model, {"add_special_tokens": True})
        return unit_rows([output.outputs.embedding for output in outputs], dim, len(contents), self._choice.model)

    def _prompt(self, content: Content, role: Role) -> dict[str, Any]:
        render = partial(prompts.embedding_prompt, self._family, role=role, instruction=self._told[role])
        kept = fitted(content, (), self._engine.get_tokenizer(), _limit(self._engine), render)
        return _prompt(render(kept), [kept])


class EngineReranker:
    """A reranking model in vLLM; see the module. A model that sees nothing scores a picture by its words. Threads take turns."""

    options: Mapping[str, Any] = {}  # further keywords for vllm.LLM

    def __init__(self, choice: Choice = UNTOLD) -> None:
        require("vllm", "vllm", choice.model)
        self._choice = choice
        self._family = family_of(choice, "reranker")
        self._told = instruction_for(self._family, choice, "rerank")
        self._engine: Any = None
        self._turn = Lock()
        self.name = model_name(choice.model)
        self.modalities = modalities_of(self._family)
        self.trust: Mapping[Kind, float] = trust_of(choice)

    def wants_pixels(self, query: Content) -> bool:
        """Whatever is asked: whether the model sees."""
        return self._family.sees

    def load(self) -> None:
        """Starts the engine, unless it runs. BackendError with vLLM's reason where it cannot."""
        with self._turn:
            if self._engine is None:
                name = self._family.name
                reread = _REREAD | {"architectures": [_ARCHITECTURES[name]]} if self._family.templated else {}
                template = {"chat_template": prompts.template_file(self._family)} if self._family.templated else {}
                self._engine = _started(self._choice.model, self._family, reread, {**template, **self.options})

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        """One score in 0…1 per content, in order: sigmoid(yes − no) for the Qwen3 rerankers, the model's own for others."""
        if not contents:
            return []
        self.load()
        with self._turn:
            if self._family.templated:
                asked = [self._prompt(query, content) for content in contents]
                outputs = _run(self._engine.classify, asked, self._choice.model, {"add_special_tokens": False})
                found = [output.outputs.probs[0] for output in outputs]
            else:
                words = [prompts.rerank_words(self._family, content) for content in (query, *contents)]
                outputs = _run(partial(self._engine.score, words[0]), words[1:], self._choice.model, None)
                found = [output.outputs.score for output in outputs]
        return judged(found, len(contents), self._choice.model)

    def _prompt(self, query: Content, content: Content) -> dict[str, Any]:
        def render(document: Content) -> str:
            return prompts.rerank_prompt(self._family, query, document, self._told)

        seen = [query, content] if self._family.sees else []
        kept = fitted(content, seen[:1], self._engine.get_tokenizer(), _limit(self._engine), render)
        return _prompt(render(kept), [query, kept] if self._family.sees else [])


def memory_share(weights: int, total: int) -> float:
    """The part of an accelerator's memory one engine may take: its weights and ROOM, so that two engines fit one card."""
    return round(min(0.92, (weights + ROOM) / total), 2)


def _started(model: str, family: Family, overrides: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    for name, value in {
        "VLLM_LOGGING_STREAM": "ext://sys.stderr",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",  # a fork would inherit the lock on the index, and its threads' locks
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "4",  # GiB
    }.items():
        os.environ.setdefault(name, value)
    modelscope.require(model)
    if modelscope.is_there(model):
        os.environ[modelscope.VARIABLE] = "True"
        model = modelscope.name_of(model)
    try:
        import vllm
        from vllm.platforms import current_platform
    except (ImportError, OSError) as error:
        raise BackendError(
            f"vllm is installed and cannot be imported: {error}", remedy="install it anew for this machine"
        ) from error
    keywords: dict[str, Any] = {"model": model, "runner": "pooling", "hf_overrides": dict(overrides), "use_tqdm_on_load": False}
    if family.templated:
        keywords["max_model_len"] = family.max_tokens
    if family.sees:
        keywords["limit_mm_per_prompt"] = {"image": PICTURES, "video": VIDEOS}
    if current_platform.is_cpu():
        keywords["enforce_eager"] = True
    else:
        keywords["gpu_memory_utilization"] = _share_of(model, current_platform)
    try:
        return vllm.LLM(**{**keywords, **options})
    except (ValueError, OSError, RuntimeError, ImportError, TypeError) as error:
        raise BackendError(
            f"vllm cannot load {model}: {_first_line(error)}", remedy="its reason is above; or choose --backend transformers"
        ) from error


def _share_of(model: str, platform: Any) -> float:
    try:
        total = int(platform.get_device_total_memory())
    except (NotImplementedError, RuntimeError):
        return 0.45  # two engines on one card
    folder = Path(model).expanduser()
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors")) if folder.is_dir() else 0
    named = _BILLIONS.search(model_name(model))
    return memory_share(weights or (int(float(named[1]) * 2.2e9) if named else total // 3), total)


def _limit(engine: Any) -> int:
    return int(engine.llm_engine.model_config.max_model_len)


def _prompt(rendered: str, contents: Sequence[Content]) -> dict[str, Any]:
    """A prompt with its pixels, in vLLM's form."""
    pictures, films = shown(contents)
    pixels: dict[str, Any] = {"image": pictures} if pictures else {}
    if films:
        pixels["video"] = [
            (np.stack([np.asarray(frame) for frame in film]), times(film) | {"do_sample_frames": False}) for film in films
        ]
    return {"prompt": rendered, "multi_modal_data": pixels} if pixels else {"prompt": rendered}


def _run(call: Any, asked: Sequence[Any], model: str, tokenizing: Mapping[str, Any] | None) -> Any:
    try:
        return call(list(asked), use_tqdm=False, tokenization_kwargs=dict(tokenizing) if tokenizing else None)
    except (ValueError, RuntimeError) as error:
        raise BackendError(f"{model} failed in vllm: {_first_line(error)}", remedy="see its messages above") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
