"""Opens the file of a passage if it still lies inside its root: everything that is shown of the corpus is opened here.

Knows the file system; knows no format. A worker gets the open file, never its path, so that what was checked is what is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.corpus.sources import local_file
from rag.errors import BackendError, NotShown
from rag.types import StoredPassage

if TYPE_CHECKING:
    from rag.corpus.objects.cache import LocalFile


@dataclass(frozen=True, slots=True)
class Original:
    """An open regular file of the corpus, and which file inside it is meant."""

    fd: int
    name: str  # without folders
    size: int  # bytes
    modified: float  # seconds since the epoch
    stamp: str  # device, size, mtime, ctime and inode, or object and version; `inner`. Equal stamps mean an unchanged file
    inner: str = ""  # "": itself


@contextmanager
def open_original(stored: StoredPassage) -> Iterator[Original]:
    """The file of a passage, open for reading. NotShown where it is gone, hidden, not a regular file, or outside its root;
    BackendError where an object cannot be fetched.

    The real path is opened folder by folder without following links: a file or folder swapped for a link meanwhile is refused.
    """
    parts = PurePosixPath(stored.passage.document.path).parts
    if not parts or any(part == ".." or part.startswith(".") for part in parts) or "/" in parts:
        raise _gone(stored)
    copy: LocalFile | None = None
    try:
        if isinstance(stored.file, Path):
            root = stored.file.parents[len(parts) - 1]
            fd = _open_below(root, root.joinpath(*parts))
        else:
            copy = local_file(stored.file)
            fd = os.open(copy.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise _gone(stored) from error
    except (OSError, ValueError) as error:
        if isinstance(stored.file, Path):
            raise _gone(stored) from error
        raise BackendError(f"{stored.passage.document} cannot be fetched: {error}", remedy="try again") from error
    try:
        seen = os.fstat(fd)
        if not stat.S_ISREG(seen.st_mode):
            raise _gone(stored)
        stamp = f"{seen.st_dev}:{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}:{seen.st_ino}"
        if copy is not None:
            stamp = f"{stored.file}:{copy.stamp}"
        inner = stored.passage.inner
        yield Original(fd, parts[-1], seen.st_size, seen.st_mtime, f"{stamp}/{inner}" if inner else stamp, inner)
    finally:
        os.close(fd)
        if copy is not None:
            copy.close()


def version_of(original: Original, *what: object) -> str:
    """A name of 32 hex digits for something made from this version of a file; equal only while the file is unchanged."""
    return blake2b(repr((original.stamp, *what)).encode(), digest_size=16).hexdigest()


def _open_below(root: Path, file: Path) -> int:
    """ValueError where links lead out of the root or through a hidden folder; OSError where a part is gone or became a link."""
    real_root = Path(os.path.realpath(root, strict=True))
    parts = Path(os.path.realpath(file, strict=True)).relative_to(real_root).parts
    if not parts or any(part.startswith(".") for part in parts):
        raise ValueError(f"{file} is a link to something hidden")
    here = os.open(real_root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts[:-1]:
        above = here
        try:
            here = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        finally:
            os.close(above)
    try:  # O_NONBLOCK: a FIFO put in its place must not make us wait for a writer
        return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
    finally:
        os.close(here)


def _gone(stored: StoredPassage) -> NotShown:
    return NotShown(
        f"{stored.passage.document} is gone, or is no longer a file inside its root",
        remedy="update the index: rag index",
    )
