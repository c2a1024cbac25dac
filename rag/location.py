"""Where a corpus lies: a folder of this machine, or objects below a prefix of a bucket.

Knows how such places are written; opens nothing and knows no client.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import NoReturn, TypeAlias

from rag.errors import WrongRequest

OBJECT_SCHEMES = frozenset({"s3", "gs", "az"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_FILE = "file://"


class ObjectPath(PurePosixPath):
    """`s3://bucket/key`: an object, or the prefix of some. Has the arithmetic of a path; the system cannot open it."""

    __slots__ = ()

    def __str__(self) -> str:
        scheme, sign, rest = super().__str__().partition(":/")
        return f"{scheme}://{rest}" if sign and scheme in OBJECT_SCHEMES else super().__str__()

    def __fspath__(self) -> NoReturn:
        raise TypeError(f"{self} is no file of this machine: fetch it first")

    @property
    def bucket(self) -> str:
        """`s3://bucket`."""
        return str(ObjectPath(*self.parts[:2]))

    @property
    def key(self) -> str:
        """The name in the bucket; "" for the bucket itself."""
        return "/".join(self.parts[2:])


Location: TypeAlias = Path | ObjectPath


def stored_location(text: str) -> Location:
    """The place as an index keeps it: the `str` of a `Location`."""
    return ObjectPath(text) if is_object_url(text) else Path(text)


def is_object_url(text: str) -> bool:
    """Whether the words name objects in a store."""
    scheme = _SCHEME.match(text)
    return scheme is not None and scheme[1] in OBJECT_SCHEMES


def named_location(given: str | os.PathLike[str] | ObjectPath) -> Location:
    """The place that a person names: `s3://bucket/prefix` (also gs, az), `file:///folder`, or a folder, in which `~` is the home.

    WrongRequest for another scheme, or where no bucket is named. A URL is taken as it is written: `%20` is no space.
    """
    if isinstance(given, ObjectPath):
        return given
    text = os.fspath(given)
    scheme = _SCHEME.match(text)
    if scheme is None or isinstance(given, os.PathLike):
        return Path(os.path.expanduser(text))  # noqa: PTH111 (`Path.expanduser` fails where the home is unknown)
    if text.startswith(_FILE):
        rest = text.removeprefix(_FILE).removeprefix("localhost")
        if not rest.startswith("/"):
            raise WrongRequest(f"{text} names no folder of this machine", remedy="write three slashes: file:///home/me/corpus")
        return Path(rest)
    if scheme[1] not in OBJECT_SCHEMES:
        raise WrongRequest(f"{text}: {scheme[1]}:// cannot be indexed", remedy="name a folder, or s3://, gs://, az:// or file://")
    parts = text[scheme.end() :].strip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise WrongRequest(f"{text} names no bucket, or has an empty part", remedy=f"write {scheme[0]}bucket/prefix")
    return ObjectPath(scheme[0].rstrip("/"), *parts)


def user_cache_folder() -> Path:
    """The folder of this user for what may be lost: $XDG_CACHE_HOME, else ~/.cache; "~/.cache" itself where no home is known."""
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111 (Path raises there)
