"""Calls what shows a file on a file inside another, opened in memory; copies one out, so that a browser can play it.

Knows the walk through files; knows no format. Runs in a worker process.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name
from rag.loaders.inside.walk import walk
from rag.plugins import resolve
from rag.types import Document, DocumentId

_ALL = Limits(max_depth=64, max_members=1 << 40, max_unpacked_bytes=1 << 40)  # only the files that lead to one are unpacked


def called(
    file: Path, *, name: str, inner: str, function: str, details: dict[str, Any], out: int | None = None
) -> tuple[dict[str, Any], bytes]:
    """What `module:function` gives for the file at `inner` inside a file called `name`. UnreadableDocument where none is."""
    document = Document(DocumentId("", name), file)
    above = {inner[:at] for at, sign in enumerate(inner) if sign == "/"}
    for found in walk(document, loader_name(file, _ALL, name), _ALL, (above | {inner}).__contains__):
        if found.inner == inner and not found.reason:
            into = {} if out is None else {"out": out}
            answer: tuple[dict[str, Any], bytes] = resolve({}, function, "function")(found.document.file, **details, **into)
            return answer
    raise UnreadableDocument(f"no longer holds {inner}")


def copied(file: Path, *, out: int) -> tuple[dict[str, Any], bytes]:
    """The bytes of the file, written to `out`."""
    with file.open("rb") as stream, open(os.dup(out), "wb") as target:  # noqa: PTH123 (a descriptor has no path)
        shutil.copyfileobj(stream, target, 1 << 20)
    return {}, b""
