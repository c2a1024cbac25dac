"""What both in-process backends have in common: the model is loaded once, when first needed, and is given whole prompts.

Knows prompts, token limits and locks; knows no engine. A subclass says how its model is loaded and run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends import modelscope, prompts
from rag.backends.base import Choice, EmbedderCapabilities
from rag.backends.families import Family, Task, family_of, fingerprint_of, instruction_for, model_name, trust_of
from rag.backends.local.shared import Sight, checked_scores, fitted, require, require_dim, unit_rows
from rag.backends.local.weights import folder_here
from rag.backends.modalities import modalities_of, refuse_unseen
from rag.errors import WrongSetting
from rag.types import Content, Fingerprint, Kind, Role

if TYPE_CHECKING:
    from rag.types import Vectors

Prompt = tuple[str, Sequence[Content]]  # a rendered prompt, and the contents whose pixels belong in it, in order
_ROLES: tuple[Role, ...] = ("query", "document")


class _Loaded(ABC):
    """A model loaded by `load()`, or by the first call with a content it accepts. Threads take turns.

    MissingExtra if the package that runs it is not installed, WrongSetting if no model is named.
    """

    package = extra = ""  # the package that runs the model, and our extra that installs it

    def __init__(self, choice: Choice, task: Task) -> None:
        require(self.package, self.extra, choice.model)
        if not folder_here(choice.model):
            modelscope.require(choice.model)
        self._choice = choice
        self._family: Family = family_of(choice, task)
        if self.extra in self._family.not_in:
            raise WrongSetting(
                f"{choice.model} belongs to the family {self._family.name}, which {self.extra} does not run here",
                remedy="serve it with vLLM (rag serve), or choose another --backend",
            )
        self._sight = Sight(self._family.patch, *self._family.pixels)
        self._loaded: Any = None
        self._lock = Lock()
        self.modalities = modalities_of(self._family)

    def load(self) -> None:
        """Loads the weights, unless they are loaded. BackendError, with the reason, if they cannot be."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load_model()

    @abstractmethod
    def _load_model(self) -> Any:
        """Loads the model and returns it."""

    @abstractmethod
    def _tokenizer(self) -> Any:
        """The tokenizer of the loaded model."""

    @abstractmethod
    def _limit(self) -> int:
        """The longest prompt the loaded model accepts, in tokens."""


class LoadedEmbedder(_Loaded):
    """An embedding model in this process; a subclass is a row of EMBEDDERS."""

    reads_clues = False
    batch = 32

    def __init__(self, choice: Choice) -> None:
        super().__init__(choice, "embedder")
        self.capabilities = EmbedderCapabilities(pictures_together=self._family.together)
        self._instructions = {role: instruction_for(self._family, choice, role) for role in _ROLES}
        dim = self._known_dim()
        if dim is None:  # only the loaded model can tell
            self.load()
            native = self._native_dim()
            require_dim(choice, native)
            dim = choice.dim or native
        self.fingerprint = fingerprint_of(choice, self._family, dim)

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """Unit rows, float32 (n, dim); the laws are those of rag.backends.base.Embedder. Refuses what it cannot see, unloaded."""
        refuse_unseen(self._family, contents, self._choice.model)
        dim = self.fingerprint.dim
        if not contents:
            return np.zeros((0, dim), np.float32)
        self.load()
        with self._lock:
            rows = self._rows(contents, role)
        return unit_rows(rows, dim, len(contents), self._choice.model)

    def _render(self, content: Content, role: Role) -> str:
        return prompts.embedding_prompt(self._family, content, role=role, instruction=self._instructions[role])

    def _prompts(self, contents: Sequence[Content], role: Role) -> list[Prompt]:
        """The rendered prompts, with texts cut so that no prompt is too long."""
        render, tokenizer, limit = partial(self._render, role=role), self._tokenizer(), self._limit()
        alone = [content.pixels and not self._family.mixed for content in contents]  # no text to cut
        kept = [
            content if pixels else fitted(content, (), tokenizer, limit, render, self._sight)
            for content, pixels in zip(contents, alone, strict=True)
        ]
        return [(render(content), [content]) for content in kept]

    @abstractmethod
    def _known_dim(self) -> int | None:
        """The dimension, if it is known before loading; else None."""

    @abstractmethod
    def _native_dim(self) -> int:
        """The dimension of the loaded model's own vectors."""

    @abstractmethod
    def _rows(self, contents: Sequence[Content], role: Role) -> Any:
        """The loaded model's rows for one or more contents, of any norm: (n, native dim)."""


class LoadedReranker(_Loaded):
    """A reranking model in this process; a subclass is a row of RERANKERS. A text-only model scores a picture by its words."""

    reads_vectors: Fingerprint | None = None

    def __init__(self, choice: Choice) -> None:
        super().__init__(choice, "reranker")
        self._instruction = instruction_for(self._family, choice, "rerank")
        self.name = model_name(choice.model)
        self.trust: Mapping[Kind, float] = trust_of(choice)

    def wants_pixels(self, query: Content) -> bool:
        """Whether the model sees, whatever the query."""
        return self._family.sees

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        """One score in 0…1 per content, in order: sigmoid(yes − no) for models that judge, the model's own score for others."""
        if not contents:
            return []
        self.load()
        with self._lock:
            if self._family.templated:
                scores = self._score_prompts([self._prompt(query, content) for content in contents])
            else:
                words = [prompts.rerank_words(self._family, content) for content in (query, *contents)]
                scores = self._score_pairs(words[0], words[1:])
        return checked_scores(scores, len(contents), self._choice.model)

    def _prompt(self, query: Content, content: Content) -> Prompt:
        def render(document: Content) -> str:
            return prompts.rerank_prompt(self._family, query, document, self._instruction)

        seen = [query] if self._family.sees else []
        kept = fitted(content, seen, self._tokenizer(), self._limit(), render, self._sight)
        return render(kept), [*seen, kept] if self._family.sees else []

    @abstractmethod
    def _score_prompts(self, pairs: Sequence[Prompt]) -> Sequence[float]:
        """The scores of rendered pairs, from a model that takes prompts."""

    @abstractmethod
    def _score_pairs(self, query: str, words: Sequence[str]) -> Sequence[float]:
        """The scores of unrendered pairs, from any other reranker."""
