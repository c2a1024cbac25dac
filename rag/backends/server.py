"""The `server` embedder: vLLM, or anything else that answers OpenAI's /v1/embeddings, on one or several endpoints.

Knows prompts, requests and answers; knows no file and loads no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag.backends.answers import vectors_of
from rag.backends.base import UNTOLD, Choice
from rag.backends.batching import answers_to, packed
from rag.backends.exchange import Answer, Refused
from rag.backends.families import Family, family_of, fingerprint_of, instruction_for, native_dim
from rag.backends.http import PATIENCE, Endpoints, Patience
from rag.backends.media import media_parts
from rag.backends.prompts import embedding_messages, embedding_prompt
from rag.backends.served import Served, is_known, look
from rag.errors import BackendError
from rag.types import Content, Modality, Role

if TYPE_CHECKING:
    from rag.types import Vectors

PATH = "/v1/embeddings"
TEXTS = 32  # in one request: TEI takes no more by default, and vLLM gains nothing from more
BYTES = 4_000_000  # of text in one request
PROBE = Content("text", text="length")


class _Numbered(NamedTuple):
    number: int  # its place among the contents
    content: Content


class ServerEmbedder:
    """Vectors from a server. Safe to share between threads.

    Qwen3 text goes as fully rendered prompts in `input`, many in one request. Pictures and videos, with text or without, go one
    by one as `messages` with `add_generation_prompt` and `add_special_tokens`: both default to false for conversations, and
    without them vectors look fine and rank badly. Any other model gets texts as they are, after the user's own instruction.
    Rows are brought to unit length here, in float32.
    """

    reads_clues = False

    def __init__(self, choice: Choice = UNTOLD, patience: Patience = PATIENCE) -> None:
        """Asks the server only for what the choice does not tell: the model where it is not named or not known, and its length.

        WrongSetting for an address that is none; BackendError where the server must be asked and gives no usable answer.
        """
        self._endpoints = Endpoints(choice, patience)
        self._served: Served | None = None
        self._encoding: Mapping[str, str] = {"encoding_format": "base64"}
        if not is_known(choice, "embedder"):
            self._served = look(self._endpoints, choice, "embedder")
            choice = self._served.choice
        self._choice = choice
        self._family: Family = family_of(choice, "embedder")
        own = native_dim(choice)
        self._shorter = choice.dim if choice.dim != own else 0
        self._dim = choice.dim or own or 0
        self._dim = self._dim or self._vectors([PROBE], "document").shape[1]
        self.fingerprint = fingerprint_of(choice, self._family, self._dim)
        self.modalities: frozenset[Modality] = frozenset({"text", "image", "video"} if self._family.sees else {"text"})
        self.batch = TEXTS * self._endpoints.capacity

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """One unit row for each content, float32 (n, dim); the law is that of rag.backends.base.Embedder.

        BackendError also for a picture or video that has no pixels, or whose pixels the model does not see.
        """
        if not contents:
            return np.zeros((0, self._dim), np.float32)
        for content in contents:
            self._must_be_seen(content)
        return self._vectors(contents, role)

    def _must_be_seen(self, content: Content) -> None:
        if content.modality not in self.modalities or (content.pixels and not self._family.sees):
            raise BackendError(
                f"{self.fingerprint.model} embeds text only, and got a {content.modality}",
                remedy="choose a model that sees, such as Qwen/Qwen3-VL-Embedding-2B",
            )
        if content.modality != "text" and not content.pixels:
            raise BackendError(f"a {content.modality} came to the embedder without pixels", remedy="index its file again")

    def _vectors(self, contents: Sequence[Content], role: Role) -> Vectors:
        if self._served is None:
            self._served = look(self._endpoints, self._choice, "embedder")
        model = self._served.request_name
        numbered = [_Numbered(number, content) for number, content in enumerate(contents)]
        texts = [one for one in numbered if not one.content.pixels]
        batches = packed(texts, TEXTS, lambda one: len(one.content.text), BYTES)
        batches += [[one] for one in numbered if one.content.pixels]

        def body(batch: Sequence[_Numbered]) -> Mapping[str, Any]:
            return {"model": model, **self._asked([one.content for one in batch], role)}

        def read(answer: Answer, count: int) -> Sequence[Vectors]:
            return list(vectors_of(answer, count, self._dim))

        try:
            rows = list(answers_to(self._endpoints, PATH, batches, body, read))
        except Refused as refused:
            if not self._encoding or "encoding" not in refused.message.lower():
                raise
            self._encoding = {}  # a server that sends lists of numbers only
            return self._vectors(contents, role)
        vectors = np.empty((len(rows), rows[0].size), np.float32)
        vectors[[one.number for batch in batches for one in batch]] = rows
        return vectors

    def _asked(self, contents: Sequence[Content], role: Role) -> Mapping[str, Any]:
        """A request without its model: one content with pixels, or several without."""
        family = self._family
        told = instruction_for(family, self._choice, role)
        shape = {**self._encoding, **({"dimensions": self._shorter} if self._shorter else {})}
        if contents[0].pixels:
            parts = [*media_parts(contents[0]), {"type": "text", "text": contents[0].text}]
            messages = embedding_messages(family, parts, told)
            return {"messages": messages, "add_generation_prompt": True, "add_special_tokens": True, **shape}
        prompts = [embedding_prompt(family, content, role, told) for content in contents]
        if family.templated:
            return {"input": prompts, "add_special_tokens": True, **shape}
        return {"input": [prompt or " " for prompt in prompts], **shape}  # an empty string is refused by OpenAI and by TEI
