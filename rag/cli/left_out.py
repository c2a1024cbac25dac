"""What a run left out by rule, printed: the reasons, the rules of ignore files one a line, and how to have what they name.

Knows printing only.
"""

from __future__ import annotations

from collections.abc import Mapping

from rag.cli.terminal import harmless
from rag.corpus.ignore import EXCLUDED

RULES = 10  # shown; --json has them all


def print_ignored(ignored: Mapping[str, int], label: str = "ignored: ") -> None:
    """One line for all reasons, and one for each rule; a folder that is not looked into counts as one."""
    others = {reason: count for reason, count in ignored.items() if not reason.startswith(EXCLUDED)}
    rules = {reason: count for reason, count in ignored.items() if reason.startswith(EXCLUDED)}
    if others:
        print(label + ", ".join(f"{count} {harmless(reason)}" for reason, count in sorted(others.items())))
    often = sorted(rules.items(), key=lambda one: (-one[1], one[0]))
    for reason, count in often[:RULES]:
        print(f"{label}{count} {harmless(reason)}")
    if often[RULES:]:
        print(f"{label}{sum(count for _, count in often[RULES:])} by {len(often) - RULES} more rules (--json lists them)")
    if any(".gitignore:" in reason for reason in rules):
        print("to have what .gitignore names: rag index --no-ignore, or a line !PATTERN in .ragignore")
    elif rules:
        print("to have them: take those lines out of .ragignore")
