"""Sends small requests to a model server, in the form of vLLM's API, and defines what a finding is.

Knows requests and responses; knows no prompt, and judges nothing.
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
UNVERSIONED = "/rerank"  # TEI has only this path, with `texts`
WRONG_ROLE_REMEDIES = {  # for a server without the path that its role needs
    "/v1/embeddings": "it does not embed: name a reranker with --reranker-url, and serve an embedder with `rag serve embedder`",
    UNVERSIONED: "it does not rerank: name an embedder with --url, and serve a reranker with `rag serve reranker`",
}
LONGEST_TIMEOUT = 60.0  # seconds for a small request; the first one may compile kernels


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: where, what, the verdict, the figures, and what to do."""

    subject: str  # "machine", "vllm", or the role and URL of an endpoint
    check: str
    verdict: Verdict
    detail: str
    remedy: str = ""


Report = Callable[[str, Verdict, str, str], Finding]  # (check, verdict, detail, remedy) of one subject


@dataclass(frozen=True, slots=True)
class Models:
    """What an endpoint says about itself. Empty and 0: it does not say."""

    names: tuple[tuple[str, str], ...]  # (the name to ask for, the model behind it)
    max_model_len: int
    version: str
    owner: str = ""  # the program, as vLLM (`vllm`) and llama.cpp (`llamacpp`) name themselves


def reporter(subject: str) -> Report:
    """A function that makes findings about one subject."""
    return lambda check, verdict, detail, remedy: Finding(subject, check, verdict, detail, remedy)


@contextmanager
def talking(choice: Choice, url: str) -> Iterator[httpx.Client]:
    """A client for one endpoint; addresses of this machine bypass the proxies in the environment.

    WrongRequest if `ca_bundle` holds no certificates.
    """
    import ssl

    import httpx

    try:
        trusted: ssl.SSLContext | bool = ssl.create_default_context(cafile=choice.ca_bundle) if choice.ca_bundle else True
    except OSError as error:
        raise WrongRequest(
            f"{choice.ca_bundle} holds no certificates: {error}", remedy="set ca_bundle to a file in PEM format"
        ) from error
    local = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    key = {"Authorization": f"Bearer {choice.api_key}"} if choice.api_key else {}
    timeout = min(choice.timeout, LONGEST_TIMEOUT)
    with httpx.Client(base_url=url.rstrip("/"), headers=key, timeout=timeout, verify=trusted, trust_env=not local) as client:
        yield client


def models_of(client: httpx.Client) -> Models:
    """GET /v1/models and /version, or TEI's /info, if the server has them. BackendError if it does not answer."""
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
    names = tuple((str(row.get("id", "")), str(row.get("root") or "")) for row in rows)
    return Models(names, length, version, str(rows[0].get("owned_by", "")) if rows else "")


def _models_of_tei(client: httpx.Client) -> Models:
    try:
        info = ask(client, "/info")
    except BackendError:
        return Models((), 0, "")
    name, length = info.get("model_id"), info.get("max_input_length")
    names = ((name, ""),) if isinstance(name, str) and name else ()
    return Models(names, length if isinstance(length, int) else 0, "")


def count_tokens(client: httpx.Client, model: str, prompt: str, *, special: bool) -> int | None:
    """The tokens of a prompt by the server's tokenizer, with or without those that it adds; None if there is no /tokenize."""
    try:
        answer = ask(client, "/tokenize", {"model": model, "prompt": prompt, "add_special_tokens": special})
    except NotOffered:
        return None
    count = answer.get("count")
    return count if isinstance(count, int) else None


def embed(client: httpx.Client, body: Mapping[str, Any]) -> tuple[list[list[float]], int]:
    """POST /v1/embeddings: vectors in the order of their `index`, and the prompt tokens used (0: not reported).

    BackendError if the vectors are missing, empty, zero or not finite.
    """
    answer = ask(client, "/v1/embeddings", {"encoding_format": "float", **body})
    try:
        rows = sorted(answer["data"], key=lambda row: int(row["index"]))
        vectors = [[float(number) for number in row["embedding"]] for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError(f"{client.base_url}: /v1/embeddings returned no vectors: {str(answer)[:200]}") from error
    if not vectors or not all(vector and all(map(math.isfinite, vector)) and any(vector) for vector in vectors):
        raise BackendError(f"{client.base_url}: /v1/embeddings returned empty, zero or non-finite vectors")
    return vectors, _prompt_tokens(answer)


def rerank(client: httpx.Client, body: Mapping[str, Any], path: str = RERANK) -> tuple[list[float], int]:
    """POST /v1/rerank, or UNVERSIONED: scores in the order of the documents, and the prompt tokens used (0: not reported).

    BackendError if a score is missing or not finite.
    """
    answer = ask(client, path, {**body, "texts": body["documents"]} if path == UNVERSIONED else body)
    try:
        rows = sorted(answer["results"], key=lambda row: int(row["index"]))
        scores = [float(row["relevance_score"] if "relevance_score" in row else row["score"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError(f"{client.base_url}: {path} returned no scores: {str(answer)[:200]}") from error
    if len(scores) != len(body["documents"]) or not all(map(math.isfinite, scores)):
        raise BackendError(f"{client.base_url}: {path} returned {len(scores)} scores for {len(body['documents'])} documents")
    return scores, _prompt_tokens(answer)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors that are not zero; 0 if their dimensions differ."""
    if len(one) != len(other):
        return 0.0
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


class NotOffered(BackendError):
    """The endpoint does not have this path."""


def ask(client: httpx.Client, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Sends one request (POST with a body, else GET) and returns its JSON object; a bare list is put under `results`.

    NotOffered for 404, 405 and 501; BackendError, with the server's message, for any other failure.
    """
    import httpx

    where = f"{str(client.base_url).rstrip('/')}{path}"
    try:
        answer = client.get(path) if body is None else client.post(path, json=body)
        message = " ".join(answer.text[:300].split())
        found = answer.json() if answer.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unanswered(where, error) from error
    except ValueError as error:
        raise BackendError(
            f"{where} did not answer with JSON", remedy="check that this is the address of a model server"
        ) from error
    if answer.status_code in (404, 405, 501):
        remedy = WRONG_ROLE_REMEDIES.get(path, "")
        raise NotOffered(f"{where} does not exist ({answer.status_code}: {message})", remedy=remedy)
    if answer.status_code in (401, 403):
        raise BackendError(
            f"{where} refuses the API key ({answer.status_code})", remedy="set the key that the server expects: RAG_API_KEY"
        )
    if isinstance(found, list):
        return {"results": found}
    if not isinstance(found, dict):
        raise BackendError(f"{where} answered {answer.status_code}: {message}")
    return found


def _unanswered(where: str, error: Exception) -> BackendError:
    """Why there was no answer, and what to do about it."""
    import httpx

    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return BackendError(f"{where} is not an http:// or https:// address", remedy="write it as http://HOST:PORT")
    if untrusted(error):
        why = f"{where}: the server's certificate is not trusted: {error}"
        return BackendError(why, remedy="name the certificates to trust: RAG_CA_BUNDLE")
    if isinstance(error, httpx.ConnectError):
        why = f"{where} cannot be reached: {why_unreachable(error)}"
        return BackendError(why, remedy="check that the server is running, and its address")
    if isinstance(error, httpx.TimeoutException):
        why = f"{where} did not answer in time"
        return BackendError(why, remedy="it may be busy or still loading its model; RAG_TIMEOUT gives it more time")
    return BackendError(f"{where} broke off the exchange: {error or type(error).__name__}", remedy="look at its log")


def _prompt_tokens(answer: Mapping[str, Any]) -> int:
    usage = answer.get("usage")
    counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return counted if isinstance(counted, int) else 0
