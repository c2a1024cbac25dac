"""The house stays a house: few modules stand outside its rooms, and each says in its own words what it is for.

Knows how the source is written; runs none of it.
"""

from __future__ import annotations

import re
from collections import defaultdict

from tests.house.source import TOP, modules

OUTSIDE = 10  # modules at the top of `rag`; a further one belongs into a room
LONGEST = 400  # lines
LITTLE = 20  # lines, up to which a purpose says enough
KNOWS = re.compile(  # Knows paths; knows no model. Knows options; the work is `rag.indexing`'s. Parses no language.
    r"\bknows?\b.*(?:;|\b(?:no|not|nothing|nobody|none|never|neither|only)\b)|\b\w+s (?:no|nothing)\b", re.IGNORECASE | re.DOTALL
)


def test_no_more_modules_stand_outside_the_rooms() -> None:
    outside = sorted(path.name for path in (TOP / "rag").glob("*.py") if path.name != "__init__.py")
    assert len(outside) <= OUTSIDE, f"find a room for one of {', '.join(outside)}"


def test_every_module_says_its_purpose_in_a_sentence() -> None:
    for module in modules("rag", "ui"):
        purpose = module.docstring.partition("\n")[0]
        words = re.findall(r"\w[\w'’-]*", purpose)
        where = module.path.relative_to(TOP)
        assert module.docstring, f"{where} has no docstring: say first what it is for"
        assert len(words) >= 3 and purpose[-1] in ".:?", f"{where}: {purpose!r} is no sentence that says a purpose"
        assert _letters(purpose) != _letters(module.name), f"{where} only repeats its name"


def test_no_two_modules_have_one_purpose() -> None:
    found = defaultdict(list)
    for module in modules("rag", "ui"):
        found[_letters(module.docstring.partition("\n")[0])].append(str(module.path.relative_to(TOP)))
    same = [names for names in found.values() if len(names) > 1]
    assert not same, f"say what sets them apart: {same}"


def test_a_module_of_any_size_says_what_it_knows_and_what_not() -> None:
    silent = [
        str(module.path.relative_to(TOP))
        for module in modules("rag", "ui")
        if module.lines > LITTLE and not KNOWS.search(module.docstring)
    ]
    assert not silent, f"let the docstring go on with what it knows, and what it does not: {', '.join(silent)}"


def test_no_module_is_too_long() -> None:
    long = [f"{module.path.relative_to(TOP)} ({module.lines} lines)" for module in modules("rag", "ui") if module.lines > LONGEST]
    assert not long, f"split them: {', '.join(long)}"


def _letters(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()
