"""The bodies of requests for vectors as vLLM and OpenAI's API take them, and what such a form must be able to do.

Knows prompts and bodies; knows no connection. The form of llama.cpp is `rag.backends.server.llamacpp.embedding`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rag.backends.base import Choice
from rag.backends.families import Family, instruction_for
from rag.backends.media import media_parts
from rag.backends.prompts import embedding_prompt, embedding_request
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.responses import vectors_of
from rag.types import Content, Role

if TYPE_CHECKING:
    from rag.types import Vectors


PATH = "/v1/embeddings"


def tokenizing_of(family: Family) -> Mapping[str, Any]:
    """The fields by which a server tokenizes rendered prompts as the model was trained; none for a family without prompts."""
    if not family.templated:
        return {}
    padding = {"padding": family.tokenizing["padding"]} if "padding" in family.tokenizing else {}
    return {"add_special_tokens": family.special_tokens, **padding}


class EmbeddingForm(Protocol):
    """How one program takes inputs for vectors and answers. `texts` and `bytes`: the most in one request, to `path`."""

    path: str
    texts: int
    bytes: int

    def request(self, contents: Sequence[Content], role: Role) -> Mapping[str, Any]:
        """The body, without the model: for one content with pixels, or several without."""

    def read(self, answer: HttpResponse, contents: Sequence[Content], dim: int) -> Vectors:
        """The unit rows of a response for these contents, float32 (n, dim); `dim` 0: of whatever length.

        BackendError for anything else.
        """

    def unreadable(self, contents: Sequence[Content]) -> Mapping[int, HttpRefusal]:
        """The contents that this program would not read as the model was trained, by their place."""

    def adapt(self, refused: HttpRefusal) -> bool:
        """Whether the form has changed after a refusal, so that the request is worth sending again."""


class OpenAiForm:
    """Text of a known family as rendered prompts in `input`; pixels as `messages`; any other model's text as it is."""

    path = PATH
    texts = 32  # per request: TEI accepts no more by default, and vLLM gains nothing from more
    bytes = 4_000_000

    def __init__(self, family: Family, choice: Choice, requested_dim: int) -> None:
        """`requested_dim`: the length of the vectors to ask for; 0: the model's own, which needs no request."""
        self._family, self._choice, self._requested_dim = family, choice, requested_dim
        self._encoding: Mapping[str, str] = {"encoding_format": "base64"}

    def request(self, contents: Sequence[Content], role: Role) -> Mapping[str, Any]:
        """The body, without the model: for one content with pixels, or several without."""
        family = self._family
        instruction = instruction_for(family, self._choice, role)
        shape = {**self._encoding, **({"dimensions": self._requested_dim} if self._requested_dim else {})}
        if contents[0].pixels:
            parts = [*media_parts(contents[0], family.pixels[1]), {"type": "text", "text": contents[0].text}]
            return {**embedding_request(family, parts, instruction, role), **shape}
        prompts = [embedding_prompt(family, content, role, instruction) for content in contents]
        if family.templated:
            return {"input": prompts, **tokenizing_of(family), **shape}
        return {"input": [prompt or " " for prompt in prompts], **shape}  # OpenAI and TEI refuse an empty string

    def read(self, answer: HttpResponse, contents: Sequence[Content], dim: int) -> Vectors:
        """The unit rows of a response, float32 (n, dim). BackendError as in `vectors_of`."""
        return vectors_of(answer, len(contents), dim)

    def unreadable(self, contents: Sequence[Content]) -> Mapping[int, HttpRefusal]:
        """None: the server itself says what it refuses."""
        return {}

    def adapt(self, refused: HttpRefusal) -> bool:
        """Asks for lists of numbers from now on, if the server refuses base64."""
        if not self._encoding or "encoding" not in refused.message.lower():
            return False
        self._encoding = {}
        return True
