"""One response of server-sent events, read as it arrives: the JSON of each event, until the server says that it is done.

Knows HTTP and the frame of an event; knows no model and not what an event means.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any

from rag.backends.server.connection import Connection, Unconnected
from rag.backends.server.exchange import FEW_ATTEMPTS, TransientFailure, parsed, read_body, unreachable
from rag.backends.server.sanitize import shown
from rag.errors import BackendError

LINE_BYTES = 1_000_000  # the longest line; an event of a chat model has some hundred bytes
DONE = b"[DONE]"
BROKEN_REMEDY = "look at the server's log, and ask again"


class EventStream:
    """The events of one response, in order. For one thread, except `abort`. Close it, or read it to its end."""

    def __init__(self, place: str, connection: Connection, response: HTTPResponse, seconds: float) -> None:
        """`seconds`: how long the next event may take."""
        self.place = place
        self._connection, self._response, self._seconds = connection, response, seconds
        self.is_complete = False  # the server has said that nothing follows
        self.is_aborted = False
        self._closed = False

    def __iter__(self) -> Iterator[Any]:
        """The JSON of each event, to the end of the response. BackendError if it breaks off, falls silent, or is no JSON."""
        try:
            for line in self._lines():
                if not line.startswith(b"data:"):
                    continue  # an empty line, a comment, or the name of an event
                content = line[5:].strip()
                if content == DONE:
                    self.is_complete = True
                    return
                yield self._parsed(content)
        finally:
            self.close()

    def abort(self) -> None:
        """Ends the stream, from any thread: a server that notices the closed connection stops generating."""
        self._closed = self.is_aborted = True
        self._connection.abort()

    def close(self) -> None:
        """Closes the connection; the events after it are lost."""
        self._closed = True
        self._connection.close()

    def _lines(self) -> Iterator[bytes]:
        while not self._closed:
            self._connection.extend(time.monotonic() + self._seconds)
            try:
                line = self._response.readline(LINE_BYTES + 1)
            except TimeoutError as error:
                raise BackendError(
                    f"{self.place} sent nothing for {self._seconds:g} s in the middle of an answer",
                    remedy="look at its log; RAG_TIMEOUT gives it more time",
                ) from error
            except (OSError, HTTPException, ValueError) as error:
                if self._closed:
                    return
                what = f"{self.place} broke off in the middle of an answer: {shown(str(error)) or type(error).__name__}"
                raise BackendError(what, remedy=BROKEN_REMEDY) from error
            if len(line) > LINE_BYTES:
                raise BackendError(
                    f"{self.place} sent an event of more than {LINE_BYTES // 1_000_000} MB",
                    remedy="is it the address of a chat model?",
                )
            if not line:
                return
            yield line

    def _parsed(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            said = shown(content.decode("utf-8", "replace"))
            raise BackendError(f"{self.place} sent an event that is not JSON: {said}", remedy=BROKEN_REMEDY) from error


def open_events(connection: Connection, path: str, content: bytes, seconds: float) -> EventStream:
    """POSTs the JSON `content` and returns the response once its headers are there, within `seconds`.

    Errors as `exchange`; BackendError for a 200 that is not a stream of events.
    """
    place = connection.route.url + path
    try:
        response = connection.request(path, content, time.monotonic() + seconds)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.status == 200 and kind == "text/event-stream":
            return EventStream(place, connection, response, seconds)
        received = read_body(response, place)
    except Unconnected as unconnected:
        raise unreachable(place, unconnected.__cause__) from unconnected
    except TimeoutError as error:
        raise TransientFailure(f"did not answer within {seconds:g} s", attempts=FEW_ATTEMPTS, overloaded=True) from error
    except (OSError, HTTPException) as error:
        raise TransientFailure(f"broke off the exchange: {shown(str(error)) or type(error).__name__}") from error
    answer = parsed(place, response, received)  # raises for every status but 200
    raise BackendError(
        f"{answer.place} answered at once instead of streaming: {shown(str(answer.content))}",
        remedy="use a server that streams answers (`stream: true`), such as vLLM or llama-server",
    )
