"""The `transformers` backend: the models in this process without vLLM, for CPU, Apple and single GPUs.

Knows transformers' models and sentence-transformers; the Qwen3 families read the strings of `rag.backends.prompts`, every other
model is what its own sentence-transformers configuration says. Neither class loads anything before `load()` or the first content
that the model can take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
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

_ROLES: tuple[Role, ...] = ("query", "document")
TEXTS = 16  # in one run of the model, fewer where they are long
TOKENS = 16_384  # in one run of the model, padding included


class TransformersEmbedder:
    """An embedding model in transformers; see the module. Threads take turns."""

    def __init__(self, choice: Choice = UNTOLD) -> None:
        require("sentence_transformers", "transformers", choice.model)
        self._choice = choice
        self._family = family_of(choice, "embedder")
        self._told = {role: instruction_for(self._family, choice, role) for role in _ROLES}
        self._loaded: Any = None
        self._turn = Lock()
        self.modalities = modalities_of(self._family)
        self.reads_clues = False
        self.batch = 2 * TEXTS
        dim = dim_of(choice) if self._family.templated else None
        if dim is None:  # only the model itself can tell
            native = int(self._ready().get_embedding_dimension())
            require_dim(choice, native)
            dim = choice.dim or native
        self.fingerprint = fingerprint_of(choice, self._family, dim)

    def load(self) -> None:
        """Loads the weights, unless they are. BackendError with the reason where it cannot."""
        with self._turn:
            if self._loaded is None:
                self._loaded = _loaded(
                    self._choice.model, _embedding_model if self._family.templated else _sentence_model, self._family
                )

    def _ready(self) -> Any:
        self.load()
        return self._loaded

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """Unit rows, float32 (n, dim); the law is that of rag.backends.base.Embedder. What it cannot see is refused unloaded."""
        refuse_unseen(self._family, contents, self._choice.model)
        dim = self.fingerprint.dim
        if not contents:
            return np.zeros((0, dim), np.float32)
        self.load()
        render = partial(prompts.embedding_prompt, self._family, role=role, instruction=self._told[role])
        with self._turn:
            if not self._family.templated:
                rows = self._loaded.encode([render(content) for content in contents], batch_size=TEXTS, show_progress_bar=False)
                return unit_rows(rows, dim, len(contents), self._choice.model)
            kept = [fitted(content, (), self._loaded.tokenizer, self._family.max_tokens, render) for content in contents]
            hidden = self._loaded.run(
                [(render(content), [content]) for content in kept], lambda out: out.last_hidden_state[:, -1]
            )
        return unit_rows(hidden, dim, len(contents), self._choice.model)


class TransformersReranker:
    """A reranking model in transformers; see the module. A model that sees nothing scores a picture by its words."""

    def __init__(self, choice: Choice = UNTOLD) -> None:
        require("sentence_transformers", "transformers", choice.model)
        self._choice = choice
        self._family = family_of(choice, "reranker")
        self._told = instruction_for(self._family, choice, "rerank")
        self._loaded: Any = None
        self._turn = Lock()
        self.name = model_name(choice.model)
        self.modalities = modalities_of(self._family)
        self.trust: Mapping[Kind, float] = trust_of(choice)

    def wants_pixels(self, query: Content) -> bool:
        """Whatever is asked: whether the model sees."""
        return self._family.sees

    def load(self) -> None:
        """Loads the weights, unless they are. BackendError with the reason where it cannot."""
        with self._turn:
            if self._loaded is None:
                self._loaded = _loaded(
                    self._choice.model, _judging_model if self._family.templated else _cross_encoder, self._family
                )

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        """One score in 0…1 per content, in order: sigmoid(yes − no) for the Qwen3 rerankers, the sigmoid of others' log-odds."""
        if not contents:
            return []
        self.load()
        with self._turn:
            if not self._family.templated:
                found = self._compared(query, contents)
            else:
                found = self._loaded.run([self._pair(query, content) for content in contents], self._loaded.judge)
        return judged(found, len(contents), self._choice.model)

    def _pair(self, query: Content, content: Content) -> tuple[str, list[Content]]:
        def render(document: Content) -> str:
            return prompts.rerank_prompt(self._family, query, document, self._told)

        seen = [query] if self._family.sees else []
        kept = fitted(content, seen, self._loaded.tokenizer, self._family.max_tokens, render)
        return render(kept), [*seen, kept] if self._family.sees else []

    def _compared(self, query: Content, contents: Sequence[Content]) -> Any:
        import torch

        words = [prompts.rerank_words(self._family, content) for content in (query, *contents)]
        pairs = [(words[0], word) for word in words[1:]]
        return self._loaded.predict(pairs, batch_size=TEXTS, activation_fn=torch.nn.Sigmoid(), show_progress_bar=False)


class _Run:
    """A Qwen3 model with its tokenizer and, where it sees, its processor."""

    def __init__(self, model: Any, tokenizer: Any, processor: Any, *, ended: bool) -> None:
        self.model, self.tokenizer, self.processor = model, tokenizer, processor
        self._ended = ended  # whether <|endoftext|> is appended
        self._yes, self._no = tokenizer.convert_tokens_to_ids(["yes", "no"])

    def judge(self, out: Any) -> Any:
        """sigmoid(yes − no) at the last token, (n,), in float32."""
        logits = out.logits[:, -1].float()
        return (logits[:, self._yes] - logits[:, self._no]).sigmoid()

    def run(self, asked: Sequence[tuple[str, Sequence[Content]]], take: Callable[[Any], Any]) -> list[Any]:
        """What `take` takes of the output for each prompt with its contents, as float32 arrays in order.

        Texts go together with others of their length, padded on the left, so that the last token is the last of each; what
        has pictures goes alone.
        """
        import torch

        found: list[Any] = [None] * len(asked)
        with torch.inference_mode():
            for numbers in self._batches(asked):
                inputs = self._inputs([asked[number] for number in numbers]).to(self.model.device)
                more = {} if self._ended else {"logits_to_keep": 1}
                rows = take(self.model(**inputs, **more)).float().cpu().numpy()
                for number, row in zip(numbers, rows, strict=True):
                    found[number] = row
        return found

    def _batches(self, asked: Sequence[tuple[str, Sequence[Content]]]) -> list[list[int]]:
        batches: list[list[int]] = []
        alone = [number for number, (_, contents) in enumerate(asked) if any(content.pixels for content in contents)]
        lengths = {number: len(self._ids(prompt)) for number, (prompt, _) in enumerate(asked) if number not in set(alone)}
        for number in sorted(lengths, key=lambda number: lengths[number]):
            fits = batches and len(batches[-1]) < TEXTS and (len(batches[-1]) + 1) * lengths[number] <= TOKENS
            if not fits:
                batches.append([])
            batches[-1].append(number)
        return batches + [[number] for number in alone]

    def _ids(self, prompt: str) -> Any:
        return self.tokenizer(prompt, add_special_tokens=self._ended)["input_ids"]

    def _inputs(self, asked: Sequence[tuple[str, Sequence[Content]]]) -> Any:
        texts = [prompt for prompt, _ in asked]
        pictures, films = shown([content for _, contents in asked for content in contents])
        common = {"add_special_tokens": self._ended, "return_tensors": "pt"}
        if not (pictures or films):
            return self.tokenizer(texts, padding=True, padding_side="left", **common)
        seen: dict[str, Any] = {"images": pictures} if pictures else {}
        if films:
            seen["videos"] = [np.stack([np.asarray(frame) for frame in film]) for film in films]
            seen |= {"video_metadata": [times(film) for film in films], "do_sample_frames": False}
        return self.processor(text=texts, **seen, **common)


def _loaded(model: str, make: Callable[[str, Family, Mapping[str, Any]], Any], family: Family) -> Any:
    import torch

    model = modelscope.folder_of(model)
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return make(model, family, {"device": device, "dtype": torch.float32 if device == "cpu" else torch.bfloat16})
    except (ValueError, OSError, RuntimeError, ImportError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise BackendError(
            f"transformers cannot load {model}: {reason}", remedy="name a model by its hub name or its folder"
        ) from error


def _embedding_model(model: str, family: Family, place: Mapping[str, Any]) -> _Run:
    from transformers import AutoModel

    return _qwen(AutoModel, model, family, place, ended=True)


def _judging_model(model: str, family: Family, place: Mapping[str, Any]) -> _Run:
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    return _qwen(AutoModelForImageTextToText if family.sees else AutoModelForCausalLM, model, family, place, ended=False)


def _qwen(kind: Any, model: str, family: Family, place: Mapping[str, Any], *, ended: bool) -> _Run:
    from transformers import AutoProcessor, AutoTokenizer

    weights = kind.from_pretrained(model, dtype=place["dtype"]).to(place["device"]).eval()
    tokenizer = AutoTokenizer.from_pretrained(model)
    return _Run(weights, tokenizer, AutoProcessor.from_pretrained(model) if family.sees else None, ended=ended)


def _sentence_model(model: str, family: Family, place: Mapping[str, Any]) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model, device=place["device"], model_kwargs={"dtype": place["dtype"]})


def _cross_encoder(model: str, family: Family, place: Mapping[str, Any]) -> Any:
    from sentence_transformers import CrossEncoder

    return CrossEncoder(model, device=place["device"], model_kwargs={"dtype": place["dtype"]})
