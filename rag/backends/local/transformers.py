"""The `transformers` backend: the models in this process without vLLM, for CPU, Apple and single GPUs.

Knows transformers' models and sentence-transformers; the Qwen3 families read the strings of `rag.backends.prompts`, every other
model is what its own sentence-transformers configuration says. Neither class loads anything before `load()` or the first content
that the model can take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rag.backends import modelscope
from rag.backends.base import DEFAULT_CHOICE, Choice
from rag.backends.families import Family
from rag.backends.local.base import LoadedEmbedder, LoadedReranker, Prompt
from rag.backends.local.shared import dim_of, shown, times
from rag.backends.local.weights import folder_here
from rag.errors import BackendError
from rag.types import Content, Role

TEXTS = 16  # in one run of the model, fewer where they are long
TOKENS = 16_384  # in one run of the model, padding included


class TransformersEmbedder(LoadedEmbedder):
    """An embedding model in transformers; see the module."""

    package, extra = "sentence_transformers", "transformers"
    batch = 2 * TEXTS

    def __init__(self, choice: Choice = DEFAULT_CHOICE) -> None:
        super().__init__(choice)

    def _made(self) -> Any:
        return _loaded(self._choice.model, _embedding_model if self._family.templated else _sentence_model, self._family)

    def _tokenizer(self) -> Any:
        return self._loaded.tokenizer

    def _limit(self) -> int:
        return self._family.max_tokens

    def _known_dim(self) -> int | None:
        return dim_of(self._choice) if self._family.templated else None  # others may end in a layer of another width

    def _native_dim(self) -> int:
        return int(self._loaded.get_embedding_dimension())

    def _rows(self, contents: Sequence[Content], role: Role) -> Any:
        if self._family.templated:
            return self._loaded.run(self._prompts(contents, role), lambda out: out.last_hidden_state[:, -1])
        texts = [self._render(content, role) for content in contents]
        return self._loaded.encode(texts, batch_size=TEXTS, show_progress_bar=False)


class TransformersReranker(LoadedReranker):
    """A reranking model in transformers; see the module. For models other than Qwen3: the sigmoid of their log-odds."""

    package, extra = "sentence_transformers", "transformers"

    def __init__(self, choice: Choice = DEFAULT_CHOICE) -> None:
        super().__init__(choice)

    def _made(self) -> Any:
        return _loaded(self._choice.model, _judging_model if self._family.templated else _cross_encoder, self._family)

    def _tokenizer(self) -> Any:
        return self._loaded.tokenizer

    def _limit(self) -> int:
        return self._family.max_tokens

    def _judged(self, asked: Sequence[Prompt]) -> Sequence[float]:
        found: list[float] = self._loaded.run(asked, self._loaded.judge)
        return found

    def _compared(self, query: str, words: Sequence[str]) -> Sequence[float]:
        import torch

        pairs, sigmoid = [(query, word) for word in words], torch.nn.Sigmoid()
        scores: Sequence[float] = self._loaded.predict(pairs, batch_size=TEXTS, activation_fn=sigmoid, show_progress_bar=False)
        return scores


class _Run:
    """A Qwen3 model with its tokenizer and, where it sees, its processor."""

    def __init__(self, model: Any, tokenizer: Any, processor: Any, *, ended: bool) -> None:
        self.model, self.tokenizer, self.processor = model, tokenizer, processor
        self._ended = ended  # whether <|endoftext|> is appended
        self._yes, self._no = tokenizer.convert_tokens_to_ids(["yes", "no"])

    def get_embedding_dimension(self) -> int:
        """Numbers of a vector, as SentenceTransformer tells them."""
        return int(self.model.config.get_text_config().hidden_size)

    def judge(self, out: Any) -> Any:
        """sigmoid(yes − no) at the last token, (n,), in float32."""
        logits = out.logits[:, -1].float()
        return (logits[:, self._yes] - logits[:, self._no]).sigmoid()

    def run(self, asked: Sequence[Prompt], take: Callable[[Any], Any]) -> list[Any]:
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
        return self.tokenizer(prompt, add_special_tokens=self._ended)["input_ids"]

    def _inputs(self, asked: Sequence[Prompt]) -> Any:
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

    model = folder_here(model) or modelscope.folder_of(model)
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
