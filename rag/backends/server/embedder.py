"""The `server` embedder: vLLM, or any server with OpenAI's /v1/embeddings, at one or more endpoints.

Knows prompts, requests and responses; knows no file and loads no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag.backends.base import DEFAULT_CHOICE, Choice, EmbedderCapabilities
from rag.backends.even_batches import even_batches
from rag.backends.families import Family, family_of, fingerprint_of, instruction_for, native_dim
from rag.backends.media import media_parts
from rag.backends.modalities import modalities_of, refuse_unseen
from rag.backends.prompts import embedding_messages, embedding_prompt
from rag.backends.server.batching import answers_to, is_too_long, refusal_of
from rag.backends.server.client import RETRY_POLICY, Endpoints, RetryPolicy
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.model_info import ServedModel, is_known, look
from rag.backends.server.responses import vectors_of
from rag.backends.server.truncation import TextCutter
from rag.types import Content, Role

if TYPE_CHECKING:
    from rag.types import Vectors

PATH = "/v1/embeddings"
TEXTS = 32  # per request: TEI accepts no more by default, and vLLM gains nothing from more
BYTES = 4_000_000  # of text per request
HARMLESS = Content("text", text="length")  # no working server refuses this text
HARMLESS_SIDE = 64  # pixels on each side of a grey picture that no working server refuses


class _Numbered(NamedTuple):
    number: int  # its index among the contents
    content: Content


class ServerEmbedder:
    """Vectors from a server. Safe to share between threads.

    Qwen3 text goes as fully rendered prompts in `input`, many in one request. Pictures and videos, with text or without, go one
    by one as `messages` with `add_generation_prompt` and `add_special_tokens`: both default to false for conversations, and
    without them vectors look fine and rank badly. Any other model gets texts as they are, after the user's own instruction.
    Rows are normalised here, in float32. A text longer than the model reads is cut, as for the models in this process, if the
    server counts tokens.
    """

    reads_clues = False

    def __init__(self, choice: Choice = DEFAULT_CHOICE, policy: RetryPolicy = RETRY_POLICY) -> None:
        """Asks the server only for what the choice does not say: the model, if it is not named or not known, and its dimension.

        WrongSetting for an invalid address; BackendError if the server must be asked and gives no usable answer.
        """
        self._endpoints = Endpoints(choice, policy)
        self._served: ServedModel | None = None
        self._cutter: TextCutter | None = None
        self._encoding: Mapping[str, str] = {"encoding_format": "base64"}
        if not is_known(choice, "embedder"):
            self._served = look(self._endpoints, choice, "embedder")
            choice = self._served.choice
        self._choice = choice
        self._family: Family = family_of(choice, "embedder")
        native = native_dim(choice)
        self._requested_dim = choice.dim if choice.dim != native else 0  # 0: the model's own, which needs no request
        self._dim = choice.dim or native or 0
        self._dim = self._dim or self._vectors([HARMLESS], "document").shape[1]
        self.fingerprint = fingerprint_of(choice, self._family, self._dim)
        self.modalities = modalities_of(self._family)
        self.batch = TEXTS * self._endpoints.capacity
        self.capabilities = EmbedderCapabilities(
            concurrent_calls=self._endpoints.capacity,
            pictures_per_call=1,  # each is a request of its own anyway, so none waits for another
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
        if self._served is None:
            self._served = look(self._endpoints, self._choice, "embedder")
        if self._cutter is None:
            self._cutter = TextCutter(self._endpoints, self._served.request_name, self._limit(self._served))
        cutter = self._cutter
        render = partial(embedding_prompt, self._family, role=role, instruction=instruction_for(self._family, self._choice, role))
        numbered = [
            _Numbered(number, cutter.cut(content, render) if not content.pixels and cutter.is_suspect(content.text) else content)
            for number, content in enumerate(contents)
        ]
        try:
            found = self._rows(numbered, role, cutter.model)
            cut = [_Numbered(one.number, cutter.cut(one.content, render)) for one in numbered if _is_long(one, found)]
            found |= self._rows([one for one in cut if one.content is not numbered[one.number].content], role, cutter.model)
        except HttpRefusal as refused:
            if not self._encoding or "encoding" not in refused.message.lower():
                raise
            self._encoding = {}  # the server can only send lists of numbers
            return self._vectors(contents, role)
        rows = [row for _, row in sorted(found.items()) if not isinstance(row, HttpRefusal)]
        vectors = np.stack(rows) if rows else np.zeros((0, self._dim), np.float32)
        refused_ones = {number: row for number, row in found.items() if isinstance(row, HttpRefusal)}
        if refused_ones:
            raise refusal_of(refused_ones, len(contents), vectors)
        return vectors

    def _limit(self, served: ServedModel) -> int:
        """Tokens of the longest prompt: the least of what the model was trained for and the server accepts; 0 if not known."""
        known = [served.max_tokens] if served.max_tokens else []
        return min([*known, self._family.max_tokens] if self._family.templated else known, default=0)

    def _rows(self, numbered: Sequence[_Numbered], role: Role, model: str) -> dict[int, Vectors | HttpRefusal]:
        """The row or the refusal of each content, by its number."""
        texts = [one for one in numbered if not one.content.pixels]
        batches = even_batches(texts, TEXTS, lambda one: len(one.content.text), BYTES)
        batches += [[one] for one in numbered if one.content.pixels]

        def body(batch: Sequence[_Numbered]) -> Mapping[str, Any]:
            return {"model": model, **self._request([one.content for one in batch], role)}

        def harmless(batch: Sequence[_Numbered]) -> Mapping[str, Any]:
            return {"model": model, **self._request([_grey_picture() if batch[0].content.pixels else HARMLESS], role)}

        def read(answer: HttpResponse, count: int) -> Sequence[Vectors]:
            return list(vectors_of(answer, count, self._dim))

        rows = answers_to(self._endpoints, PATH, batches, body, read, harmless)
        return dict(zip((one.number for batch in batches for one in batch), rows, strict=True))

    def _request(self, contents: Sequence[Content], role: Role) -> Mapping[str, Any]:
        """The body of a request, without the model: for one content with pixels, or several without."""
        family = self._family
        instruction = instruction_for(family, self._choice, role)
        shape = {**self._encoding, **({"dimensions": self._requested_dim} if self._requested_dim else {})}
        if contents[0].pixels:
            parts = [*media_parts(contents[0]), {"type": "text", "text": contents[0].text}]
            messages = embedding_messages(family, parts, instruction)
            return {"messages": messages, "add_generation_prompt": True, "add_special_tokens": True, **shape}
        prompts = [embedding_prompt(family, content, role, instruction) for content in contents]
        if family.templated:
            return {"input": prompts, "add_special_tokens": True, **shape}
        return {"input": [prompt or " " for prompt in prompts], **shape}  # OpenAI and TEI refuse an empty string


def _is_long(one: _Numbered, found: Mapping[int, Vectors | HttpRefusal]) -> bool:
    """Whether the content is a text that was refused for its length."""
    answer = found[one.number]
    return isinstance(answer, HttpRefusal) and not one.content.pixels and is_too_long(answer)


def _grey_picture() -> Content:
    return Content("image", pixels=(np.full((HARMLESS_SIDE, HARMLESS_SIDE, 3), 128, np.uint8),))
