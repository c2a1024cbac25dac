"""What both backends with a model in this process do alike: load it once, when it is first needed, and feed it whole prompts.

Knows prompts, limits and turns; knows no engine. A backend says how its model is loaded and run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends import modelscope, prompts
from rag.backends.base import Choice
from rag.backends.families import Family, Task, family_of, fingerprint_of, instruction_for, model_name, trust_of
from rag.backends.local.shared import fitted, judged, require, require_dim, unit_rows
from rag.backends.local.weights import folder_here
from rag.backends.modalities import modalities_of, refuse_unseen
from rag.types import Content, Fingerprint, Kind, Role

if TYPE_CHECKING:
    from rag.types import Vectors

Prompt = tuple[str, Sequence[Content]]  # a rendered prompt, and the contents whose pixels stand in it, in order
_ROLES: tuple[Role, ...] = ("query", "document")


class _Loaded(ABC):
    """A model that is loaded by `load()` or by the first content it can take. Threads take turns."""

    package = extra = ""  # that runs it, and ours that brings it

    def __init__(self, choice: Choice, task: Task) -> None:
        require(self.package, self.extra, choice.model)
        if not folder_here(choice.model):
            modelscope.require(choice.model)
        self._choice = choice
        self._family: Family = family_of(choice, task)
        self._loaded: Any = None
        self._turn = Lock()
        self.modalities = modalities_of(self._family)

    def load(self) -> None:
        """Loads the weights, unless they are. BackendError with the reason where it cannot."""
        with self._turn:
            if self._loaded is None:
                self._loaded = self._made()

    @abstractmethod
    def _made(self) -> Any:
        """The model, loaded."""

    @abstractmethod
    def _tokenizer(self) -> Any:
        """That of the loaded model."""

    @abstractmethod
    def _limit(self) -> int:
        """Tokens of the longest prompt the loaded model takes."""


class LoadedEmbedder(_Loaded):
    """An embedding model in this process; a subclass is a row of EMBEDDERS."""

    reads_clues = False
    batch = 32

    def __init__(self, choice: Choice) -> None:
        super().__init__(choice, "embedder")
        self._told = {role: instruction_for(self._family, choice, role) for role in _ROLES}
        dim = self._known_dim()
        if dim is None:  # only the model itself can tell
            self.load()
            native = self._native_dim()
            require_dim(choice, native)
            dim = choice.dim or native
        self.fingerprint = fingerprint_of(choice, self._family, dim)

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """Unit rows, float32 (n, dim); the law is that of rag.backends.base.Embedder. What it cannot see is refused unloaded."""
        refuse_unseen(self._family, contents, self._choice.model)
        dim = self.fingerprint.dim
        if not contents:
            return np.zeros((0, dim), np.float32)
        self.load()
        with self._turn:
            rows = self._rows(contents, role)
        return unit_rows(rows, dim, len(contents), self._choice.model)

    def _render(self, content: Content, role: Role) -> str:
        return prompts.embedding_prompt(self._family, content, role=role, instruction=self._told[role])

    def _prompts(self, contents: Sequence[Content], role: Role) -> list[Prompt]:
        """Texts cut where the prompt would be too long, and rendered."""
        render, tokenizer, limit = partial(self._render, role=role), self._tokenizer(), self._limit()
        kept = [fitted(content, (), tokenizer, limit, render) for content in contents]
        return [(render(content), [content]) for content in kept]

    @abstractmethod
    def _known_dim(self) -> int | None:
        """The dimension where it is known unloaded."""

    @abstractmethod
    def _native_dim(self) -> int:
        """That of the loaded model."""

    @abstractmethod
    def _rows(self, contents: Sequence[Content], role: Role) -> Any:
        """The loaded model's rows for at least one content, of any length, (n, native dim)."""


class LoadedReranker(_Loaded):
    """A reranking model in this process; a subclass is a row of RERANKERS. One that is blind scores a picture by its words."""

    reads_vectors: Fingerprint | None = None

    def __init__(self, choice: Choice) -> None:
        super().__init__(choice, "reranker")
        self._told = instruction_for(self._family, choice, "rerank")
        self.name = model_name(choice.model)
        self.trust: Mapping[Kind, float] = trust_of(choice)

    def wants_pixels(self, query: Content) -> bool:
        """Whatever is asked: whether the model sees."""
        return self._family.sees

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        """One score in 0…1 per content, in order: sigmoid(yes − no) for the Qwen3 rerankers, the model's own for others."""
        if not contents:
            return []
        self.load()
        with self._turn:
            if self._family.templated:
                found = self._judged([self._prompt(query, content) for content in contents])
            else:
                words = [prompts.rerank_words(self._family, content) for content in (query, *contents)]
                found = self._compared(words[0], words[1:])
        return judged(found, len(contents), self._choice.model)

    def _prompt(self, query: Content, content: Content) -> Prompt:
        def render(document: Content) -> str:
            return prompts.rerank_prompt(self._family, query, document, self._told)

        seen = [query] if self._family.sees else []
        kept = fitted(content, seen, self._tokenizer(), self._limit(), render)
        return render(kept), [*seen, kept] if self._family.sees else []

    @abstractmethod
    def _judged(self, asked: Sequence[Prompt]) -> Sequence[float]:
        """The scores of rendered pairs."""

    @abstractmethod
    def _compared(self, query: str, words: Sequence[str]) -> Sequence[float]:
        """The scores of a model that takes pairs as they are."""
