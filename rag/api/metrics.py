"""GET /metrics for Prometheus: requests, stages, the line of waiters, indexes, model errors and jobs.

Knows counters; knows nothing of how the figures come about. Names end in their unit; labels hold no word of any corpus or query.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import BackendError, RagError

if TYPE_CHECKING:
    from rag.api.jobs import Jobs
    from rag.api.library import IndexLibrary
    from rag.api.thread_pool import RequestPool

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody asks for

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST
_RATES = {
    "documents_per_second": "Documents a second",
    "passages_per_second": "Passages a second",
    "megabytes_per_second": "10⁶ bytes read a second",
    "tokens_per_second": "Tokens shown to the model a second, estimated,",
}


class Meters:
    """What this server counts, in a registry of its own."""

    def __init__(self, library: IndexLibrary, request_pool: RequestPool, jobs: Jobs) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = Counter("rag_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry)
        self.seconds = Histogram(
            "rag_request_seconds",
            "From a request to the end of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.stages = Histogram(
            "rag_stage_seconds", "Each stage of a search.", ("stage",), buckets=_BUCKETS, registry=self.registry
        )
        self.model_errors = Counter("rag_model_errors", "Failures of a model or its server.", ("code",), registry=self.registry)
        self.registry.register(_Standing(library, request_pool, jobs))

    def text(self) -> bytes:
        """The figures as Prometheus reads them."""
        return generate_latest(self.registry)

    def saw_search(self, seconds: Mapping[str, float]) -> None:
        """Counts the stages of one search; `total` is left to `rag_request_seconds`."""
        for stage, one in seconds.items():
            if stage != "total":
                self.stages.labels(stage).observe(one)

    def saw_error(self, error: BackendError, code: str) -> None:
        """Counts failures of models."""
        self.model_errors.labels(code).inc()


class _Standing:
    """Figures that are read when they are asked for: the line, the indexes, the jobs."""

    def __init__(self, library: IndexLibrary, request_pool: RequestPool, jobs: Jobs) -> None:
        self._library, self._request_pool, self._jobs = library, request_pool, jobs

    def collect(self) -> Iterable[Metric]:
        """The gauges of this moment. An index that cannot be read is left out: its searches say why."""
        inside = self._request_pool.inside
        yield _gauge("rag_answering", "Questions being answered.", min(inside, self._request_pool.threads))
        yield _gauge("rag_waiting", "Questions in the line.", max(0, inside - self._request_pool.threads))
        documents = GaugeMetricFamily("rag_index_documents", "Documents in an index.", labels=("index",))
        passages = GaugeMetricFamily("rag_index_passages", "Passages in an index.", labels=("index", "kind"))
        size = GaugeMetricFamily("rag_index_bytes", "Size of an index on disk.", labels=("index",))
        generation = GaugeMetricFamily("rag_index_generation", "Commits of an index.", labels=("index",))
        for name in self._library.names:
            try:
                found = self._library.status(name)
            except (RagError, OSError):
                continue
            documents.add_metric((name,), found.documents)
            size.add_metric((name,), found.bytes)
            generation.add_metric((name,), found.generation)
            for kind, count in found.passages.items():
                passages.add_metric((name, kind), count)
        yield from (documents, passages, size, generation)
        yield from self._of_jobs()

    def _of_jobs(self) -> Iterable[Metric]:
        running = GaugeMetricFamily("rag_job_running", "Whether an index is being brought up to date.", labels=("index",))
        done = GaugeMetricFamily("rag_job_documents_done", "Documents the newest job is done with.", labels=("index",))
        total = GaugeMetricFamily("rag_job_documents", "Documents the newest job has to do with.", labels=("index",))
        rates = {
            name: GaugeMetricFamily(f"rag_job_{name}", f"{meaning} of a running job.", labels=("index",))
            for name, meaning in _RATES.items()
        }
        left = GaugeMetricFamily("rag_job_seconds_left", "Estimated, of a running job.", labels=("index",))
        waiting = GaugeMetricFamily(
            "rag_job_waiting_ratio",
            "Share of its time that a stage of a running job waits for another: that with the least holds them back.",
            labels=("index", "stage"),
        )
        for name in self._library.names:
            job = self._jobs.of(name)
            is_running = job is not None and job.state == "running"
            running.add_metric((name,), float(is_running))
            if job is not None:
                done.add_metric((name,), float(job.seen.get("done", 0)))
                total.add_metric((name,), float(job.seen.get("total", 0)))
            if job is not None and is_running:
                for rate, family in rates.items():
                    family.add_metric((name,), float(job.seen.get(rate, 0)))
                if job.seen.get("seconds_left") is not None:
                    left.add_metric((name,), float(job.seen["seconds_left"]))
                for stage, share in job.seen.get("stages", {}).items():
                    waiting.add_metric((name, stage), float(share))
        yield from (running, done, total, *rates.values(), left, waiting)


class Counted:
    """ASGI middleware: counts and times every request under the route that answered it."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app, self._meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            route = _route(scope)
            self._meters.requests.labels(route, _method(scope), str(status)).inc()
            self._meters.seconds.labels(route).observe(time.perf_counter() - started)


def _route(scope: Scope) -> str:
    """The path of our route as it is declared; `page` for all that is mounted, `none` for what no route takes."""
    path = getattr(scope.get("route"), "path_format", None) or getattr(scope.get("route"), "path", None)
    return str(path) if path else "page" if "endpoint" in scope else "none"


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)
