"""A model server asked small questions over HTTP, and what was found. The shapes are those of vLLM's API.

Knows requests and answers; knows no prompt and judges nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from rag.backends.base import Choice
from rag.backends.server.exchange import untrusted, why_unreachable
from rag.errors import BackendError, WrongRequest

if TYPE_CHECKING:
    import httpx

Verdict = Literal["ok", "warning", "failed", "skipped"]

RERANK = "/v1/rerank"
OLDER = "/rerank"  # all that TEI has: the query and `texts`
ELSEWHERE = {  # what to do where a server does not have the one path that its role needs
    "/v1/embeddings": "it embeds nothing: name a reranker with --reranker-url, and serve an embedder with `rag serve embedder`",
    OLDER: "it reranks nothing: name an embedder with --url, and serve a reranker with `rag serve reranker`",
}
LONGEST = 60.0  # seconds a small question may take; a first request may compile kernels


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: where, what, how it stands, the figures, and what to do."""

    subject: str  # "machine", "vllm", or the role and URL of an endpoint
    check: str
    verdict: Verdict
    detail: str
    remedy: str = ""


Report = Callable[[str, Verdict, str, str], Finding]  # (check, verdict, detail, remedy) of one subject


@dataclass(frozen=True, slots=True)
class Models:
    """What an endpoint says of itself. Empty and 0: it does not tell."""

    names: tuple[tuple[str, str], ...]  # (the name to ask for, the model behind it)
    max_model_len: int
    version: str


def reporter(subject: str) -> Report:
    """What makes findings about one subject."""
    return lambda check, verdict, detail, remedy: Finding(subject, check, verdict, detail, remedy)


@contextmanager
def talking(choice: Choice, url: str) -> Iterator[httpx.Client]:
    """A client for one endpoint. Proxies of the environment are not asked for addresses of this machine.

    WrongRequest where `ca_bundle` holds no certificates.
    """
    import ssl

    import httpx

    try:
        trusted: ssl.SSLContext | bool = ssl.create_default_context(cafile=choice.ca_bundle) if choice.ca_bundle else True
    except OSError as error:
        raise WrongRequest(f"{choice.ca_bundle} holds no certificates: {error}", remedy="correct ca_bundle") from error
    local = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    key = {"Authorization": f"Bearer {choice.api_key}"} if choice.api_key else {}
    patience = min(choice.timeout, LONGEST)
    with httpx.Client(base_url=url.rstrip("/"), headers=key, timeout=patience, verify=trusted, trust_env=not local) as client:
        yield client


def models_of(client: httpx.Client) -> Models:
    """GET /v1/models and /version, or TEI's /info, where there are such routes. BackendError where it does not answer."""
    try:
        listed = ask(client, "/v1/models")
    except NotOffered:
        return _models_of_tei(client)
    rows = [row for row in listed.get("data", ()) if isinstance(row, dict)]
    length = next((row["max_model_len"] for row in rows if isinstance(row.get("max_model_len"), int)), 0)
    try:
        version = str(ask(client, "/version").get("version", ""))
    except BackendError:
        version = ""
    return Models(tuple((str(row.get("id", "")), str(row.get("root") or "")) for row in rows), length, version)


def _models_of_tei(client: httpx.Client) -> Models:
    try:
        told = ask(client, "/info")
    except BackendError:
        return Models((), 0, "")
    name, length = told.get("model_id"), told.get("max_input_length")
    names = ((name, ""),) if isinstance(name, str) and name else ()
    return Models(names, length if isinstance(length, int) else 0, "")


def count_tokens(client: httpx.Client, model: str, prompt: str, *, special: bool) -> int | None:
    """How many tokens the server makes of a prompt, with or without those its tokenizer adds; None where it has no /tokenize."""
    try:
        answer = ask(client, "/tokenize", {"model": model, "prompt": prompt, "add_special_tokens": special})
    except NotOffered:
        return None
    count = answer.get("count")
    return count if isinstance(count, int) else None


def embed(client: httpx.Client, body: Mapping[str, Any]) -> tuple[list[list[float]], int]:
    """POST /v1/embeddings: vectors in the order of their `index`, and the prompt tokens (0: not told).

    BackendError where the vectors are missing, empty, zero or not finite.
    """
    answer = ask(client, "/v1/embeddings", {"encoding_format": "float", **body})
    try:
        rows = sorted(answer["data"], key=lambda row: int(row["index"]))
        vectors = [[float(number) for number in row["embedding"]] for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError(f"{client.base_url}: /v1/embeddings answered no vectors: {str(answer)[:200]}") from error
    if not vectors or not all(vector and all(map(math.isfinite, vector)) and any(vector) for vector in vectors):
        raise BackendError(f"{client.base_url}: /v1/embeddings answered empty, zero or not finite vectors")
    return vectors, _prompt_tokens(answer)


def rerank(client: httpx.Client, body: Mapping[str, Any], path: str = RERANK) -> tuple[list[float], int]:
    """POST /v1/rerank, or OLDER: scores in the order of the documents sent, and the prompt tokens (0: not told).

    BackendError where a score is missing or not finite.
    """
    answer = ask(client, path, {**body, "texts": body["documents"]} if path == OLDER else body)
    try:
        rows = sorted(answer["results"], key=lambda row: int(row["index"]))
        scores = [float(row["relevance_score"] if "relevance_score" in row else row["score"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError(f"{client.base_url}: {path} answered no scores: {str(answer)[:200]}") from error
    if len(scores) != len(body["documents"]) or not all(map(math.isfinite, scores)):
        raise BackendError(f"{client.base_url}: {path} answered {len(scores)} scores for {len(body['documents'])} documents")
    return scores, _prompt_tokens(answer)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors; 0 where their lengths differ."""
    if len(one) != len(other):
        return 0.0
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


class NotOffered(BackendError):
    """The endpoint has no such route."""


def ask(client: httpx.Client, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One question, its JSON object; a bare list stands under `results`.

    NotOffered for 404, 405 and 501; BackendError, with what the server said, for the rest.
    """
    import httpx

    where = f"{str(client.base_url).rstrip('/')}{path}"
    try:
        answer = client.get(path) if body is None else client.post(path, json=body)
        said = " ".join(answer.text[:300].split())
        found = answer.json() if answer.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unanswered(where, error) from error
    except ValueError as error:
        raise BackendError(f"{where} answered no JSON", remedy="is that the address of a model server?") from error
    if answer.status_code in (404, 405, 501):
        raise NotOffered(f"{where} is not offered ({answer.status_code}: {said})", remedy=ELSEWHERE.get(path, ""))
    if answer.status_code in (401, 403):
        raise BackendError(f"{where} refuses the key ({answer.status_code})", remedy="set api_key (RAG_API_KEY)")
    if isinstance(found, list):
        return {"results": found}
    if not isinstance(found, dict):
        raise BackendError(f"{where} answered {answer.status_code}: {said}")
    return found


def _unanswered(where: str, error: Exception) -> BackendError:
    """What kept the answer away, and what to do about it."""
    import httpx

    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return BackendError(f"{where} is no address of a server", remedy="write it as http://HOST:PORT")
    if untrusted(error):
        why = f"{where}: the server's certificate is not trusted: {error}"
        return BackendError(why, remedy="name the certificates to trust: RAG_CA_BUNDLE")
    if isinstance(error, httpx.ConnectError):
        why = f"{where} cannot be connected to: {why_unreachable(error)}"
        return BackendError(why, remedy="is the server running, and is that its address?")
    if isinstance(error, httpx.TimeoutException):
        why = f"{where} did not answer in time"
        return BackendError(why, remedy="is it busy, or still loading its model? RAG_TIMEOUT gives it more time")
    return BackendError(f"{where} broke off: {error or type(error).__name__}", remedy="look at its log")


def _prompt_tokens(answer: Mapping[str, Any]) -> int:
    usage = answer.get("usage")
    counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return counted if isinstance(counted, int) else 0
