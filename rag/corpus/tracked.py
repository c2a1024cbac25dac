"""Which files a git repository tracks: those are read though `.gitignore` names them, as git itself does.

Knows `.git` folders below a root. Git is never run and its settings are never opened: a stranger's `.git/config` can name
programs. A `.git` that is a file (a submodule, a work tree) is followed only where its `gitdir:` lies below the root.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from functools import cached_property
from pathlib import Path

from rag.corpus.git_index import read_tracked

GIT = ".git"
_MAX_INDEX_BYTES = 150_000_000  # 500,000 files take about 50 MB
_MAX_GITDIR_BYTES = 5_000  # of a `.git` that is a file: one path


class TrackedFiles:
    """The files that one repository tracks, by their paths below the root. Its index is read at the first question."""

    def __init__(self, base: Path, prefix: str) -> None:
        """`prefix` is the folder, below `base` and with "/", in which `.git` lies."""
        self._base, self._prefix = base, prefix
        self._trouble: tuple[str, ...] = ()

    def has(self, path: str) -> bool:
        """Whether the file is tracked, or the folder is a submodule."""
        name = self._below(path)
        at = bisect_left(self._names, name)
        return at < len(self._names) and self._names[at] == name

    def has_below(self, path: str) -> bool:
        """Whether something in the folder, whose path ends with "/", is tracked at any depth, or the folder is a submodule."""
        name = self._below(path)
        at = bisect_left(self._names, name)
        return self.has(path.rstrip("/")) or (at < len(self._names) and self._names[at].startswith(name))

    def take_trouble(self) -> tuple[str, ...]:
        """Why nothing is known, where somebody asked; told once."""
        trouble, self._trouble = self._trouble, ()
        return trouble

    def _below(self, path: str) -> bytes:
        return os.fsencode(path[len(self._prefix) :])

    @cached_property
    def _names(self) -> list[bytes]:
        try:
            folder = self._git_folder()
            found = read_tracked(_content(folder / "index", _MAX_INDEX_BYTES))
            if not found.shared:
                return found.names
            return sorted({*found.names, *read_tracked(_content(folder / f"sharedindex.{found.shared}", _MAX_INDEX_BYTES)).names})
        except FileNotFoundError:  # nothing was ever added
            return []
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            place = self._base / self._prefix
            self._trouble = (
                f"what git tracks in {place} is not known ({reason}), so .gitignore decides alone; --no-ignore reads all",
            )
            return []

    def _git_folder(self) -> Path:
        """The folder with the index. ValueError where it is not below the root."""
        place = self._base / self._prefix / GIT
        if place.is_file():
            words = _content(place, _MAX_GITDIR_BYTES)
            if not words.startswith(b"gitdir:"):
                raise ValueError(f"{GIT} is a file that names no folder")
            place = place.parent / os.fsdecode(words.removeprefix(b"gitdir:").strip())
        real = Path(os.path.realpath(place))
        if not real.is_relative_to(self._base):
            raise ValueError(f"its git folder is {real}, outside of {self._base}")
        return real


def _content(file: Path, most: int) -> bytes:
    """All of a regular file. OSError; ValueError where it has more than `most` bytes. A pipe is not waited for."""
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as stream:  # noqa: PTH123 (its descriptor)
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{file.name} is not a regular file")
        if found.st_size > most:
            raise ValueError(f"{file.name} has {found.st_size:,} bytes; the limit is {most:,}")
        return stream.read(most)
