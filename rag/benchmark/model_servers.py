"""Measures an embedder and a reranker behind servers, with the requests that indexing and searching send them.

Knows the server backend, random inputs and loads; knows no terminal.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from rag.backends.base import Choice
from rag.backends.server.client import Endpoints, RetryPolicy
from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.model_info import look
from rag.backends.server.reranker import ServerReranker
from rag.backends.server.text_tokens import TextTokens
from rag.benchmark.inputs import RandomTexts, as_contents, random_picture
from rag.benchmark.load import ClosedLoop, Pattern, put_under_load
from rag.benchmark.measurement import CacheHits, Measurement, in_words, middle
from rag.benchmark.peak import share_of_peak, weights_met
from rag.benchmark.server_caches import hits_between, read_counters
from rag.benchmark.token_usage import TokenUsage, UsageTally
from rag.errors import BackendError, WrongRequest
from rag.models.loading import Say, silent
from rag.models.run_files import Task
from rag.types import Content

T = TypeVar("T")
ONE_ATTEMPT = RetryPolicy(total=-1, unreachable=-1, first_rest=0, longest_rest=0, longest_retry_after=0, attempts=1)
TIMEOUT = 6 * 3600.0  # seconds, as `vllm bench serve` waits: all requests may be sent at once
WARM_UP = 8  # requests that are not measured
OTHER_FILES = 128  # open ones besides the connections


@dataclass(frozen=True, slots=True)
class Workload:
    """What is sent, how, and beside what the result is put."""

    requests: int = 1_000
    tokens: int = 200  # of a text; of a query and a document together
    pictures: int = 1_000  # requests with pictures, where the model sees; 0: none
    patterns: tuple[Pattern, ...] = (ClosedLoop(1_000),)
    repetitions: int = 1
    peak_tflops: float = 0.0  # of the accelerators together; 0: not known
    parameters: float = 0.0  # billions of weights that each token meets; 0: by the model's name


def measure_embedder(choice: Choice, load: Workload, say: Say = silent) -> Iterator[Measurement]:
    """A measurement of texts, then one of pictures if the model sees, for each pattern. BackendError if the server is no use."""
    run = _Run(choice, load, "embedder", say)
    embedder = ServerEmbedder(run.choice, ONE_ATTEMPT, heard=run.tally.hear)
    sees = "image" in embedder.modalities

    def embed(content: Content) -> object:
        return embedder.embed([content], role="document")

    def texts(count: int) -> Callable[[int], Content]:
        return as_contents(run.texts(load.tokens, count)).__getitem__

    def pictures(count: int) -> Callable[[int], Content]:
        seeds = run.seeds(count)
        return lambda number: random_picture(load.tokens, seeds[number])

    yield from run.measure("embedding texts", embedder.fingerprint.model, sees, load.requests, texts, embed)
    if sees:
        yield from run.measure("embedding pictures", embedder.fingerprint.model, sees, load.pictures, pictures, embed)


def measure_reranker(choice: Choice, load: Workload, say: Say = silent) -> Iterator[Measurement]:
    """The same for a reranker: half of the tokens are the query's, half the document's, and both are fresh in every request."""
    run = _Run(choice, load, "reranker", say)
    reranker = ServerReranker(run.choice, ONE_ATTEMPT, heard=run.tally.hear)
    sees = "image" in reranker.modalities
    half = max(1, load.tokens // 2)

    def score(pair: tuple[Content, Content]) -> object:
        return reranker.score(pair[0], [pair[1]])

    def texts(count: int) -> Callable[[int], tuple[Content, Content]]:
        queries = as_contents(run.texts(half, count))
        return list(zip(queries, as_contents(run.texts(load.tokens - half, count)), strict=True)).__getitem__

    def pictures(count: int) -> Callable[[int], tuple[Content, Content]]:
        queries, seeds = as_contents(run.texts(half, count)), run.seeds(count)
        return lambda number: (queries[number], random_picture(load.tokens - half, seeds[number]))

    yield from run.measure("reranking texts", reranker.name, sees, load.requests, texts, score)
    if sees:
        yield from run.measure("reranking pictures", reranker.name, sees, load.pictures, pictures, score)


class _Run:
    """The measurements of one role."""

    def __init__(self, choice: Choice, load: Workload, role: Task, say: Say) -> None:
        at_once = max(
            (one.users if isinstance(one, ClosedLoop) else load.requests for one in load.patterns), default=load.requests
        )
        self.load, self.say = load, say
        self.choice = replace(choice, in_flight=min(at_once, max(load.requests, load.pictures)), timeout=TIMEOUT)
        _allow_connections(self.choice.in_flight * len(choice.urls))
        self.tally = UsageTally()
        self._random = np.random.default_rng()
        endpoints = Endpoints(self.choice, ONE_ATTEMPT)
        self._counter = TextTokens(endpoints, look(endpoints, self.choice, role))

    def texts(self, tokens: int, count: int) -> list[str]:
        """Fresh random texts."""
        return RandomTexts(tokens, self._counter.count, self._random).make(count)

    def seeds(self, count: int) -> list[int]:
        """So many numbers that no earlier input was drawn from."""
        return [int(seed) for seed in self._random.integers(2**63, size=count)]

    def measure(
        self,
        what: str,
        model: str,
        sees: bool,
        requests: int,
        prepare: Callable[[int], Callable[[int], T]],
        ask: Callable[[T], object],
    ) -> Iterator[Measurement]:
        """For each pattern the repetition of median throughput."""
        if not requests:
            return
        warm_up = put_under_load(prepare(WARM_UP), ask, WARM_UP, ClosedLoop(WARM_UP))
        if not warm_up.waits:
            reason = next(iter(warm_up.failures))
            raise BackendError(f"{what}: no request was answered: {reason}", remedy="`rag doctor` checks the servers")
        for pattern in self.load.patterns:
            self.say(f"{what}: {model}, {requests:,} requests, {in_words(pattern, requests)}")
            found = [self._repetition(what, model, sees, requests, prepare, ask, pattern) for _ in range(self.load.repetitions)]
            yield middle(found)

    def _repetition(
        self,
        what: str,
        model: str,
        sees: bool,
        requests: int,
        prepare: Callable[[int], Callable[[int], T]],
        ask: Callable[[T], object],
        pattern: Pattern,
    ) -> Measurement:
        questions = prepare(requests)
        before = read_counters(self.choice)
        self.tally.take()
        load = put_under_load(questions, ask, requests, pattern)
        usage = self.tally.take()
        hits = _hits(hits_between(before, read_counters(self.choice)), usage)
        told = usage.tokens if load.waits and usage.answers >= len(load.waits) else None
        found = Measurement(what, model, pattern, load, told, hits)
        return replace(found, peak_share=self._share(found, sees))

    def _share(self, found: Measurement, sees: bool) -> float | None:
        weights = 1e9 * self.load.parameters or weights_met(self.choice.model or found.model, sees=sees)
        if not self.load.peak_tflops or not weights or found.tokens is None or not found.completed:
            return None
        computed = (found.tokens - (found.hits.tokens or 0)) / found.load.seconds
        return share_of_peak(weights, computed, self.load.peak_tflops)


def _hits(counted: CacheHits, usage: TokenUsage) -> CacheHits:
    """What either source tells; the larger number where both do."""
    told = [one for one in (counted.tokens, usage.cached) if one is not None]
    return replace(counted, tokens=max(told, default=None))


def _allow_connections(count: int) -> None:
    """Lets this process have so many files open, one for each request under way. WrongRequest if the system does not allow it."""
    wanted = count + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError) as error:  # more than the hard limit, or than the system has
        allowed = soft if hard == resource.RLIM_INFINITY else hard
        raise WrongRequest(
            f"{count} requests at once need {wanted} open files, and this process may have {allowed}",
            remedy=f"send fewer at once: --users {max(1, allowed - OTHER_FILES)}",
        ) from error


def needed(patterns: Sequence[Pattern], requests: int) -> tuple[Pattern, ...]:
    """The patterns, or all requests at once where there are none, as the published measurements send them."""
    return tuple(patterns) or (ClosedLoop(requests),)
