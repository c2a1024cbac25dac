"""Assigns cards, or shares of them, to servers, and a processor's memory to keys and values.

Knows needs and cards; knows no flag and no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.backends.devices import Card
from rag.errors import WrongRequest
from rag.models.memory import MemoryNeed, shares

MOST_PROMPTS = 4  # longest prompts whose keys and values a processor keeps at once


@dataclass(frozen=True, slots=True)
class Placement:
    """The cards of one server (none if the machine's are not known), and its share of the memory of each."""

    cards: tuple[Card, ...]
    share: float


def placed(
    needs: Sequence[MemoryNeed | None], cards: Sequence[Card], tensor_parallel: int, data_parallel: int, whole: float
) -> list[Placement]:
    """A placement for each server: cards of its own if there are enough, else one set of cards shared by all.

    `whole`: share of a card for all servers together. WrongRequest if cards or memory do not suffice.
    """
    if not cards:
        return [Placement((), share) for share in shares(needs, total=0, free=0, whole=whole)]
    count = tensor_parallel * data_parallel
    blocks = [tuple(cards[start : start + count]) for start in range(0, len(cards) - count + 1, count)]
    if not blocks:
        raise WrongRequest(
            f"tensor parallel {tensor_parallel} × data parallel {data_parallel} takes {count} cards; there are {len(cards)}",
            remedy="choose a smaller --tensor-parallel or --data-parallel",
        )
    if len(blocks) < len(needs):
        return [Placement(blocks[0], share) for share in room_on(needs, blocks[0], whole)]
    return [_first_fitting(need, blocks, whole) for need in needs]


def room_on(needs: Sequence[MemoryNeed | None], cards: Sequence[Card], whole: float) -> list[float]:
    """The share of each server on cards that all of them use. WrongRequest, with the arithmetic, if they do not fit."""
    total = min((card.total for card in cards), default=0)
    free = min((card.free for card in cards), default=0)
    return shares(needs, total=total, free=free, whole=whole)


def prompts_at_once(needs: Sequence[MemoryNeed | None], cards: Sequence[Card], whole: float) -> int:
    """How many longest prompts fit into memory for each server, beside the weights: 1 … MOST_PROMPTS."""
    total = min((card.total for card in cards), default=0)
    known = [need for need in needs if need is not None]
    if not total or len(known) < len(needs):
        return MOST_PROMPTS
    rest = whole * total - sum(need.weights + need.working for need in known)
    return max(1, min(MOST_PROMPTS, int(rest // sum(need.prompt for need in known))))


def _first_fitting(need: MemoryNeed | None, blocks: list[tuple[Card, ...]], whole: float) -> Placement:
    """The first cards with room, removed from `blocks`. If none have room, raises the refusal for the first."""
    refusals = []
    for block in blocks:
        try:
            share = room_on([need], block, whole)[0]
        except WrongRequest as refusal:
            refusals.append(refusal)
            continue
        blocks.remove(block)
        return Placement(block, share)
    raise refusals[0]
