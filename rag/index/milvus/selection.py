"""What filters, phrases and excluded words leave: an expression for Milvus, and what must be verified of its rows.

Knows expressions and rows; sends nothing. An expression selects too much rather than too little; verification is our own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.index.catalog.schema import KIND_CODES
from rag.index.milvus.engine import Row
from rag.index.milvus.names import among, both, document_key, either, from_field, paths_alike, to_field
from rag.index.reader.path_globs import matcher, names_of
from rag.text.query_syntax import ParsedQuery
from rag.types import Filters

NOTHING = 'key == ""'
Check = Callable[[Sequence[Row]], Sequence[bool]]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Some passages. `keys` names them where they were counted; else `check` verifies rows, and the length is an upper bound."""

    expression: str
    count: int
    keys: frozenset[str] | None = None
    check: Check | None = None

    def __len__(self) -> int:
        return self.count


def expression_of(wanted: Filters) -> str:
    """An expression for all passages that the filters allow, and perhaps more: paths are verified by `path_check`."""
    asked = []
    if wanted.kinds:
        asked.append(f"kind in [{', '.join(str(KIND_CODES[kind]) for kind in wanted.kinds if kind in KIND_CODES)}]")
    if wanted.after is not None:
        asked.append(f"dated >= {float(wanted.after)!r}")
    if wanted.before is not None:
        asked.append(f"dated < {float(wanted.before)!r}")
    if wanted.roots:
        asked.append(among("root", map(to_field, wanted.roots)))
    if wanted.documents:
        asked.append(among("document", map(document_key, wanted.documents)))
    if wanted.paths:
        asked.append(paths_alike(wanted.paths))
    return both(*asked)


def path_check(paths: Sequence[str]) -> Check:
    """Whether one of the globs means a passage's document, or the file inside it."""
    fits = matcher(paths)

    def kept(rows: Sequence[Row]) -> list[bool]:
        found: dict[tuple[str, str], bool] = {}
        for row in rows:
            place = (row["path"], row["inner"])
            if place not in found:
                path, inner = map(from_field, place)
                found[place] = fits(path) or (bool(inner) and any(map(fits, names_of(path, inner))))
        return [found[row["path"], row["inner"]] for row in rows]

    return kept


def demanded_expression(question: ParsedQuery) -> str:
    """An expression for the passages that hold every phrase a query demands; what it excludes is verified only."""
    return both(*(either([_side_by_side(phrase) for phrase in unit.phrases]) for unit in question.demanded))


def both_checks(*checks: Check | None) -> Check | None:
    """A row passes all of them."""
    asked = [check for check in checks if check is not None]
    if not asked:
        return None
    return lambda rows: [all(each) for each in zip(*(check(rows) for check in asked), strict=True)]


def only(keys: Sequence[str], within: str = "") -> Selection:
    """The passages with these keys."""
    return Selection(both(among("key", keys), within) if keys else NOTHING, len(keys), frozenset(keys))


def _side_by_side(phrase: str) -> str:
    """The terms of a phrase in FTS5's grammar, between the spaces that separate terms."""
    begins = phrase.endswith("*")
    terms = phrase.removesuffix("*").strip().strip('"')
    return f'terms like "% {to_field(terms)}{"" if begins else " "}%"'
