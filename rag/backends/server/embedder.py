"""The `server` embedder: vLLM, llama.cpp, or any server with OpenAI's /v1/embeddings, at one or more endpoints.

Knows prompts, requests and responses; knows no file and loads no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag.backends.base import DEFAULT_CHOICE, Choice, EmbedderCapabilities
from rag.backends.even_batches import even_batches
from rag.backends.families import Family, family_of, fingerprint_of, instruction_for, native_dim
from rag.backends.gguf_names import mmproj_in, revision_of, stem_of
from rag.backends.modalities import modalities_of, refuse_llamacpp, refuse_unseen
from rag.backends.prompts import embedding_prompt
from rag.backends.server.batching import answers_to, is_too_long, refusal_of
from rag.backends.server.client import RETRY_POLICY, Endpoints, Heard, RetryPolicy
from rag.backends.server.embedding_forms import EmbeddingForm, OpenAiForm
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.harmless import HARMLESS, grey_picture
from rag.backends.server.llamacpp import properties
from rag.backends.server.llamacpp.embedding import LlamaCppForm
from rag.backends.server.model_info import ServedModel, is_known, look
from rag.backends.server.text_tokens import TextTokens
from rag.backends.server.token_pooling import TokenMeanForm
from rag.backends.server.truncation import TextCutter, counter
from rag.errors import BackendError
from rag.types import Content, Fingerprint, Role

if TYPE_CHECKING:
    from rag.types import Vectors


class _Numbered(NamedTuple):
    number: int  # its index among the contents
    content: Content


class ServerEmbedder:
    """Vectors from a server. Safe to share between threads.

    Each program is asked in its own form (`embedding_forms`, `llamacpp.embedding`). Rows are normalised here, in float32. A text
    longer than the model reads is cut, as for the models in this process, if the server counts tokens.
    """

    reads_clues = False

    def __init__(
        self, choice: Choice = DEFAULT_CHOICE, policy: RetryPolicy = RETRY_POLICY, *, heard: Heard | None = None
    ) -> None:
        """Asks the server only for what the choice does not say: the model, if it is not named or not known, and its dimension.

        `heard` gets every response, as in `Endpoints`.

        WrongSetting for an invalid address; BackendError if the server must be asked and gives no usable answer.
        """
        self._endpoints = Endpoints(choice, policy, heard=heard)
        self._served: ServedModel | None = None
        self._cutter: TextCutter | None = None
        if not is_known(choice, "embedder"):
            self._served = look(self._endpoints, choice, "embedder")
            choice = self._served.choice
        self._choice = choice
        self._family: Family = family_of(choice, "embedder")
        native = native_dim(choice)
        self._form: EmbeddingForm = OpenAiForm(self._family, choice, choice.dim if choice.dim != native else 0)
        self._dim = choice.dim or native or 0
        self._dim = self._dim or self._vectors([HARMLESS], "document").shape[1]
        self.fingerprint = self._fingerprint(self._served)
        self.modalities = modalities_of(self._family)
        if self._served and self._served.llamacpp:
            self._endpoints.narrow(self._served.llamacpp.slots)
        self.batch = self._form.texts * self._endpoints.capacity
        self.capabilities = EmbedderCapabilities(
            concurrent_calls=self._endpoints.capacity,
            pictures_per_call=1,  # each is a request of its own anyway, so none waits for another
            pictures_together=self._family.together,
        )

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """One unit row per content, float32 (n, dim); the laws are those of rag.backends.base.Embedder.

        BackendError also for a picture or video that has no pixels, or that the model cannot see; ContentRefused, with the
        server's reasons, if the server accepts other contents of the same kind.
        """
        if not contents:
            return np.zeros((0, self._dim), np.float32)
        refuse_unseen(self._family, contents, self.fingerprint.model)
        return self._vectors(contents, role)

    def _vectors(self, contents: Sequence[Content], role: Role) -> Vectors:
        cutter = self._cutter or self._begin()
        render = partial(embedding_prompt, self._family, role=role, instruction=instruction_for(self._family, self._choice, role))
        unreadable = self._form.unreadable(contents)
        numbered = {
            number: _Numbered(number, cutter.cut(one, render) if not one.pixels and cutter.is_suspect(one.text) else one)
            for number, one in enumerate(contents)
            if number not in unreadable
        }
        try:
            found = self._rows(list(numbered.values()), role, cutter.model)
            cut = [_Numbered(one.number, cutter.cut(one.content, render)) for one in numbered.values() if _is_long(one, found)]
            found |= self._rows([one for one in cut if one.content is not numbered[one.number].content], role, cutter.model)
        except HttpRefusal as refused:
            if not self._form.adapt(refused):
                raise
            return self._vectors(contents, role)
        found |= unreadable
        rows = [row for _, row in sorted(found.items()) if not isinstance(row, HttpRefusal)]
        vectors = np.stack(rows) if rows else np.zeros((0, self._dim), np.float32)
        refused_ones = {number: row for number, row in found.items() if isinstance(row, HttpRefusal)}
        if refused_ones:
            raise refusal_of(refused_ones, len(contents), vectors)
        return vectors

    def _begin(self) -> TextCutter:
        """Before the first vector: finds out which program answers, and with it the form of requests and how texts are cut."""
        named = self._served is None  # so that the fingerprint comes from the name alone
        served = self._served = self._served or look(self._endpoints, self._choice, "embedder")
        count = counter(self._endpoints, served.request_name)
        if served.llamacpp:
            refuse_llamacpp(self._family, ", ".join(self._endpoints.urls))
            if named:
                raise BackendError(
                    f"{', '.join(self._endpoints.urls)} is llama.cpp with {served.request_name}: "
                    "how its weights are quantised was not known before",
                    remedy=f"leave --model out (give --family {self._family.name}), or serve it under a name that tells: …-Q8_0",
                )
            self._form = LlamaCppForm(self._endpoints, self._family, self._choice, served.llamacpp)
            count = properties.counter(self._endpoints)
        elif self._family.pooling == "tokens":
            bare = TextTokens(self._endpoints, served)
            self._form = TokenMeanForm(self._family, self._choice, bare.count)
        self._cutter = TextCutter(served.request_name, self._limit(served), count)
        return self._cutter

    def _fingerprint(self, served: ServedModel | None) -> Fingerprint:
        made = fingerprint_of(self._choice, self._family, self._dim)
        if served is None or served.llamacpp is None:
            return made
        name, sees = served.request_name, self._family.sees
        return replace(made, model=stem_of(name), revision=revision_of(served.llamacpp.quantisation, mmproj_in(name), sees=sees))

    def _limit(self, served: ServedModel) -> int:
        """Tokens of the longest prompt: the least of what the model was trained for and the server accepts; 0 if not known."""
        known = [served.max_tokens] if served.max_tokens else []
        return min([*known, self._family.max_tokens] if self._family.templated else known, default=0)

    def _rows(self, numbered: Sequence[_Numbered], role: Role, model: str) -> dict[int, Vectors | HttpRefusal]:
        """The row or the refusal of each content, by its number."""
        texts = [one for one in numbered if not one.content.pixels]
        batches = even_batches(texts, self._form.texts, lambda one: len(one.content.text), self._form.bytes)
        batches += [[one] for one in numbered if one.content.pixels]

        def body(batch: Sequence[_Numbered]) -> Mapping[str, Any]:
            return {"model": model, **self._form.request([one.content for one in batch], role)}

        def harmless(batch: Sequence[_Numbered]) -> Mapping[str, Any]:
            return {"model": model, **self._form.request([grey_picture() if batch[0].content.pixels else HARMLESS], role)}

        def read(answer: HttpResponse, batch: Sequence[_Numbered]) -> Sequence[Vectors]:
            return list(self._form.read(answer, [one.content for one in batch], self._dim))

        rows = answers_to(self._endpoints, self._form.path, batches, body, read, harmless)
        return dict(zip((one.number for batch in batches for one in batch), rows, strict=True))


def _is_long(one: _Numbered, found: Mapping[int, Vectors | HttpRefusal]) -> bool:
    """Whether the content is a text that was refused for its length."""
    answer = found[one.number]
    return isinstance(answer, HttpRefusal) and not one.content.pixels and is_too_long(answer)
