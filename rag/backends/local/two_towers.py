"""A model of two towers in transformers: captions through one, pictures through the other, into one space.

Knows transformers' processors; knows no family's rules but how its texts are padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag.backends.families import Family
from rag.backends.local.shared import shown
from rag.types import Content

AT_ONCE = 16  # inputs in one forward pass


class TwoTowers:
    """SigLIP or CLIP with its processor."""

    def __init__(self, model: Any, processor: Any, family: Family) -> None:
        self.model, self.processor, self.tokenizer = model, processor, processor.tokenizer
        self._family = family

    def get_embedding_dimension(self) -> int:
        """The dimension of a vector, under the name that SentenceTransformer gives it."""
        config = self.model.config
        return int(getattr(config, self._family.width, 0) or getattr(config.text_config, self._family.width))

    def run(self, asked: Sequence[tuple[str, Sequence[Content]]]) -> list[Any]:
        """The vector of each prompt or picture, float32 arrays in input order, of any norm."""
        import torch

        rows: list[Any] = [None] * len(asked)
        seen = [at for at, (_, contents) in enumerate(asked) if any(content.pixels for content in contents)]
        read = [at for at in range(len(asked)) if at not in set(seen)]
        with torch.inference_mode():
            for places, tower in ((read, self._texts), (seen, self._pictures)):
                for start in range(0, len(places), AT_ONCE):
                    batch = places[start : start + AT_ONCE]
                    for at, row in zip(batch, tower([asked[one] for one in batch]).float().cpu().numpy(), strict=True):
                        rows[at] = row
        return rows

    def _texts(self, asked: Sequence[tuple[str, Sequence[Content]]]) -> Any:
        padding = {"padding": True, **self._family.tokenizing}
        inputs = self.tokenizer([prompt for prompt, _ in asked], truncation=True, return_tensors="pt", **padding)
        if self._family.tokenizing:  # a model trained on padded texts attends to the padding
            inputs.pop("attention_mask", None)
        return _pooled(self.model.get_text_features(**inputs.to(self.model.device)))

    def _pictures(self, asked: Sequence[tuple[str, Sequence[Content]]]) -> Any:
        pictures, _ = shown([content for _, contents in asked for content in contents])
        inputs = self.processor(images=pictures, return_tensors="pt").to(self.model.device)
        return _pooled(self.model.get_image_features(**inputs))


def _pooled(output: Any) -> Any:
    """The features, which transformers 5 gives as the pooled output of a tower."""
    return getattr(output, "pooler_output", output)
