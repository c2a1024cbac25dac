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
_MAX_FILE_BYTES = 500_000  # of an ignore file: thousands of rules, each tried on every name
_ONE_CHARACTER = r"(?:[^\\\[\](){}.*+?|^$/]|\\.|\[(?:\\.|[^\]\\/])+\](?!\*))"  # regex syntax that matches one character
_STAR_THEN_FIXED = re.compile(rf"\[\^/\]\*({_ONE_CHARACTER}+)(?=\[\^/\]\*)")
_FOLDERS = "(?:/.+)?/"  # how pathspec writes "/**/"
_FOLDERS_FIRST = "^(?:.+/)?"

Rules: TypeAlias = tuple[tuple[str, "GitIgnoreSpec"], ...]  # (folder of the rules, below the root, with "/"; rules)


def rules_of(base: Path, prefix: str, names: AbstractSet[str]) -> Rules:
    """The rules of the folder `prefix` below `base`, which contains `names`. OSError where they cannot be read."""
    lines: list[str] = []
    for name in IGNORE_FILES:
        file = base / prefix / name
        if name in names and file.is_file():
            lines += _read(file).decode("utf-8", "replace").splitlines()
    if not lines:
        return ()
    return ((prefix, _spec(lines)),)


def _read(file: Path) -> bytes:
    """All of an ignore file. OSError where it is implausibly large; a pipe nobody writes to is not waited for."""
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # noqa: PTH123 (its descriptor)
        content = stream.read(_MAX_FILE_BYTES + 1) or b""  # None: a pipe without data
    if len(content) > _MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {_MAX_FILE_BYTES:,} bytes")
    return content


def in_linear_time(pattern: str) -> str:
    """Rewrites a regular expression of pathspec's to match the same names, but without backtracking into a star.

    What follows a star is matched at the first place it fits: if the rest then fails, it fails at every later place too, because
    the next star takes anything. When `re` tries each place instead, a rule with five stars takes five minutes on one long name.
    """
    first, *between, last = pattern.split(_FOLDERS) if _FOLDERS in pattern else (pattern, "")
    if _FOLDERS in pattern:
        if first.startswith(_FOLDERS_FIRST):
            first = f"^(?>(?:.+?/)??{first[len(_FOLDERS_FIRST) :]}(?=/))"
        steps = "".join(f"(?>(?:/.+?)??/{step}(?=/))" for step in between)
        pattern = first + steps + _FOLDERS + last
    return _STAR_THEN_FIXED.sub(r"(?>[^/]*?\1)", pattern)


def _spec(lines: list[str]) -> GitIgnoreSpec:
    """The valid rules; invalid ones are skipped, as git does."""
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings(action="ignore"):  # `re`'s, about odd character sets
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
        """A rule as pathspec reads it, its expression rewritten to run in linear time."""

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
    """Whether the rules exclude `path`. The nearest rules win, as in git; a folder is tested with a trailing slash."""
    tested = path + "/" if entry.is_dir(follow_symlinks=False) else path
    for prefix, spec in reversed(rules):
        verdict = spec.check_file(tested[len(prefix) :]).include
        if verdict is not None:
            return verdict
    return False
