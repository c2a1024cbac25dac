"""The Chinese catalogue of the page: it has every reason why a file is not read, and nothing that is not said any more."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).parents[3]
CATALOGUE: dict[str, str] = json.loads((TOP / "ui/static/messages-zh.json").read_text("utf-8"))
REASONS = ("UnreadableDocument", "Ignored", "Inaccessible")
SAMPLE = "7"  # what stands at a gap


def template(node: ast.expr) -> str | None:
    """A string of the source with `{}` for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def strings() -> Iterator[tuple[str, bool]]:
    """Every string of the package, and whether it is the reason of a file that is not read."""
    for file in (TOP / "rag").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            found = template(node) if isinstance(node, ast.expr) else None
            if found is not None:
                yield found, False
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REASONS:
                given = [one for arg in node.args for one in ([arg.body, arg.orelse] if isinstance(arg, ast.IfExp) else [arg])]
                yield from ((one, True) for arg in given if (one := template(arg)) and " " in one)


def in_chinese(text: str) -> str:
    """As `frontend/src/said.ts` does it."""
    for english in sorted(CATALOGUE, key=lambda one: -len(one.replace("{}", ""))):
        if found := re.fullmatch("(.+?)".join(map(re.escape, english.split("{}"))), text, re.DOTALL):
            words = CATALOGUE[english]
            for at, part in enumerate(found.groups(), start=1):
                words = words.replace(f"{{{at}}}", in_chinese(part))
            return words
    return text


def test_every_reason_why_a_file_is_not_read_is_in_chinese() -> None:
    reasons = {reason.replace("{}", SAMPLE) for reason, is_reason in strings() if is_reason and reason != "{} {}"}
    assert len(reasons) > 80
    left = {reason for reason in reasons if re.search("[A-Za-z]{3,} [a-z]{3,} [a-z]{2,}", in_chinese(reason))}
    assert left == set()


def test_no_message_is_there_that_is_not_said_any_more() -> None:
    said = "\n".join(text for text, _ in strings())
    for english in CATALOGUE:
        longest = max(re.split(r"[{}]+|`|; ", english), key=len).strip()
        assert longest in said, english


def test_both_have_the_same_gaps() -> None:
    for english, chinese in CATALOGUE.items():
        assert {str(at + 1) for at in range(english.count("{}"))} == set(re.findall(r"\{(\d)\}", chinese)), english
