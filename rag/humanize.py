"""`1 document`, `2 documents`. Knows numbers and words only."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """The number before the word that goes with it; `many` where an s does not make it."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"
