"""How many results a whole list has. Knows numbers; knows no results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Total:
    """How many results there are: documents, or places, as they are grouped."""

    results: int
    exact: bool  # False: there are more, and the list ends before them
    counts: Mapping[str, Mapping[str, int]]  # "kinds", "folders", "roots": how many a filter by each would keep


def how_many(total: Total) -> str:
    """`1 result`, `27 results`, or `10,000+ results`."""
    return f"{total.results:,}{'' if total.exact else '+'} {'result' if total.results == 1 else 'results'}"
