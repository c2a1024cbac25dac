"""What a bad file is: where it lies, how it is made, and what must become of it.

Knows no format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Fate = Literal["skipped", "indexed", "ignored", "either"]  # "either": read as far as it goes, or skipped with a reason


@dataclass(frozen=True, slots=True)
class Bad:
    """One bad file, below a folder that is made for it."""

    path: str  # POSIX; may hold surrogates for bytes that are not UTF-8
    make: Callable[[Path], None]
    fate: Fate
    reason: str = ""  # a regular expression that the reason of a skipped one must match


def filled(content: bytes) -> Callable[[Path], None]:
    """Makes a file of these bytes."""
    return lambda file: write(file, content)


def write(file: Path, content: bytes) -> None:
    """Writes a file whose name may be any bytes."""
    with open(os.fsencode(file), "wb") as stream:  # noqa: PTH123
        stream.write(content)


def write_all(folder: Path, bad: Iterable[Bad]) -> None:
    """Makes every file of them below the folder."""
    for one in bad:
        file = folder / one.path
        file.parent.mkdir(parents=True, exist_ok=True)
        one.make(file)
