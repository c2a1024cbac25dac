"""Responses from open files: the whole file or one byte range, with the headers that caches and players use.

Knows HTTP's ranges and conditions (RFC 9110); knows no passage and no format.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

IMMUTABLE = "private, max-age=31536000, immutable"
REVALIDATE = "private, no-cache"
_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)
_CHUNK = 1 << 18  # bytes per read


@dataclass(frozen=True, slots=True)
class Described:
    """The metadata of a response body, known before it is sent."""

    type: str
    version: str
    modified: float  # seconds since the epoch
    caching: str = REVALIDATE
    disposition: str = "inline"

    def headers(self) -> dict[str, str]:
        """All but Content-Type, which the response sets itself."""
        return {
            "ETag": f'"{self.version}"',
            "Last-Modified": http_date(self.modified),
            "Cache-Control": self.caching,
            "Content-Disposition": self.disposition,
        }


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes `start` to `stop`, the last one not included."""

    start: int
    stop: int


class NoSuchRange(Exception):
    """The range begins beyond the end of the file."""


def not_modified(request: Headers, described: Described) -> Response | None:
    """304 if the client has these bytes already, else None."""
    known = request.get("if-none-match")
    if known is None:
        return None
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if "*" not in tags and f'"{described.version}"' not in tags:
        return None
    headers = described.headers()
    del headers["Content-Disposition"]
    return Response(status_code=304, headers=headers)


def send_bytes(content: bytes, described: Described) -> Response:
    """A response with bytes from memory."""
    return Response(content, media_type=described.type, headers=described.headers())


def send_file(file: io.FileIO, size: int, described: Described, method: str, request: Headers) -> Response:
    """A response with an open file of `size` bytes, or the requested range of it; closes the file. HEAD gets only headers."""
    headers = {**described.headers(), "Accept-Ranges": "bytes"}
    try:
        wanted = range_of(request, size, described)
    except NoSuchRange:
        file.close()
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    status, part = 200, Range(0, size)
    if wanted is not None and method == "GET":  # RFC 9110, 14.2: ranges mean something for GET alone
        status, part = 206, wanted
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    headers["Content-Length"] = str(part.stop - part.start)
    if method == "HEAD":
        file.close()
        return Response(status_code=status, media_type=described.type, headers=headers)
    return StreamingResponse(_chunks(file, part), status, headers, described.type)


def range_of(request: Headers, size: int, described: Described) -> Range | None:
    """The requested range; None for the whole file: no range, several, or one of another version. NoSuchRange."""
    found = _ONE_RANGE.fullmatch(request.get("range", "").strip())
    if found is None:
        return None
    condition = request.get("if-range")
    if condition is not None and condition not in (f'"{described.version}"', http_date(described.modified)):
        return None
    first, last, ending = found.groups()
    if ending is not None:
        if int(ending) == 0 or size == 0:
            raise NoSuchRange
        return Range(max(0, size - int(ending)), size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise NoSuchRange
    return Range(start, min(size, int(last) + 1) if last else size)


def http_date(moment: float) -> str:
    """Seconds since the epoch as an HTTP date; times before 1970 or after 9999 become the nearest that fits."""
    return formatdate(min(max(moment, 0.0), 253_402_300_799.0), usegmt=True)


def attachment(name: str) -> str:
    """The Content-Disposition of a download under that name, whatever characters it has (RFC 6266)."""
    plain = re.sub(r"[^\w .()+,=@~-]", "_", name, flags=re.ASCII)
    encoded = quote(name.encode("utf-8", "surrogateescape"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def _chunks(file: io.FileIO, part: Range) -> Iterator[bytes]:
    """The bytes of the range; fewer than announced, which ends the connection, if the file was truncated meanwhile."""
    with file:
        at = part.start
        while at < part.stop:
            chunk = os.pread(file.fileno(), min(_CHUNK, part.stop - at), at)
            if not chunk:
                return
            at += len(chunk)
            yield chunk
