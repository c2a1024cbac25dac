"""One request to one endpoint: a response, a failure that may pass, or a refusal, each in words that help a person.

Knows HTTP; knows no other endpoint, no retries, and not what a response means.
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

BODY_BYTES = 64_000_000  # the longest body; 32 vectors of 4,096 numbers are 3 MB as JSON
PART_BYTES = 65_536  # read at a time from a body of unknown length
FEW_ATTEMPTS = 3  # where the same request may well fail the same way: 500, no answer in time, half an answer
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
OVERLOADED = frozenset({408, 429, 503, 504})  # those by which a server says that it has too much to do
ADDRESS_REMEDY = "check that this is the address of a model server; `rag doctor` checks it"
REMEDIES = {
    400: "the message says what the server does not accept",
    401: "set the key that the server expects: RAG_API_KEY",
    403: "set a key that may use this model: RAG_API_KEY",
    404: "check the address and the model's name; `rag doctor` shows what is served there",
    413: "let the server accept longer requests, or index shorter passages",
}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The JSON of a 200, and the address it came from."""

    place: str
    content: Any


class HttpRefusal(BackendError):
    """The server refuses this request: sending it again would not help, a smaller or different one might."""

    def __init__(self, place: str, status: int, message: str, *, what: str = "", remedy: str = "") -> None:
        what = what or f"{place} refused a request ({status}): {message or 'it does not say why'}"
        super().__init__(what, remedy or REMEDIES.get(status, "`rag doctor` checks the server; its own log says more"))
        self.status = status
        self.message = message


class TransientFailure(Exception):
    """A failure that may pass. Never leaves this package."""

    def __init__(
        self,
        what: str,
        *,
        attempts: int = 0,
        retry_after: float | None = None,
        unreachable: bool = False,
        server_error: str = "",
        overloaded: bool = False,
    ) -> None:
        super().__init__(what)
        self.attempts = attempts  # the most that make sense; 0: as many as usual
        self.retry_after = retry_after  # seconds the server asks for
        self.unreachable = unreachable  # no connection was made
        self.overloaded = overloaded  # there may be too many requests at once
        self.server_error = server_error  # the message of a 500, which may be about the contents of this request only


def exchange(connection: Connection, path: str, content: bytes | None, seconds: float) -> HttpResponse:
    """POSTs the JSON `content`, or GETs if it is None, within `seconds`.

    TransientFailure for what may pass: no connection, a broken one, no answer in time, half an answer, 408, 425, 429, 500, 502,
    503, 504. HttpRefusal for another status; BackendError for a redirect, or a body that is too large or not JSON.
    """
    place = connection.route.url + path
    try:
        response = connection.request(path, content, time.monotonic() + seconds)
        received = read_body(response, place)
    except Unconnected as unconnected:
        raise unreachable(place, unconnected.__cause__) from unconnected
    except TimeoutError as error:
        raise TransientFailure(f"did not answer within {seconds:g} s", attempts=FEW_ATTEMPTS, overloaded=True) from error
    except (OSError, HTTPException) as error:
        raise TransientFailure(f"broke off the exchange: {shown(str(error)) or type(error).__name__}") from error
    return parsed(place, response, received)


def unreachable(place: str, error: BaseException | None) -> BackendError | TransientFailure:
    """The failure of a request that found no connection, to be raised: TransientFailure, or BackendError for a certificate."""
    if untrusted(error):
        what = f"{place}: the server's certificate is not trusted: {shown(str(error))}"
        return BackendError(what, remedy="name the certificates to trust: RAG_CA_BUNDLE")
    if isinstance(error, TimeoutError):
        return TransientFailure("did not accept a connection in time", unreachable=True)
    return TransientFailure(f"cannot be reached: {why_unreachable(error)}", unreachable=True)


def read_body(response: HTTPResponse, place: str) -> bytes:
    """The whole body. BackendError where it is too large.

    http.client notices a body shorter than announced only if it is asked for all of it.
    """
    if response.length is not None and response.length <= BODY_BYTES:
        return response.read()
    received = bytearray()
    while response.length is None and len(received) <= BODY_BYTES and (part := response.read(PART_BYTES)):
        received += part
    if response.length is not None or len(received) > BODY_BYTES:
        raise BackendError(f"{place} answered with more than {BODY_BYTES // 1_000_000} MB", remedy=ADDRESS_REMEDY)
    return bytes(received)


def parsed(place: str, response: HTTPResponse, received: bytes) -> HttpResponse:
    """The JSON of a 200. TransientFailure, HttpRefusal and BackendError as `exchange`."""
    status = response.status
    if status in TRANSIENT:
        message = _message(received) or shown(response.reason) or "it does not say why"
        retry_after = _retry_after(response)
        what = f"answered {status}: {message}"
        if status == 500:
            raise TransientFailure(what, attempts=FEW_ATTEMPTS, retry_after=retry_after, server_error=message)
        raise TransientFailure(what, retry_after=retry_after, overloaded=status in OVERLOADED)
    if 300 <= status < 400:
        where = shown(response.headers.get("location", "nowhere"))
        raise BackendError(
            f"{place} redirects to {where} ({status}); redirects are not followed",
            remedy="give the final address, if you trust it",
        )
    if status != 200:
        raise HttpRefusal(place, status, _message(received))
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        kind = shown(kind) or "something"
        raise BackendError(f"{place} answered with {kind}, not JSON: {_message(received)}", remedy=ADDRESS_REMEDY)
    try:
        return HttpResponse(place, json.loads(received))
    except (ValueError, RecursionError) as error:
        raise TransientFailure(f"answered with JSON that cannot be read ({shown(str(error))})", attempts=FEW_ATTEMPTS) from error


def _message(received: bytes) -> str:
    """A server's message in the body of a refusal, safe to show."""
    try:
        message: Any = json.loads(received)
    except (ValueError, RecursionError):
        message = received[: 16 * SHOWN].decode("utf-8", "replace")
    for key in ("error", "message", "detail"):
        if isinstance(message, Mapping) and key in message:
            message = message[key]
    return shown(message if isinstance(message, str) else str(message))


def _retry_after(response: HTTPResponse) -> float | None:
    """The seconds in a Retry-After header, which holds seconds or a date; None without a readable one."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def why_unreachable(error: BaseException | None) -> str:
    """The operating system's own message, found below the layers of an HTTP library."""
    why, below = str(error), error
    while below is not None:
        if isinstance(below, OSError) and below.errno and not isinstance(below, ssl.SSLError):  # whose errno is OpenSSL's
            why = os.strerror(below.errno) if below.errno > 0 else below.strerror or why  # below 0: a name that DNS does not know
        inner = below.exceptions[0] if isinstance(below, ExceptionGroup) else None
        below = inner or below.__cause__ or below.__context__
    return shown(why)


def untrusted(error: BaseException | None) -> bool:
    """Whether a connection failed because of a certificate, so that another attempt would fail too."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
