"""GET /metrics for Prometheus: requests, search stages, the queue, indexes, model errors and jobs.

Knows counters; does not know how the values arise. Names end in their unit; labels contain no words of documents or queries.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import BackendError, RagError
from rag.indexing.live_run import live_run

if TYPE_CHECKING:
    from rag.api.jobs import Jobs
    from rag.api.library import IndexLibrary
    from rag.api.thread_pool import RequestPool

disable_created_metrics()  # type: ignore[no-untyped-call]  # it would add a second series to each counter

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST
_RATES = {
    "documents_per_second": "Documents per second",
    "passages_per_second": "Passages per second",
    "megabytes_per_second": "10⁶ bytes read per second",
    "tokens_per_second": "Tokens given to the model per second (an estimate)",
}


class Meters:
    """The metrics of this server, in a registry of their own."""

    def __init__(self, library: IndexLibrary, request_pool: RequestPool, jobs: Jobs) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = Counter("rag_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry)
        self.seconds = Histogram(
            "rag_request_seconds",
            "From a request to the end of its response.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.stages = Histogram(
            "rag_stage_seconds", "Each stage of a search.", ("stage",), buckets=_BUCKETS, registry=self.registry
        )
        self.model_errors = Counter("rag_model_errors", "Failures of a model or its server.", ("code",), registry=self.registry)
        self.registry.register(_Gauges(library, request_pool, jobs))

    def text(self) -> bytes:
        """The metrics in the text format of Prometheus."""
        return generate_latest(self.registry)

    def count_search(self, seconds: Mapping[str, float]) -> None:
        """Records the seconds of each stage of a search; `total` is in `rag_request_seconds`."""
        for stage, one in seconds.items():
            if stage != "total":
                self.stages.labels(stage).observe(one)

    def count_error(self, error: BackendError, code: str) -> None:
        """Counts a failure of a model under its error code."""
        self.model_errors.labels(code).inc()


class _Gauges:
    """Values that are read when they are scraped: the queue, the indexes, the jobs."""

    def __init__(self, library: IndexLibrary, request_pool: RequestPool, jobs: Jobs) -> None:
        self._library, self._request_pool, self._jobs = library, request_pool, jobs

    def collect(self) -> Iterable[Metric]:
        """The current values. An index that cannot be read is left out: searching it says why."""
        inside = self._request_pool.inside
        yield _gauge("rag_answering", "Requests being answered.", min(inside, self._request_pool.threads))
        yield _gauge("rag_waiting", "Requests waiting in the queue.", max(0, inside - self._request_pool.threads))
        documents = GaugeMetricFamily("rag_index_documents", "Documents in an index.", labels=("index",))
        passages = GaugeMetricFamily("rag_index_passages", "Passages in an index.", labels=("index", "kind"))
        size = GaugeMetricFamily("rag_index_bytes", "Size of an index on disk.", labels=("index",))
        generation = GaugeMetricFamily("rag_index_generation", "Number of the last commit of an index.", labels=("index",))
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
        done = GaugeMetricFamily("rag_job_documents_done", "Documents that the newest job has finished.", labels=("index",))
        total = GaugeMetricFamily("rag_job_documents", "Documents that the newest job has to process.", labels=("index",))
        rates = {
            name: GaugeMetricFamily(f"rag_job_{name}", f"{meaning} in a running job.", labels=("index",))
            for name, meaning in _RATES.items()
        }
        left = GaugeMetricFamily("rag_job_seconds_left", "Estimated time left of a running job.", labels=("index",))
        waiting = GaugeMetricFamily(
            "rag_job_waiting_ratio",
            "Share of its time that a stage of a running job waits for the others; the stage that waits least is the bottleneck.",
            labels=("index", "stage"),
        )
        readers = GaugeMetricFamily(
            "rag_job_readers", "Processes that read files for a running job.", labels=("index", "machine")
        )
        for name in self._library.names:
            is_running, progress = self._run(name)
            running.add_metric((name,), float(is_running))
            if progress is not None:
                done.add_metric((name,), float(progress.get("done", 0)))
                total.add_metric((name,), float(progress.get("total", 0)))
            if progress is not None and is_running:
                for rate, family in rates.items():
                    family.add_metric((name,), float(progress.get(rate, 0)))
                if progress.get("seconds_left") is not None:
                    left.add_metric((name,), float(progress["seconds_left"]))
                for stage, share in progress.get("stages", {}).items():
                    waiting.add_metric((name, stage), float(share))
                for machine, count in progress.get("readers", {}).items():
                    readers.add_metric((name, machine), float(count))
        yield from (running, done, total, *rates.values(), left, waiting, readers)

    def _run(self, name: str) -> tuple[bool, Mapping[str, Any] | None]:
        """Whether an index is being brought up to date, and the progress of that, or of the newest job here.

        A run that somebody started in a terminal of this machine counts too.
        """
        job = self._jobs.of(name)
        if job is not None and job.state == "running":
            return True, job.progress
        outside = live_run(self._library.room(name).place)
        if outside is not None:
            return True, outside.progress
        return False, None if job is None else job.progress


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

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            route = _route(scope)
            self._meters.requests.labels(route, _method(scope), str(status)).inc()
            self._meters.seconds.labels(route).observe(time.perf_counter() - started)


def _route(scope: Scope) -> str:
    """The path of the route as declared; `page` for everything mounted, `none` if no route matches."""
    path = getattr(scope.get("route"), "path_format", None) or getattr(scope.get("route"), "path", None)
    return str(path) if path else "page" if "endpoint" in scope else "none"


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)
