"""Checks that a server gives the vectors of tokens that are compared or pooled here, and that they tell an answer from others.

Knows /pooling and what MaxSim must be; knows no address and prints nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends.base import Choice
from rag.backends.families import Family, Task, instruction_for
from rag.backends.media import media_parts
from rag.backends.prompts import embedding_prompt, embedding_request
from rag.backends.server.late_interaction import PATH, max_sim
from rag.errors import BackendError
from rag.models.check_embedder import OTHERS, QUERY, RELEVANT, known_pair
from rag.models.check_media import picture, picture_tokens
from rag.models.probe import Finding, Verdict, ask, reporter
from rag.types import Content, Role

if TYPE_CHECKING:
    import httpx

    from rag.types import Vectors

UNIT = 0.02  # a length may differ from 1 by this much, in 16-bit arithmetic
REMEDY = "start it with `rag serve reranker`, on vLLM with a model of tokens' vectors"


def prove_late(client: httpx.Client, choice: Choice, family: Family, model: str, subject: str, role: Task) -> list[Finding]:
    """The findings for one endpoint, of a reranker or an embedder. BackendError if it stops answering."""
    report = reporter(subject)

    def written(text: str, use: Role) -> str:
        told = instruction_for(family, choice, use) if role == "embedder" else ""
        return embedding_prompt(family, Content("text", text), use, told)

    (query,) = _vectors(client, model, {"input": [written(QUERY, "query")]})
    lengths = np.linalg.norm(query, axis=1)
    verdict: Verdict = "ok" if np.abs(lengths - 1).max() <= UNIT else "failed"
    detail = f"{query.shape[0]} vectors of {query.shape[1]} numbers, lengths {lengths.min():.3f} … {lengths.max():.3f}"
    found = [report("vectors of tokens", verdict, detail, "" if verdict == "ok" else REMEDY)]
    texts = [written(text, "document") for text in (RELEVANT, *OTHERS)]
    documents = _vectors(client, model, {"input": texts})
    (alone,) = _vectors(client, model, {"input": texts[:1]})
    scores = [max_sim(query, one) for one in (alone, *documents)]
    apart = abs(scores[0] - scores[1])
    same: Verdict = "ok" if apart <= UNIT else "failed"
    remedy = "" if same == "ok" else "a score must not depend on its neighbours"
    found.append(report("alone and in a batch", same, f"scores differ by {apart:.4f}", remedy))
    found.append(_picture(report, client, family, model))
    return [*found, known_pair(report, scores[1], max(scores[2:]))]


def _picture(report: Any, client: httpx.Client, family: Family, model: str) -> Finding:
    shown = media_parts(picture(), family.pixels[1])
    try:
        (vectors,) = _vectors(client, model, dict(embedding_request(family, shown, "")))
    except BackendError as error:
        refused: Finding = report("picture", "failed", f"the server refuses a picture: {error.what}", REMEDY)
        return refused
    least = picture_tokens(family)
    verdict: Verdict = "ok" if len(vectors) > least else "failed"
    detail = f"{len(vectors)} vectors, of which {least} are of pixels"
    finding: Finding = report("picture", verdict, detail, "" if verdict == "ok" else REMEDY)
    return finding


def _vectors(client: httpx.Client, model: str, asked: dict[str, Any]) -> list[Vectors]:
    """The vectors of each input, float32 (tokens, dim). BackendError if there are none."""
    answer = ask(client, PATH, {"model": model, "task": "token_embed", **asked})
    try:
        rows = sorted(answer["data"], key=lambda row: int(row["index"]))
        found = [np.array(row["data"], dtype=np.float32) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError(f"{client.base_url}: {PATH} returned no vectors: {str(answer)[:200]}", remedy=REMEDY) from error
    if not found or any(one.ndim != 2 or not one.size or not np.isfinite(one).all() for one in found):
        raise BackendError(f"{client.base_url}: {PATH} returned no vectors of tokens", remedy=REMEDY)
    return found
