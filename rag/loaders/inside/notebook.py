"""The pictures in a notebook: those that its cells drew, and those attached to its text.

Knows the nbformat JSON (versions 3 and 4); reads no picture.
"""

from __future__ import annotations

import binascii
import io
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside.base import Part
from rag.loaders.text.encoding import read_bytes
from rag.loaders.text.notebook import cells, joined
from rag.types import Document

_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
_VERSION_3 = {"png": "image/png", "jpeg": "image/jpeg"}  # how outputs named them


def parts(document: Document, limits: Limits) -> Iterator[Part]:
    """The pictures, in the order of the cells. UnreadableDocument where it is not a notebook; OSError."""
    for at, cell in enumerate(cells(read_bytes(document.file, limits)), start=1):
        attached = cell.get("attachments")
        for name, bundle in attached.items() if isinstance(attached, dict) else ():
            for _, written in _pictures(bundle):
                yield Part(str(name), partial(_picture, written), shown=True)
        outputs = cell.get("outputs")
        drawn = [found for output in (outputs if isinstance(outputs, list) else []) for found in _pictures(_bundle(output))]
        for number, (kind, written) in enumerate(drawn, start=1):
            name = f"cell {at} picture{f' {number}' if len(drawn) > 1 else ''}{_SUFFIXES[kind]}"
            yield Part(name, partial(_picture, written), shown=True)


def _bundle(output: object) -> object:
    if not isinstance(output, dict) or isinstance(output.get("data"), dict):
        return output.get("data") if isinstance(output, dict) else None
    return {_VERSION_3[name]: value for name, value in output.items() if name in _VERSION_3}


def _pictures(bundle: object) -> Iterator[tuple[str, str]]:
    """The kind and the base64 of the first picture in a bundle: the others are the same in another format."""
    known: dict[str, Any] = bundle if isinstance(bundle, dict) else {}
    for kind in _SUFFIXES:
        if written := joined(known.get(kind)):
            yield kind, written
            return


def _picture(written: str) -> BinaryIO:
    try:
        return io.BytesIO(b64decode(written))
    except (binascii.Error, ValueError) as error:
        raise UnreadableDocument("is damaged in its notebook") from error
