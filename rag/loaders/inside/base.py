"""What a document that holds others says of them: their names, how to get their bytes, or why they are not read.

Knows names; knows no format and reads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from rag.loaders.base import Limits as Limits

_MAX_NAME = 150  # characters of each part of a path
_MAX_PARTS = 12  # of a path
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DRIVE = re.compile(r"^[A-Za-z]:(?=/|$)")
_REMARKS = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini"})  # what systems leave beside files


@dataclass(frozen=True, slots=True)
class Part:
    """A file inside a document, as the document describes it."""

    name: str  # as written: perhaps empty, absolute or leading elsewhere
    opened: Callable[[], BinaryIO] | None = None  # its bytes, to be read before the next part is asked for
    reason: str = ""  # why it is not read, where it is not
    dated: float | None = None  # seconds since the epoch, if known
    shown: bool = False  # a picture that the document shows: if it is tiny, it is only an ornament


class Names:
    """Makes the names of one document's parts plain relative paths, each different from the others."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def take(self, written: str) -> str:
        """The path for a part: without `..`, drive letters, signs that cannot be seen; numbered where another has it already."""
        path = plain_path(written)
        seen = self._given.get(path, 0)
        self._given[path] = seen + 1
        if not seen:
            return path
        folder, slash, name = path.rpartition("/")
        dot = name.rfind(".") if name.rfind(".") > 0 else len(name)
        return self.take(f"{folder}{slash}{name[:dot]} ({seen + 1}){name[dot:]}")


def plain_path(written: str) -> str:
    """A relative POSIX path of printable characters; `unnamed` where nothing is left."""
    path = _DRIVE.sub("", _ODD.sub("\ufffd", written[:4_000]).replace("\\", "/"))
    parts = [_shortened(part.strip()) for part in path.split("/")]
    parts = [part for part in parts if part not in ("", ".", "..")]
    return "/".join(parts[-_MAX_PARTS:]) or "unnamed"


def is_hidden(path: str) -> bool:
    """Whether a path is one that is left out in a folder too: hidden, or what a system leaves beside files."""
    return any(part.startswith(".") or part.lower() in _REMARKS for part in path.split("/"))


def _shortened(name: str) -> str:
    if len(name) <= _MAX_NAME:
        return name
    dot = name.rfind(".")
    suffix = name[dot:] if dot > 0 and len(name) - dot <= 12 else ""
    return name[: _MAX_NAME - len(suffix)] + suffix
