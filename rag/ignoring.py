"""What `.gitignore` and `.ragignore` leave out of a walk.

Knows ignore files, as git reads them; knows no document.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".ragignore")  # in this order: a later rule wins

Rules: TypeAlias = tuple[tuple[str, "GitIgnoreSpec"], ...]  # (folder the rules stand in, below the root, with "/"; rules)


def rules_of(base: Path, prefix: str, names: AbstractSet[str]) -> Rules:
    """The rules in the folder `prefix` below `base`, where files of these names lie. OSError where they cannot be read."""
    lines: list[str] = []
    for name in IGNORE_FILES:
        file = base / prefix / name
        if name in names and file.is_file():
            lines += file.read_text("utf-8", errors="replace").splitlines()
    if not lines:
        return ()
    return ((prefix, _spec(lines)),)


def _spec(lines: list[str]) -> GitIgnoreSpec:
    """The rules that can be understood; git, too, passes over the others."""
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings(action="ignore"):  # of `re`, about odd sets of characters
        try:
            return GitIgnoreSpec.from_lines(lines)
        except (ValueError, re.error):
            if len(lines) == 1:
                return GitIgnoreSpec([])
            return GitIgnoreSpec([pattern for line in lines for pattern in _spec([line]).patterns])


def ruled_out(rules: Rules, path: str, entry: os.DirEntry[str]) -> bool:
    """The rules nearest to the file win, as in git; a folder is tested with its closing slash."""
    tested = path + "/" if entry.is_dir(follow_symlinks=False) else path
    for prefix, spec in reversed(rules):
        verdict = spec.check_file(tested[len(prefix) :]).include
        if verdict is not None:
            return verdict
    return False
