"""Formats that only a program reads: which program, of which package, and what it is asked; where it lies on this machine.

Knows programs by name; starts none. Who may start them, and how they are confined, is lent by `rag.decoding`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rag.errors import UnreadableDocument
from rag.loaders import HOLD_ANY, SHOW_PHOTOS
from rag.loaders.inside.memory import changed_memory

FOLDERS = ("/usr/bin", "/usr/local/bin", "/bin", "/run/current-system/sw/bin")  # never that of a corpus, nor one of $PATH


@dataclass(frozen=True, slots=True)
class Command:
    """One use of a program: its arguments, where `{file}` is the file to read and `{0}`, `{1}` are numbers."""

    program: str
    arguments: tuple[str, ...]


COMMANDS = {  # each writes to its standard output
    "djvu-text": Command("djvutxt", ("--detail=page", "{file}")),
    "djvu-page-text": Command("djvutxt", ("--detail=page", "--page={0}", "{file}")),
    "djvu-words": Command("djvutxt", ("--detail=word", "--page={0}", "{file}")),
    "djvu-about": Command("djvused", ("-u", "-e", "print-meta; print-outline; ls", "{file}")),
    "djvu-page": Command("ddjvu", ("-format=ppm", "-page={0}", "-size={1}x{2}", "{file}", "-")),
    "xps-pdf": Command("xpstopdf", ("{file}", "/proc/self/fd/1")),
}
_NEEDED = {"djvu": ("djvutxt", "djvused", "ddjvu"), "xps": ("xpstopdf",)}  # by loader
_PACKAGES = {"djvu": ("DjVu", "djvulibre-bin"), "xps": ("XPS", "libgxps-utils")}


class NotRun(UnreadableDocument):
    """A program cannot be run, whatever the file."""


# Runs a command of COMMANDS with these numbers on an open file, into another, with so many bytes at most; returns "", or why it
# failed. NotRun where it cannot be run at all.
Runner = Callable[[str, tuple[int, ...], int, int, int], str]
_lent: list[Runner] = []


def lend(runner: Runner) -> None:
    """Lets loaders in this process have programs run from now on."""
    _lent[:] = [runner]


def is_lent() -> bool:
    """Whether somebody runs programs for this process."""
    return bool(_lent)


def where(program: str) -> Path | None:
    """Where a program lies that may be executed; None where it is not installed."""
    places = (Path(folder, program) for folder in FOLDERS)
    return next((place for place in places if place.is_file() and os.access(place, os.X_OK)), None)


def installed() -> int:
    """How many of the formats can be read here: it rises when a program is installed."""
    return sum(not cannot_read(loader) for loader in _NEEDED)


def version_here(loader: str, version: int, seeing: int) -> int:
    """The version of a loader as documents keep it: higher where it names what photos show, and where it holds files that a
    program reads which is installed here.
    """
    return version + (seeing if loader in SHOW_PHOTOS else 0) + (installed() if loader in HOLD_ANY else 0)


def cannot_read(loader: str) -> str:
    """Why files of this loader cannot be read here, with the package to install; "" where its programs are installed."""
    form, package = _PACKAGES[loader]
    if sys.platform != "linux":
        return f"{form} is read by a program, which can be confined on Linux only; convert it to .pdf"
    missing = [program for program in _NEEDED[loader] if where(program) is None]
    if not missing:
        return ""
    return f"{form} is read by a program that is not installed ({', '.join(missing)}): install the package {package}"


@contextmanager
def output_of(command: str, file: Path, *numbers: int, most: int) -> Iterator[BinaryIO]:
    """What a program says of a file, as an open file in memory of at most `most` bytes, at its beginning.

    UnreadableDocument where the program fails or says more; NotRun, which is one too, where it cannot be run.
    """
    if not _lent:
        raise NotRun(f"{COMMANDS[command].program} cannot be run here")
    try:
        with file.open("rb") as stream, open(os.memfd_create("said", os.MFD_CLOEXEC), "w+b") as out:  # noqa: PTH123 (no path)
            if reason := _lent[0](command, numbers, stream.fileno(), out.fileno(), most):
                raise UnreadableDocument(reason)
            out.seek(0)
            with changed_memory(-os.fstat(out.fileno()).st_size):
                yield out
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
