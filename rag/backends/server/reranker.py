"""The `server` reranker: vLLM, llama.cpp, or any server with the /v1/rerank of Jina and Cohere, at one or more endpoints.

Knows requests and responses; loads no model. It sends no rendered prompt, except to llama.cpp (`llamacpp.reranking`): the server
renders it with its chat template, and a text rendered here as well would be wrapped twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rag.backends.base import DEFAULT_CHOICE, Choice
from rag.backends.even_batches import even_batches
from rag.backends.families import MAX_PIXELS, Family, family_of, instruction_for, model_name, trust_of
from rag.backends.media import media_parts
from rag.backends.modalities import modalities_of, refuse_llamacpp
from rag.backends.prompts import rerank_prompt, rerank_words
from rag.backends.server.batching import answers_to, is_too_long, refusal_of
from rag.backends.server.client import RETRY_POLICY, Endpoints, Heard, RetryPolicy
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.harmless import HARMLESS
from rag.backends.server.late_interaction import LateScorer
from rag.backends.server.llamacpp import properties
from rag.backends.server.llamacpp.reranking import LlamaCppScorer
from rag.backends.server.model_info import ServedModel, is_known, look
from rag.backends.server.responses import scores_of
from rag.backends.server.truncation import TextCutter, counter
from rag.errors import BackendError
from rag.types import Content, Fingerprint, Kind

RERANK = "/v1/rerank"
SCORE = "/score"  # vLLM's own, whose response does not repeat the pictures
UNVERSIONED = "/rerank"  # TEI and Infinity
DOCUMENTS = 32  # per request: TEI accepts no more by default
BYTES = 4_000_000  # per request
JPEG_RATIO = 6  # pixels have about six times the bytes of the JPEG as base64
ROUNDING = 1e-6  # a score may be outside 0…1 by this much


class ServerReranker:
    """Scores from a server. Safe to share between threads.

    A model that sees gets the pixels of pictures and videos; any other model scores them by their clues. A text too long for a
    Qwen3 model is cut here, as for the models in this process, if the server counts tokens: the server's `truncate_prompt_tokens`
    would cut off the end of the prompt, where the score is read.
    """

    reads_vectors: Fingerprint | None = None

    def __init__(
        self, choice: Choice = DEFAULT_CHOICE, policy: RetryPolicy = RETRY_POLICY, *, heard: Heard | None = None
    ) -> None:
        """Asks the server only if the choice names no model, or one whose family is not known.

        `heard` gets every response, as in `Endpoints`.

        WrongSetting for an invalid address; BackendError if the server must be asked and gives no usable answer.
        """
        self._endpoints = Endpoints(choice, policy, heard=heard)
        self._served: ServedModel | None = None
        self._cutter: TextCutter | None = None
        self._llamacpp: LlamaCppScorer | None = None  # for a Qwen3 model behind llama.cpp
        if not is_known(choice, "reranker"):
            self._served = look(self._endpoints, choice, "reranker")
            choice = self._served.choice
        self._choice = choice
        self._family: Family = family_of(choice, "reranker")
        self._paths = [SCORE, RERANK] if self._family.sees else [RERANK] if self._family.templated else [RERANK, UNVERSIONED]
        self._late = LateScorer(self._endpoints, self._family) if self._family.late else None
        self._log_odds = False
        self.name = model_name(choice.model)
        self.modalities = modalities_of(self._family)
        self.trust: Mapping[Kind, float] = trust_of(choice)

    def wants_pixels(self, query: Content) -> bool:
        """Whether the model sees, whatever the query."""
        return self._family.sees

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        """One float in 0…1 per content; the laws are those of rag.backends.base.Reranker.

        vLLM's scores for Qwen3 are already sigmoid(yes − no). Other servers may send log-odds: once a score is outside 0…1, the
        sigmoid 1 / (1 + e^−x) is taken of every score of that response and of later ones. ContentRefused, with the scores of the
        others, if the server refuses some of the pairs.
        """
        if not contents:
            return []
        found = self._scores(self._begin(), query, contents)
        scores = self._normalised([one for one in found if not isinstance(one, HttpRefusal)])
        refused = {number: one for number, one in enumerate(found) if isinstance(one, HttpRefusal)}
        if refused:
            raise refusal_of(refused, len(contents), scores)
        return scores

    def _begin(self) -> ServedModel:
        """Before the first score: finds out which program answers."""
        served = self._served = self._served or look(self._endpoints, self._choice, "reranker")
        if served.llamacpp:
            refuse_llamacpp(self._family, ", ".join(self._endpoints.urls))
        if served.llamacpp and self._family.templated and self._llamacpp is None:
            self._endpoints.narrow(served.llamacpp.slots)
            self._llamacpp = LlamaCppScorer(self._endpoints, self._family, self._choice, served.llamacpp)
        return served

    def _scores(self, served: ServedModel, query: Content, contents: Sequence[Content]) -> list[float | HttpRefusal]:
        """The scores, or the refusals, after cutting the texts of pairs that are longer than the model reads."""
        model = served.request_name
        if self._late:
            return self._late.scores(model, query, self._cut_late(served, contents))
        if not self._family.templated or query.pixels:
            return self._scores_of(model, query, contents)
        if self._cutter is None:
            limits = [limit for limit in (served.max_tokens, self._family.max_tokens) if limit]
            count = properties.counter(self._endpoints) if served.llamacpp else counter(self._endpoints, model)
            self._cutter = TextCutter(model, min(limits), count)
        cutter, instruction = self._cutter, instruction_for(self._family, self._choice, "rerank")

        def render(document: Content) -> str:
            return rerank_prompt(self._family, query, document, instruction)

        kept = [one if one.pixels else Content("text", text=rerank_words(self._family, one)) for one in contents]
        kept = [one if one.pixels or not cutter.is_suspect(render(one)) else cutter.cut(one, render) for one in kept]
        found = self._scores_of(model, query, kept)
        long = [at for at, one in enumerate(found) if isinstance(one, HttpRefusal) and is_too_long(one) and not kept[at].pixels]
        cut = {at: cutter.cut(kept[at], render) for at in long}
        again = {at: one for at, one in cut.items() if one is not kept[at]}
        for at, score in zip(again, self._scores_of(model, query, list(again.values())), strict=True):
            found[at] = score
        return found

    def _cut_late(self, served: ServedModel, contents: Sequence[Content]) -> list[Content]:
        """The contents in words or pixels, their words cut to what the model reads, if the server counts tokens."""
        if self._cutter is None:
            limits = [limit for limit in (served.max_tokens, self._family.max_tokens) if limit]
            self._cutter = TextCutter(served.request_name, min(limits), counter(self._endpoints, served.request_name))
        cutter = self._cutter
        kept = [one if one.pixels else Content("text", text=rerank_words(self._family, one)) for one in contents]
        return [cutter.cut(one, _text_of) if not one.pixels and cutter.is_suspect(one.text) else one for one in kept]

    def _normalised(self, scores: Sequence[float]) -> list[float]:
        """The scores as numbers in 0…1. BackendError if a Qwen3 model's are not, for then it is not served as a reranker."""
        if any(not -ROUNDING <= score <= 1 + ROUNDING for score in scores):
            if self._family.templated:
                places = ", ".join(self._endpoints.urls)
                raise BackendError(
                    f"{places}: {self.name} scored {min(scores):.3g} … {max(scores):.3g}, which is not within 0…1",
                    remedy="start the server with the flags that this model needs as a reranker: rag serve reranker --dry-run",
                )
            self._log_odds = True
        if self._log_odds:
            return [_sigmoid(score) for score in scores]
        return [min(1.0, max(0.0, score)) for score in scores]

    def _scores_of(self, model: str, query: Content, contents: Sequence[Content]) -> list[float | HttpRefusal]:
        """The scores, or the refusals, from the first path that the server has."""
        if not contents:
            return []
        if self._llamacpp:
            return self._llamacpp.scores(model, query, contents)
        asked = self._side(query)
        harmless_side = self._side(HARMLESS)
        most = min(DOCUMENTS, -(-len(contents) // len(self._endpoints.urls)))  # every endpoint gets its share
        batches = even_batches(contents, most, _weight, BYTES)
        while True:
            path = self._paths[0]

            def body(batch: Sequence[Content], path: str = path) -> Mapping[str, Any]:
                return self._request(path, model, asked, [self._side(content) for content in batch])

            def harmless(batch: Sequence[Content], path: str = path) -> Mapping[str, Any]:
                return self._request(path, model, harmless_side, [harmless_side])

            def read(answer: HttpResponse, batch: Sequence[Content]) -> list[float]:
                return scores_of(answer, len(batch))

            try:
                return answers_to(self._endpoints, path, batches, body, read, harmless)
            except HttpRefusal as refused:
                if refused.status in (404, 405) and self._family.templated and path == RERANK:
                    refused.remedy = (
                        f"{self.name} needs {RERANK} with its chat template: rag serve reranker; `rag doctor` checks it"
                    )
                if refused.status not in (404, 405) or path == self._paths[-1]:
                    raise
            self._paths = self._paths[-1:]

    def _request(self, path: str, model: str, query: Any, documents: list[Any]) -> Mapping[str, Any]:
        instruction = instruction_for(self._family, self._choice, "rerank")
        common = {"model": model, "documents": documents, **({"instruction": instruction} if instruction else {})}
        if path == SCORE:
            return {"queries": query, **common}
        request = {"query": query, "top_n": len(documents), **common}
        return {**request, "texts": documents} if path == UNVERSIONED else request  # TEI's name for documents

    def _side(self, content: Content) -> Any:
        """The query or a document for the API: a string, or its pictures and at most one text."""
        words = rerank_words(self._family, content)
        if not self._family.sees:
            return words or ("" if self._family.templated else " ")  # TEI refuses an empty string
        if not content.pixels:
            return words or self._family.empty or " "
        return {"content": [*media_parts(content, self._family.pixels[1]), *([{"type": "text", "text": words}] if words else [])]}


def _text_of(content: Content) -> str:
    return content.text


def _weight(content: Content) -> int:
    """Roughly how many bytes a content adds to a request."""
    pixels = sum(min(pixels.nbytes, 3 * MAX_PIXELS) for pixels in content.pixels)
    return pixels // JPEG_RATIO + len(content.text) + len(content.clues)


def _sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score)) if score >= 0 else math.exp(score) / (1 + math.exp(score))
