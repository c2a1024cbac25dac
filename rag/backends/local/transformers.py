"""The `transformers` backend: models in this process without vLLM, for CPUs, Apple silicon and single GPUs.

Knows transformers and sentence-transformers; knows no index. Families with a prompt get that of `rag.backends.prompts`; any
other model runs as its own sentence-transformers configuration says. Neither class loads anything before `load()` or the first
content that the model accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rag.backends import modelscope
from rag.backends.base import DEFAULT_CHOICE, Choice
from rag.backends.families import Family, resizing
from rag.backends.local.base import LoadedEmbedder, LoadedReranker, Prompt
from rag.backends.local.shared import dim_of, shown, times
from rag.backends.local.two_towers import TwoTowers
from rag.backends.local.weights import folder_here
from rag.errors import BackendError, first_line
from rag.types import Content, Role

TEXTS = 16  # per forward pass, fewer if they are long
TOKENS = 16_384  # per forward pass, including padding


class TransformersEmbedder(LoadedEmbedder):
    """An embedding model in transformers; see the module's docstring."""

    package, extra = "sentence_transformers", "transformers"
    batch = 2 * TEXTS

    def __init__(self, choice: Choice = DEFAULT_CHOICE) -> None:
        super().__init__(choice)

    def _load_model(self) -> Any:
        whole = _two_towers if self._family.templated else _sentence_model
        return _load(self._choice.model, whole if self._family.pooling == "own" else _embedding_model, self._family)

    def _tokenizer(self) -> Any:
        return self._loaded.tokenizer

    def _limit(self) -> int:
        return self._family.max_tokens

    def _known_dim(self) -> int | None:
        return dim_of(self._choice) if self._family.templated else None  # others may end in a projection to another width

    def _native_dim(self) -> int:
        return int(self._loaded.get_embedding_dimension())

    def _rows(self, contents: Sequence[Content], role: Role) -> Any:
        if self._family.pooling != "own":
            return self._loaded.run(self._prompts(contents, role), lambda out: out.last_hidden_state[:, -1])
        if self._family.templated:
            return self._loaded.run(self._prompts(contents, role))
        texts = [self._render(content, role) for content in contents]
        return self._loaded.encode(texts, batch_size=TEXTS, show_progress_bar=False)


class TransformersReranker(LoadedReranker):
    """A reranking model in transformers; see the module's docstring. Models without a prompt: the sigmoid of their log-odds."""

    package, extra = "sentence_transformers", "transformers"

    def __init__(self, choice: Choice = DEFAULT_CHOICE) -> None:
        super().__init__(choice)

    def _load_model(self) -> Any:
        return _load(self._choice.model, _reranking_model if self._family.templated else _cross_encoder, self._family)

    def _tokenizer(self) -> Any:
        return self._loaded.tokenizer

    def _limit(self) -> int:
        return self._family.max_tokens

    def _score_prompts(self, pairs: Sequence[Prompt]) -> Sequence[float]:
        scores: list[float] = self._loaded.run(pairs, self._loaded.yes_probability)
        return scores

    def _score_pairs(self, query: str, words: Sequence[str]) -> Sequence[float]:
        import torch

        pairs, sigmoid = [(query, word) for word in words], torch.nn.Sigmoid()
        scores: Sequence[float] = self._loaded.predict(pairs, batch_size=TEXTS, activation_fn=sigmoid, show_progress_bar=False)
        return scores


class _Qwen:
    """A Qwen model with its tokenizer and, if it sees, its processor."""

    def __init__(self, model: Any, tokenizer: Any, processor: Any, family: Family) -> None:
        self.model, self.tokenizer, self.processor = model, tokenizer, processor
        self._special_tokens = family.special_tokens  # whether the tokenizer appends <|endoftext|>
        self._most_pixels = family.pixels[1]
        self._last_only = {"logits_to_keep": 1} if family.task == "reranker" else {}
        self._no, self._yes = tokenizer.convert_tokens_to_ids(list(family.answers))

    def get_embedding_dimension(self) -> int:
        """The dimension of a vector, under the name that SentenceTransformer gives it."""
        return int(self.model.config.get_text_config().hidden_size)

    def yes_probability(self, output: Any) -> Any:
        """sigmoid(yes − no) at the last token, (n,), in float32."""
        logits = output.logits[:, -1].float()
        return (logits[:, self._yes] - logits[:, self._no]).sigmoid()

    def run(self, asked: Sequence[Prompt], select: Callable[[Any], Any]) -> list[Any]:
        """What `select` takes from the model's output for each prompt, as float32 arrays in input order.

        Texts of similar length share a forward pass, padded on the left so that every prompt ends at the last position; a prompt
        with pictures runs alone.
        """
        import torch

        selected: list[Any] = [None] * len(asked)
        with torch.inference_mode():
            for numbers in self._batches(asked):
                inputs = self._inputs([asked[number] for number in numbers]).to(self.model.device)
                rows = select(self.model(**inputs, **self._last_only)).float().cpu().numpy()
                for number, row in zip(numbers, rows, strict=True):
                    selected[number] = row
        return selected

    def _batches(self, asked: Sequence[Prompt]) -> list[list[int]]:
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
        return self.tokenizer(prompt, add_special_tokens=self._special_tokens)["input_ids"]

    def _inputs(self, asked: Sequence[Prompt]) -> Any:
        texts = [prompt for prompt, _ in asked]
        pictures, videos = shown([content for _, contents in asked for content in contents], self._most_pixels)
        common = {"add_special_tokens": self._special_tokens, "return_tensors": "pt"}
        if not (pictures or videos):
            return self.tokenizer(texts, padding=True, padding_side="left", **common)
        seen: dict[str, Any] = {"images": pictures} if pictures else {}
        if videos:
            seen["videos"] = [np.stack([np.asarray(frame) for frame in video]) for video in videos]
            seen |= {"video_metadata": [times(video) for video in videos], "do_sample_frames": False}
        return self.processor(text=texts, **seen, **common)


def _load(model: str, load: Callable[[str, Family, Mapping[str, Any]], Any], family: Family) -> Any:
    """Loads a model onto this machine's device. BackendError, with the reason, if that fails."""
    import torch

    model = folder_here(model) or modelscope.folder_of(model)
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return load(model, family, {"device": device, "dtype": torch.float32 if device == "cpu" else torch.bfloat16})
    except (ValueError, OSError, RuntimeError, ImportError, KeyError) as error:
        raise BackendError(
            f"transformers cannot load {model}: {first_line(error)}", remedy="name a model by its hub name or its folder"
        ) from error


def _embedding_model(model: str, family: Family, place: Mapping[str, Any]) -> _Qwen:
    from transformers import AutoModel

    return _qwen(AutoModel, model, family, place)


def _reranking_model(model: str, family: Family, place: Mapping[str, Any]) -> _Qwen:
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    kind = AutoModelForImageTextToText if family.sees else AutoModelForCausalLM
    return _qwen(kind, model, family, place)


def _qwen(kind: Any, model: str, family: Family, place: Mapping[str, Any]) -> _Qwen:
    from transformers import AutoProcessor, AutoTokenizer

    weights = kind.from_pretrained(model, dtype=place["dtype"]).to(place["device"]).eval()
    tokenizer = AutoTokenizer.from_pretrained(model)
    limits = resizing(family) if family.resizes else {}
    processor = AutoProcessor.from_pretrained(model, **limits) if family.sees else None
    return _Qwen(weights, tokenizer, processor, family)


def _two_towers(model: str, family: Family, place: Mapping[str, Any]) -> TwoTowers:
    from transformers import AutoModel, AutoProcessor

    weights = AutoModel.from_pretrained(model, dtype=place["dtype"]).to(place["device"]).eval()
    return TwoTowers(weights, AutoProcessor.from_pretrained(model), family)


def _sentence_model(model: str, family: Family, place: Mapping[str, Any]) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model, device=place["device"], model_kwargs={"dtype": place["dtype"]})


def _cross_encoder(model: str, family: Family, place: Mapping[str, Any]) -> Any:
    from sentence_transformers import CrossEncoder

    return CrossEncoder(model, device=place["device"], model_kwargs={"dtype": place["dtype"]})
