"""Converts passages, locators and fingerprints to the catalog's rows, and back.

Knows the nouns; knows no connection. Rows that cannot be decoded raise ValueError, KeyError or TypeError.
"""

from __future__ import annotations

import json
from base64 import b32encode
from dataclasses import asdict, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from rag.index.catalog.schema import KIND_CODES
from rag.types import (
    Context,
    DocumentId,
    Fingerprint,
    Kind,
    Lines,
    Locator,
    Modality,
    Page,
    Passage,
    Seconds,
    Sheet,
    Slide,
    Whole,
)

_SHORT_ID_LENGTH = 10  # characters of base32: 50 bits
_KINDS: dict[int, Kind] = {code: kind for kind, code in KIND_CODES.items()}
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # `json.dumps` would make one for each call
_MODALITIES: dict[str, Modality] = {"text": "text", "image": "image", "video": "video"}


def to_bytes(name: str) -> bytes:
    """A path or root name as its original bytes: file names need not be UTF-8, but SQLite's text must be."""
    return name.encode("utf-8", "surrogateescape")


def to_name(stored: bytes) -> str:
    """The reverse of `to_bytes`."""
    return stored.decode("utf-8", "surrogateescape")


def clean(text: str) -> str:
    """Text that UTF-8 can encode: lone surrogates, which come from damaged files, become question marks."""
    return text.encode("utf-8", "replace").decode()


def locator_to_json(locator: Locator, inner: str = "") -> str:
    """The canonical JSON of a locator, in a file inside the document; the passage's short id depends on it."""
    match locator:
        case Lines(start, end):
            fields: dict[str, object] = {"line_start": start, "line_end": end}
        case Page(number):
            fields = {"page": number}
        case Slide(number):
            fields = {"slide": number}
        case Sheet(name):
            fields = {"sheet": name}
        case Seconds(begin, until):
            fields = {"start": float(begin), "end": float(until)}
        case Whole():
            fields = {}
    if inner:
        fields["inner"] = inner
    return _CANONICAL(fields)


@lru_cache(maxsize=4096)  # the first lines of a text, the pages up to a thousand: the same few again and again
def locator_from_json(stored: str) -> tuple[Locator, str]:
    """The reverse of `locator_to_json`: the locator, and the file inside the document, or ""."""
    fields = json.loads(stored)
    inner = fields.pop("inner", "")
    if not isinstance(inner, str):
        raise ValueError(f"not a locator: {stored[:80]}")
    return _locator(fields, stored), inner


def _locator(fields: Any, stored: str) -> Locator:
    match fields:
        case {"line_start": int(start), "line_end": int(end)}:
            return Lines(start, end)
        case {"page": int(number)}:
            return Page(number)
        case {"slide": int(number)}:
            return Slide(number)
        case {"sheet": str(name)}:
            return Sheet(name)
        case {"start": float(begin), "end": float(until)}:
            return Seconds(begin, until)
        case {**rest} if not rest:
            return Whole()
        case _:
            raise ValueError(f"not a locator: {stored[:80]}")


@lru_cache(maxsize=4096)  # most passages of a document share one
def context_to_json(context: Context) -> str:
    """JSON of the fields that are not empty."""
    return json.dumps({name: value for name, value in asdict(context).items() if value not in ("", None)})


@lru_cache(maxsize=4096)
def _context_from_json(stored: str) -> Context:
    context = Context(**json.loads(stored))
    if context.location is None:
        return context
    latitude, longitude = context.location
    return replace(context, location=(float(latitude), float(longitude)))


def passage_from_row(document: DocumentId, row: tuple[Any, ...]) -> Passage:
    """A passage from its row (kind, ordinal, locator, modality, text, caption, context, taken)."""
    kind, ordinal, stored, modality, text, caption, context, taken = row
    locator, inner = locator_from_json(stored)
    return Passage(
        document=document,
        ordinal=ordinal,
        locator=locator,
        kind=_KINDS[kind],
        modality=_MODALITIES[modality],
        text=text,
        caption=caption,
        context=_context_from_json(context),
        taken=taken,
        inner=inner,
    )


def short_id(document: DocumentId, locator: str, nth: int, length: int = _SHORT_ID_LENGTH) -> str:
    """A short, stable id of a passage: base32 of BLAKE2b over root, path, locator (JSON) and its place among equal locators."""
    identity = b"\0".join((to_bytes(document.root), to_bytes(document.path), locator.encode(), str(nth).encode()))
    enough = blake2b(identity).digest()[: -(-5 * length // 8)]
    return b32encode(enough).decode().lower().rstrip("=")[:length]


def fingerprint_to_json(fingerprint: Fingerprint) -> str:
    """JSON of all fields of a fingerprint."""
    return json.dumps(asdict(fingerprint))


def fingerprint_from_json(stored: str) -> Fingerprint:
    """The reverse of `fingerprint_to_json`."""
    return Fingerprint(**json.loads(stored))
