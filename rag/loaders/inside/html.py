"""The pictures that a web page holds itself (`data:`), as programs write them that save a page as one file.

Knows how they are written; reads none. Those in styles are backgrounds and icons, and are left out.
"""

from __future__ import annotations

import binascii
import io
import mmap
import re
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside.base import Part
from rag.types import Document

_DATA = re.compile(
    rb"""(?:src|href|data)\s*=\s*["']?\s*data:image/([\w.+-]{1,40})(?:;[\w=.-]{1,80})*?;base64,([A-Za-z0-9+/=%\s_-]+)""",
    re.IGNORECASE,
)
_SUFFIXES = {"jpeg": ".jpg", "svg+xml": ".svg", "x-icon": ".ico", "vnd.microsoft.icon": ".ico"}
_LEAST = 1_000  # characters: a smaller picture is an icon


def parts(document: Document, limits: Limits) -> Iterator[Part]:
    """The pictures in a page, numbered in its order. OSError where it cannot be opened."""
    if not 0 < document.file.stat().st_size <= limits.max_text_bytes:
        return
    with document.file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as page:
        number = 0
        for match in _DATA.finditer(page):
            if match.end(2) - match.start(2) >= _LEAST:
                number += 1
                kind = match[1].decode().lower()
                yield Part(f"picture {number}{_SUFFIXES.get(kind, f'.{kind}')}", partial(_picture, match[2]), shown=True)


def _picture(written: bytes) -> BinaryIO:
    plain = unquote_to_bytes(written) if b"%" in written else written
    try:
        return io.BytesIO(b64decode(plain.translate(bytes.maketrans(b"-_", b"+/"), b" \t\r\n")))
    except (binascii.Error, ValueError) as error:
        raise UnreadableDocument("is damaged in its page") from error
