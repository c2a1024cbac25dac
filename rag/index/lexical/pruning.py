"""Chooses which passages are worth scoring: full-text expressions from narrow to broad, and how many passages each matches.

Knows units and their frequencies; knows no connection and no scores.

An OR of common words matches most of a large index, and BM25 would then score all of it. The best passages contain the rare
words, or several of the common ones, so each step requires that: any of the rare units, or at least j of the common ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text.query_syntax import Unit

_MAX_FIRST_STEP = 4_000  # passages: units that occur in no more of them, taken together, are rare; the first step matches no more
_COMMON_UNITS = 4  # the rarest of the common units are combined; "at least 3 of 4" expands to 8 terms, "of 5" to 19


@dataclass(frozen=True, slots=True)
class PruningStep:
    """A full-text expression, and about how many passages match it if words occur independently."""

    expression: str
    passages: float


def pruning_steps(ranked: Sequence[tuple[Unit, int]], live: int) -> tuple[list[PruningStep], int]:
    """The steps from the narrowest to "any unit", and the index of the first to try. Units come rarest first, with their counts.

    `live` is the number of live passages.
    """
    units = [unit for unit, _ in ranked]
    total = sum(count for _, count in ranked)
    everything = PruningStep(any_of(units), float(total))
    rare, seen = 0, 0
    while rare < len(ranked) and seen + ranked[rare][1] <= _MAX_FIRST_STEP:
        seen += ranked[rare][1]
        rare += 1
    common = ranked[rare : rare + _COMMON_UNITS]
    if not common:
        return [everything], 0
    chances = _chances_of_at_least([min(1.0, count / max(live, 1)) for _, count in common])
    found = [PruningStep(any_of(units[:rare]), float(seen))] if rare else []
    for wanted in range(len(common), 1, -1):
        joined = at_least(wanted, [unit for unit, _ in common])
        either = " OR ".join((*(unit.expression for unit in units[:rare]), joined))
        found.append(PruningStep(f"({either})", seen + chances[wanted] * live))
    found.append(everything)
    first = max((at for at, step in enumerate(found) if step.passages <= _MAX_FIRST_STEP), default=0)
    return found, first


def any_of(units: Sequence[Unit]) -> str:
    """An expression that matches any of the units."""
    return f"({' OR '.join(unit.expression for unit in units)})"


def at_least(wanted: int, units: Sequence[Unit]) -> str:
    """An expression for `wanted` or more of the units: the first one and wanted - 1 of the others, or `wanted` of the others."""
    if wanted <= 1:
        return any_of(units)
    if wanted == len(units):
        return f"({' AND '.join(unit.expression for unit in units)})"
    return f"(({units[0].expression} AND {at_least(wanted - 1, units[1:])}) OR {at_least(wanted, units[1:])})"


def _chances_of_at_least(chances: Sequence[float]) -> list[float]:
    """The probabilities that at least 0, 1, 2 … of independent events happen."""
    exactly = [1.0]
    for chance in chances:
        exactly = [
            (exactly[n] * (1 - chance) if n < len(exactly) else 0.0) + (exactly[n - 1] * chance if n else 0.0)
            for n in range(len(exactly) + 1)
        ]
    return [math.fsum(exactly[n:]) for n in range(len(exactly))]
