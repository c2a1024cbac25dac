"""One request to one endpoint: its answer, a failure that may pass, or a refusal, each in words a person can use.

Knows HTTP; knows no other endpoint, no second attempt, and not what an answer means.
"""

from __future__ import annotations

import email.utils
import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from typing import Any

from rag.backends.server.connection import Connection, Unconnected
from rag.backends.server.sanitize import SHOWN, shown
from rag.errors import BackendError

BODY_BYTES = 64_000_000  # of an answer: 32 vectors of 4,096 numbers are 3 MB as JSON
PART_BYTES = 65_536  # read at once of an answer that does not say how long it is
FEW = 3  # attempts where the same request may well fail the same way: 500, no answer in time, half an answer
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
CROWDED = frozenset({408, 429, 503, 504})  # of these, what a server answers that has too much to do
ADDRESS = "check that this is the address of a model server; `rag doctor` looks at it"
REMEDIES = {
    400: "the message says what the server does not take",
    401: "set the key the server asks for: RAG_API_KEY",
    403: "set a key that may use this model: RAG_API_KEY",
    404: "check the address and the name of the model; `rag doctor` shows what is served there",
    413: "let the server accept longer requests, or index shorter passages",
}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The JSON of a 200, and where it came from."""

    place: str
    content: Any


class HttpRefusal(BackendError):
    """The server says no to this request: another attempt would not help, a smaller or different one might."""

    def __init__(self, place: str, status: int, message: str, *, what: str = "", remedy: str = "") -> None:
        what = what or f"{place} refused a request ({status}): {message or 'it does not say why'}"
        super().__init__(what, remedy or REMEDIES.get(status, "`rag doctor` looks at the server; its own log says more"))
        self.status = status
        self.message = message


class Passing(Exception):
    """A failure that may go away. Never leaves this room."""

    def __init__(
        self,
        what: str,
        *,
        attempts: int = 0,
        wait: float | None = None,
        unreachable: bool = False,
        broken: str = "",
        crowded: bool = False,
    ) -> None:
        super().__init__(what)
        self.attempts = attempts  # at most, where fewer than usual
        self.wait = wait  # seconds the server asks for
        self.unreachable = unreachable  # no connection was made
        self.crowded = crowded  # it may be too many requests at once
        self.broken = broken  # what a server says that answers and fails (500): perhaps only at what is in this request


def exchange(connection: Connection, path: str, content: bytes | None, seconds: float) -> HttpResponse:
    """POSTs the JSON `content`, or GETs where it is None, within `seconds`.

    Passing for what may go away: no connection, a broken one, no answer in time, half an answer, 408, 425, 429, 500, 502, 503,
    504. Refused for another status; BackendError for an answer that is no JSON, too large or a redirect.
    """
    place = connection.route.url + path
    try:
        response = connection.request(path, content, time.monotonic() + seconds)
        received = _read(response, place)
    except Unconnected as unconnected:
        raise _unreachable(place, unconnected.__cause__) from unconnected
    except TimeoutError as error:
        raise Passing(f"did not answer within {seconds:g} s", attempts=FEW, crowded=True) from error
    except (OSError, HTTPException) as error:
        raise Passing(f"broke off: {shown(str(error)) or type(error).__name__}") from error
    return _understood(place, response, received)


def _unreachable(place: str, error: BaseException | None) -> BackendError | Passing:
    if untrusted(error):
        what = f"{place}: the server's certificate is not trusted: {shown(str(error))}"
        return BackendError(what, remedy="name the certificates to trust: RAG_CA_BUNDLE")
    if isinstance(error, TimeoutError):
        return Passing("cannot be connected to in time", unreachable=True)
    return Passing(f"cannot be connected to: {why_unreachable(error)}", unreachable=True)


def _read(response: HTTPResponse, place: str) -> bytes:
    """The whole body. http.client takes a length that was announced seriously only where it is not asked for less."""
    if response.length is not None and response.length <= BODY_BYTES:
        return response.read()
    received = bytearray()
    while response.length is None and len(received) <= BODY_BYTES and (part := response.read(PART_BYTES)):
        received += part
    if response.length is not None or len(received) > BODY_BYTES:
        raise BackendError(f"{place} answered more than {BODY_BYTES // 1_000_000} MB", remedy=ADDRESS)
    return bytes(received)


def _understood(place: str, response: HTTPResponse, received: bytes) -> HttpResponse:
    status = response.status
    if status in PASSING:
        said = _message(received) or shown(response.reason) or "it does not say why"
        wait = _told_to_wait(response)
        if status == 500:
            raise Passing(f"answered {status}: {said}", attempts=FEW, wait=wait, broken=said)
        raise Passing(f"answered {status}: {said}", wait=wait, crowded=status in CROWDED)
    if 300 <= status < 400:
        where = shown(response.headers.get("location", "nowhere"))
        raise BackendError(
            f"{place} redirects to {where} ({status}), which is not followed", remedy="give the final address, if you trust it"
        )
    if status != 200:
        raise HttpRefusal(place, status, _message(received))
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise BackendError(f"{place} answered {shown(kind) or 'something'}, not JSON: {_message(received)}", remedy=ADDRESS)
    try:
        return HttpResponse(place, json.loads(received))
    except (ValueError, RecursionError) as error:
        raise Passing(f"answered JSON that cannot be read ({shown(str(error))})", attempts=FEW) from error


def _message(received: bytes) -> str:
    """What a server says in the body of a refusal, fit to be shown."""
    try:
        told: Any = json.loads(received)
    except (ValueError, RecursionError):
        told = received[: 16 * SHOWN].decode("utf-8", "replace")
    for key in ("error", "message", "detail"):
        if isinstance(told, Mapping) and key in told:
            told = told[key]
    return shown(told if isinstance(told, str) else str(told))


def _told_to_wait(response: HTTPResponse) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date; None without one that can be read."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def why_unreachable(error: BaseException | None) -> str:
    """The operating system's own words, found below the layers of an HTTP library."""
    why, below = str(error), error
    while below is not None:
        if isinstance(below, OSError) and below.errno and not isinstance(below, ssl.SSLError):  # its numbers are those of TLS
            why = os.strerror(below.errno) if below.errno > 0 else below.strerror or why  # below 0: names that were not found
        inner = below.exceptions[0] if isinstance(below, ExceptionGroup) else None
        below = inner or below.__cause__ or below.__context__
    return shown(why)


def untrusted(error: BaseException | None) -> bool:
    """Whether a connection failed because of a certificate: another attempt would fail too."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
