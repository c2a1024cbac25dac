"""What `.gitignore` and `.ragignore` leave out of a walk.

Knows ignore files, as git reads them; knows no document.
"""

from __future__ import annotations

import errno
import os
import re
import warnings
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, AnyStr, TypeAlias

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

IGNORE_FILES = (".gitignore", ".ragignore")  # in this order: a later rule wins
_MOST_BYTES = 500_000  # of an ignore file; thousands of rules, each tried at every name
_ONE_FIXED = r"(?:[^\\\[\](){}.*+?|^$/]|\\.|\[(?:\\.|[^\]\\/])+\](?!\*))"  # of a regular expression: what matches one character
_STAR_AND_MORE = re.compile(rf"\[\^/\]\*({_ONE_FIXED}+)(?=\[\^/\]\*)")
_FOLDERS = "(?:/.+)?/"  # how pathspec writes "/**/"
_FOLDERS_FIRST = "^(?:.+/)?"

Rules: TypeAlias = tuple[tuple[str, "GitIgnoreSpec"], ...]  # (folder the rules stand in, below the root, with "/"; rules)


def rules_of(base: Path, prefix: str, names: AbstractSet[str]) -> Rules:
    """The rules in the folder `prefix` below `base`, where files of these names lie. OSError where they cannot be read."""
    lines: list[str] = []
    for name in IGNORE_FILES:
        file = base / prefix / name
        if name in names and file.is_file():
            lines += _read(file).decode("utf-8", "replace").splitlines()
    if not lines:
        return ()
    return ((prefix, _spec(lines)),)


def _read(file: Path) -> bytes:
    """All of an ignore file. OSError where it is larger than any is, or waits for somebody to write it."""
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # noqa: PTH123 (its descriptor)
        content = stream.read(_MOST_BYTES + 1) or b""  # None: there is nothing yet
    if len(content) > _MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {_MOST_BYTES:,} bytes")
    return content


def in_linear_time(pattern: str) -> str:
    """A regular expression as pathspec writes them, which matches the same but never goes back to where a star began.

    What follows a star matches where it first can: if that fails, so does every later place, for the next star takes anything.
    Tried at each place instead, as `re` does, a rule of five stars takes five minutes for one long name.
    """
    first, *between, last = pattern.split(_FOLDERS) if _FOLDERS in pattern else (pattern, "")
    if _FOLDERS in pattern:
        if first.startswith(_FOLDERS_FIRST):
            first = f"^(?>(?:.+?/)??{first[len(_FOLDERS_FIRST) :]}(?=/))"
        steps = "".join(f"(?>(?:/.+?)??/{step}(?=/))" for step in between)
        pattern = first + steps + _FOLDERS + last
    return _STAR_AND_MORE.sub(r"(?>[^/]*?\1)", pattern)


def _spec(lines: list[str]) -> GitIgnoreSpec:
    """The rules that can be understood; git, too, passes over the others."""
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings(action="ignore"):  # of `re`, about odd sets of characters
        try:
            return GitIgnoreSpec.from_lines(lines, _bounded_rule(), backend="simple")
        except (ValueError, re.error):
            if len(lines) == 1:
                return GitIgnoreSpec([])
            return GitIgnoreSpec([pattern for line in lines for pattern in _spec([line]).patterns], backend="simple")


@cache
def _bounded_rule() -> type[GitIgnoreSpecPattern]:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    class BoundedRule(GitIgnoreSpecPattern):
        """A rule as pathspec reads it, its expression rewritten."""

        __slots__ = ()

        @classmethod
        def pattern_to_regex(cls, pattern: AnyStr) -> tuple[AnyStr | None, bool | None]:
            found, include = super().pattern_to_regex(pattern)
            return cls._bounded(found), include

        @staticmethod
        def _bounded(found: AnyStr | None) -> AnyStr | None:
            return in_linear_time(found) if isinstance(found, str) else found

    return BoundedRule


def ruled_out(rules: Rules, path: str, entry: os.DirEntry[str]) -> bool:
    """The rules nearest to the file win, as in git; a folder is tested with its closing slash."""
    tested = path + "/" if entry.is_dir(follow_symlinks=False) else path
    for prefix, spec in reversed(rules):
        verdict = spec.check_file(tested[len(prefix) :]).include
        if verdict is not None:
            return verdict
    return False
