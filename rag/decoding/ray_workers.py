"""Reader processes on the machines of a Ray cluster: `rag index --on ray` or `--on ray://HOST:10001`.

Knows Ray; knows no job and no index. Ray finds the machines, starts an actor for each reader and says when one is lost; what
reads files there is the confined process that reads them here.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rag.decoding.cost_limits import CostLimits
from rag.decoding.ray_reader import Heard, Reader, Started, code_version
from rag.decoding.worker_process import Died, Lost, NotStarted
from rag.errors import BackendError, MissingExtra

_SECONDS_TO_START = 60.0  # until a machine has a free core and the process runs
_SECONDS_TO_KNOCK = 10.0
_LOST = "the machine that read it is gone"


@contextmanager
def cluster(place: str) -> Iterator[RayWorkers]:
    """The readers of a cluster: `ray` is the one of RAY_ADDRESS, else one on this machine alone.

    Raises MissingExtra where Ray is not installed, and BackendError where no cluster answers.
    """
    try:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing of ours reports to others
        import ray
    except ImportError as error:
        raise MissingExtra("Ray is not installed, which is needed to read files on a cluster", "ray") from error
    if place != "ray" and not place.startswith("ray://"):
        raise BackendError(f"{place!r} is no place to read files on", remedy="give --on ray, or --on ray://HOST:10001")
    address = place if place.startswith("ray://") else os.environ.get("RAY_ADDRESS") or None
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
    except (OSError, RuntimeError, ValueError) as error:
        remedy = "start it (ray start --head), or correct the address"
        raise BackendError(f"no Ray cluster answers at {address or place}: {_first_line(error)}", remedy=remedy) from error
    resources: Any = ray.cluster_resources
    workers = RayWorkers(max(1, int(resources().get("CPU", 1))))
    try:
        yield workers
    finally:
        workers.close()
        ray.shutdown()


def _knock(address: str | None) -> None:
    """OSError where nothing listens there: Ray ends this process when it finds no cluster at a HOST:PORT."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_KNOCK).close()


class RayWorkers:
    """One reader for each core of the cluster, unless fewer are asked for."""

    def __init__(self, cores: int) -> None:
        self.count = cores
        self._closed = threading.Event()

    def take(self, memory: int) -> RayWorker:
        """A new one: those of a cluster are not kept between jobs of different runs."""
        return self.fresh(memory)

    def fresh(self, memory: int) -> RayWorker:
        """A new one, on the machine with most room. NotStarted."""
        return RayWorker(memory, self._closed)

    def keep(self, worker: Any) -> None:
        """Ends it."""
        worker.end()

    def close(self) -> None:
        """Threads that wait for a free core get NotStarted."""
        self._closed.set()


class RayWorker:
    """One actor and its process; `rag.decoding.workers.Worker` has the laws."""

    def __init__(self, memory: int, closed: threading.Event) -> None:
        import ray

        self.memory, self.jobs = memory, 0
        self._to_tell: tuple[object, float] | None = None  # travels with the question for the answer: one call for a small job
        self._heard: deque[Any] = deque()
        self._last = Heard([])
        try:
            self._actor = actor_class().remote(memory)
            started = self._started(self._actor.start.remote(code_version()), closed)
        except ray.exceptions.RayError as error:
            raise NotStarted(_first_line(error)) from error
        self.machine, self.missing = started.machine, started.missing
        if started.refused:
            self.end()
            raise NotStarted(started.refused)

    def tell(self, message: object, seconds: float, descriptors: Sequence[int] = ()) -> None:
        """Takes a message, which is sent when its answer is heard. Open files do not travel between machines."""
        assert not descriptors
        self._to_tell = message, seconds

    def hear(self, limits: CostLimits) -> Any:
        """The next message. Died."""
        if not self._heard and self._last.died is None:
            self._last = self._talk(limits)
            self._heard.extend(self._last.answers)
        if self._heard:
            return self._heard.popleft()
        assert self._last.died is not None
        raise Died(*self._last.died)

    def is_worn(self) -> bool:
        """Whether it should read nothing more, as it said with its last answer."""
        return self._last.worn

    def strike(self) -> None:
        """Kills the actor, and its process with it."""
        import ray

        with suppress(Exception):  # it is gone, or the cluster is
            ray.kill(self._actor)

    def end(self) -> None:
        """Frees its core."""
        self.strike()

    def _started(self, answer: Any, closed: threading.Event) -> Started:
        import ray

        end = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < end and not closed.is_set():
            if ray.wait([answer], timeout=0.5)[0]:
                started: Started = ray.get(answer)
                return started
        return Started("", f"no core of the cluster was free within {_SECONDS_TO_START:g} s (--jobs names fewer readers)")

    def _talk(self, limits: CostLimits) -> Heard:
        import ray

        message, self._to_tell = self._to_tell, None
        try:
            heard: Heard = ray.get(self._actor.talk.remote(message, limits))
        except ray.exceptions.RayError as error:
            raise Lost(_LOST) from error
        except ConnectionError as error:  # to the cluster itself
            raise Lost(f"the Ray cluster is gone: {_first_line(error)}") from error
        return heard


def actor_class() -> Any:
    """The reader as Ray starts it: one core each, spread over the machines, never restarted behind our back."""
    import ray

    return ray.remote(Reader).options(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
