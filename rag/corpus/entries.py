"""What a walk sees of one entry of a folder: `os.DirEntry`, or an object of a store in its place.

Knows no file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias


class Entry(Protocol):
    """As much of `os.DirEntry` as is used."""

    @property
    def name(self) -> str:
        """Without folders."""
        ...

    @property
    def path(self) -> str:
        """As `Scan` takes it."""
        ...

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""
        ...

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a regular file."""
        ...

    def is_symlink(self) -> bool:
        """Whether it is a link."""
        ...

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Size and time at least. OSError."""
        ...


Scan: TypeAlias = Callable[[str], AbstractContextManager[Iterator[Entry]]]  # the entries of a folder. OSError
