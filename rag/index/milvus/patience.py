"""How long a run goes on asking a Milvus that cannot be reached: a network that comes back within a minute ends no run.

Knows calls that may be made twice, and clocks; knows no collection. Whoever searches does not wait: a page says at once what is
wrong.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from rag.errors import IndexFailure

SECONDS = 60.0  # from the first call that reached nothing, as of model servers
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 3.0
_NOT_CONNECTED = 2  # what pymilvus calls a server that it cannot connect to


class Patience:
    """Shared by the threads of one connection. Once it ended, calls fail at once, until one is answered."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._since: float | None = None  # when nothing could be reached any more
        self._lock = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Calls wait for a server that is away, while the `with` lasts."""
        before, self._seconds = self._seconds, SECONDS
        try:
            yield
        finally:
            self._seconds = before

    def answered(self) -> None:
        """Notes that a call was answered."""
        self._since = None

    def pause(self, attempt: int) -> bool:
        """After a call that reached nothing: True after a while, False where there is no patience left."""
        with self._lock:
            now = time.monotonic()
            self._since = self._since or now
            seconds = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
            if now + seconds > self._since + self._seconds:
                return False
        time.sleep(seconds)
        return True


class Patient(Protocol):
    """Whose calls are persistent."""

    patience: Patience


Self = TypeVar("Self", bound=Patient)
Given = ParamSpec("Given")
Result = TypeVar("Result")


def persistent(call: Callable[Concatenate[Self, Given], Result]) -> Callable[Concatenate[Self, Given], Result]:
    """The method, which may be called twice, called again while it reaches nothing and its owner has patience."""

    @functools.wraps(call)
    def called(owner: Self, /, *args: Given.args, **named: Given.kwargs) -> Result:
        attempt = 0
        while True:
            try:
                found = call(owner, *args, **named)
            except IndexFailure as error:
                if not is_unreachable(error.__cause__) or not owner.patience.pause(attempt):
                    raise
                attempt += 1
            else:
                owner.patience.answered()
                return found

    return called


def is_unreachable(error: BaseException | None) -> bool:
    """Whether pymilvus' error says that the server could not be reached."""
    code: Any = getattr(error, "code", None)
    if callable(code):
        code = code()
    return bool(code == _NOT_CONNECTED or getattr(code, "name", "") == "UNAVAILABLE")
