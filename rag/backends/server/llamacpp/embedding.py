"""The form of llama.cpp's server for vectors: rendered prompts with markers, and vectors that the client shortens.

Knows bodies and the server's properties; knows no retries and no scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag.backends.base import Choice
from rag.backends.families import Family, instruction_for, native_dim
from rag.backends.prompts import embedding_prompt
from rag.backends.server.client import Endpoints
from rag.backends.server.embedding_forms import PATH
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.llamacpp.inputs import input_of, refusals
from rag.backends.server.llamacpp.properties import Properties, ending_of, properties_of
from rag.backends.server.responses import rows_of, unit
from rag.errors import BackendError
from rag.types import Content, Role

if TYPE_CHECKING:
    from rag.types import Vectors

MMPROJ_REMEDY = "start it with the model's mmproj: llama-server --mmproj FILE, or `rag serve embedder --engine llamacpp`"


class LlamaCppForm:
    """As EmbeddingForm. A server on a laptop reads tens of tokens a second, so a request holds few texts."""

    path = PATH
    texts = 4
    bytes = 4_000

    def __init__(self, endpoints: Endpoints, family: Family, choice: Choice, served: Properties) -> None:
        """Asks which tokens the server appends. BackendError if it appends what it must not."""
        self._endpoints, self._family, self._choice, self._served = endpoints, family, choice, served
        self._ending = ending_of(endpoints, family) if family.templated else ""

    def request(self, contents: Sequence[Content], role: Role) -> Mapping[str, Any]:
        """The body, without the model. BackendError for a picture if the server has no mmproj."""
        instruction = instruction_for(self._family, self._choice, role)
        items = [self._item(content, embedding_prompt(self._family, content, role, instruction)) for content in contents]
        return {"input": items, "encoding_format": "base64"}

    def read(self, answer: HttpResponse, contents: Sequence[Content], dim: int) -> Vectors:
        """The unit rows of a response, float32 (n, dim): first sliced, then normalised. The server ignores `dimensions`.

        BackendError if the vectors are of another length than the model's own, or shorter than `dim`.
        """
        rows, native = rows_of(answer, len(contents)), native_dim(self._choice)
        if (native and rows.shape[1] != native) or rows.shape[1] < dim:
            raise BackendError(
                f"{answer.place} sent vectors of {rows.shape[1]} numbers, not {native or dim}",
                remedy="name the model that it serves (--model), or a smaller --dim",
            )
        return unit(rows[:, : dim or None])

    def unreadable(self, contents: Sequence[Content]) -> Mapping[int, HttpRefusal]:
        """The videos."""
        return refusals(contents, self._endpoints.urls[0])

    def adapt(self, refused: HttpRefusal) -> bool:
        """Learns the marker of a server that was started again."""
        before, self._served = self._served, properties_of(self._endpoints)
        return self._served.marker != before.marker

    def _item(self, content: Content, prompt: str) -> str | dict[str, Any]:
        require_sight([content], self._served, self._endpoints)
        return input_of((prompt or " ") + self._ending, [content], self._served.marker)


def require_sight(contents: Sequence[Content], served: Properties, endpoints: Endpoints) -> None:
    """BackendError for pixels if the server has no mmproj."""
    if any(content.pixels for content in contents) and not (served.sees and served.marker):
        raise BackendError(f"{', '.join(endpoints.urls)} cannot see pictures: no mmproj is loaded", remedy=MMPROJ_REMEDY)
