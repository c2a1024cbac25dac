"""What `.gitignore` and `.ragignore` leave out of a walk.

Knows ignore files, as git reads them; knows no document.
"""

from __future__ import annotations

import errno
import os
import re
import warnings
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, AnyStr, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

IGNORE_FILES = (".gitignore", ".ragignore")
EXCLUDED = "excluded by "  # how the reason begins that names a rule
_MAX_FILE_BYTES = 500_000  # of an ignore file: thousands of rules, each tried on every name
_ONE_CHARACTER = r"(?:[^\\\[\](){}.*+?|^$/]|\\.|\[(?:\\.|[^\]\\/])+\](?!\*))"  # regex syntax that matches one character
_STAR_THEN_FIXED = re.compile(rf"\[\^/\]\*({_ONE_CHARACTER}+)(?=\[\^/\]\*)")
_FOLDERS = "(?:/.+)?/"  # how pathspec writes "/**/"
_FOLDERS_FIRST = "^(?:.+/)?"


class Rule(NamedTuple):
    """One line of an ignore file."""

    file: str  # its path below the root
    line: int  # from 1
    pattern: str

    @property
    def is_gits(self) -> bool:
        """Whether git goes by it too: it says nothing of files that git tracks."""
        return self.file.endswith(IGNORE_FILES[0])


class RuleFile(NamedTuple):
    """The rules of one ignore file."""

    prefix: str  # the folder it lies in, below the root, with "/"
    spec: GitIgnoreSpec
    lines: tuple[Rule, ...]  # by the places of their patterns in `spec`


Rules: TypeAlias = tuple[RuleFile, ...]  # the innermost last


def rules_of(base: Path, prefix: str, names: AbstractSet[str]) -> Rules:
    """The rules of the folder `prefix` below `base`, which contains `names`. OSError where they cannot be read."""
    found = []
    for name in IGNORE_FILES:
        file = base / prefix / name
        if name in names and file.is_file():
            lines = _read(file).decode("utf-8-sig", "replace").split("\n")
            spec, numbers = _spec(lines)
            rules = tuple(Rule(prefix + name, number, lines[number - 1].strip()) for number in numbers)
            found += [RuleFile(prefix, spec, rules)] if rules else []
    return tuple(found)


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


def _spec(lines: Sequence[str]) -> tuple[GitIgnoreSpec, list[int]]:
    """The valid rules, and the number of the line of each; invalid ones are skipped, as git does."""
    from pathspec import GitIgnoreSpec

    rule = _bounded_rule()
    patterns, numbers = [], []
    with warnings.catch_warnings(action="ignore"):  # `re`'s, about odd character sets
        for number, line in enumerate(lines, start=1):
            try:
                pattern = rule(line.removesuffix("\r")) if line else None  # type: ignore[arg-type]
            except (ValueError, re.error):
                continue
            if pattern is not None and pattern.include is not None:
                patterns.append(pattern)
                numbers.append(number)
    return GitIgnoreSpec(patterns, backend="simple"), numbers


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


def ruled_out(rules: Rules, path: str) -> Rule | None:
    """The rule that excludes `path`, which ends with "/" where it is a folder; None where it may be read.

    The nearest rules win, as in git, but those of any `.ragignore` come before those of any `.gitignore`.
    """
    verdict: tuple[bool, Rule] | None = None
    for prefix, spec, lines in reversed(rules):
        if verdict and lines[0].is_gits:
            continue
        found = spec.check_file(path[len(prefix) :])
        if found.include is not None and found.index is not None:
            verdict = (found.include, lines[found.index])
            if not lines[0].is_gits:
                break
    return verdict[1] if verdict and verdict[0] else None


def only_ours(rules: Rules) -> Rules:
    """Those of `.ragignore` alone."""
    return tuple(one for one in rules if not one.lines[0].is_gits)
