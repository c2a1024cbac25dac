"""Which entries of a folder are read: what ignore files name is not, but what git tracks is, unless `.ragignore` names it.

Knows ignore files and git's list of tracked files; knows no document and no format.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

from rag.corpus.ignore import IGNORE_FILES, Rule, Rules, only_ours, ruled_out, rules_of
from rag.corpus.tracked import GIT, TrackedFiles


class Scope(NamedTuple):
    """What decides it in one folder. Paths are below the root; that of a folder ends with "/"."""

    base: Path  # the root
    heeded: tuple[str, ...] = IGNORE_FILES
    rules: Rules = ()  # of the folder and those above it
    tracked: TrackedFiles | None = None  # by the innermost repository that the folder lies in
    excluded: Rule | None = None  # leaves out the folder itself, but for what git tracks in it

    def entered(self, prefix: str, entries: AbstractSet[str]) -> Scope:
        """The scope in the folder `prefix`, which holds `entries`. OSError where its ignore files cannot be read."""
        rules = rules_of(self.base, prefix, entries & set(self.heeded))
        is_repository = GIT in entries and IGNORE_FILES[0] in self.heeded
        if not rules and not is_repository:
            return self
        return self._replace(rules=self.rules + rules, tracked=TrackedFiles(self.base, prefix) if is_repository else self.tracked)

    def leaves_out(self, path: str) -> Rule | None:
        """The rule that leaves a file or a folder out; None where it is read."""
        rule = self._names(path)
        if rule is None or not rule.is_gits or self.tracked is None:
            return rule
        is_tracked = self.tracked.has_below(path) if path.endswith("/") else self.tracked.has(path)
        return ruled_out(only_ours(self.rules), path) if is_tracked else rule

    def below(self, path: str) -> Scope:
        """The scope of a folder that is not left out: where a rule names it, it is read for what git tracks in it alone."""
        rule = self._names(path) if path else None
        return self if rule is self.excluded else self._replace(excluded=rule)

    def remarks(self) -> tuple[str, ...]:
        """What went wrong with git's list, once."""
        return () if self.tracked is None else self.tracked.take_trouble()

    def _names(self, path: str) -> Rule | None:
        return self.excluded or (ruled_out(self.rules, path) if self.rules else None)
