"""Open files as answers: whole or one range of bytes, with the headers that caches and players go by.

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

FOREVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)
_PIECE = 1 << 18  # bytes read at once


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of the bytes before they are sent."""

    type: str
    version: str
    modified: float  # seconds since the epoch
    caching: str = ASK_AGAIN
    disposition: str = "inline"

    def headers(self) -> dict[str, str]:
        """Content-Type is the response's own; these are the others."""
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
    """The file ends before the range begins."""


def unchanged(asked: Headers, described: Described) -> Response | None:
    """304 where the client has these bytes already."""
    known = asked.get("if-none-match")
    if known is None:
        return None
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if "*" not in tags and f'"{described.version}"' not in tags:
        return None
    headers = described.headers()
    del headers["Content-Disposition"]
    return Response(status_code=304, headers=headers)


def sent(content: bytes, described: Described) -> Response:
    """Bytes in memory."""
    return Response(content, media_type=described.type, headers=described.headers())


def sent_file(file: io.FileIO, size: int, described: Described, method: str, asked: Headers) -> Response:
    """An open file of that size, or the range that is asked for; closed when it was sent. HEAD gets the headers alone."""
    headers = {**described.headers(), "Accept-Ranges": "bytes"}
    try:
        wanted = range_of(asked, size, described)
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
    return StreamingResponse(_pieces(file, part), status, headers, described.type)


def range_of(asked: Headers, size: int, described: Described) -> Range | None:
    """The one range asked for; None where the whole is to be sent: no range, several, or of another version. NoSuchRange."""
    found = _ONE_RANGE.fullmatch(asked.get("range", "").strip())
    if found is None:
        return None
    condition = asked.get("if-range")
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
    """Seconds since the epoch as HTTP writes them; years it cannot write become the nearest it can."""
    return formatdate(min(max(moment, 0.0), 253_402_300_799.0), usegmt=True)


def attachment(name: str) -> str:
    """The disposition of a download under that name, whatever characters it has (RFC 6266)."""
    plain = re.sub(r"[^\w .()+,=@~-]", "_", name, flags=re.ASCII)
    spelled = quote(name.encode("utf-8", "surrogateescape"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{spelled}"


def _pieces(file: io.FileIO, part: Range) -> Iterator[bytes]:
    """Fewer bytes than promised end the connection: the file was cut meanwhile."""
    with file:
        at = part.start
        while at < part.stop:
            piece = os.pread(file.fileno(), min(_PIECE, part.stop - at), at)
            if not piece:
                return
            at += len(piece)
            yield piece
