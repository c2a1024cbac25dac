"""Groups adjacent hits of one document: frames into a time range, lines into a span.

Knows locators and scores; knows no index, no model and no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.types import Lines, Locator, Passage, Seconds, StoredPassage

NEAR_SECONDS = 12.0  # frames further apart are different scenes
NEAR_LINES = 3  # blank lines may lie between two spans
COMPARABLE = 0.7  # a neighbour below this share of the best score, or with a score of 0, stays a hit of its own


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with the score that ranks it."""

    stored: StoredPassage
    score: float


@dataclass(frozen=True, slots=True)
class Group:
    """One result: its best passage, a locator that covers all its passages, and those passages in document order."""

    best: Scored
    locator: Locator
    members: tuple[Scored, ...]


def group(scored: Sequence[Scored]) -> list[Group]:
    """Groups in the order of their best score. Every passage is in exactly one group, each of one document or file inside it.

    A group grows from its best passage in both directions, over neighbours that are near and score comparably.
    """
    by_document: dict[object, list[Scored]] = {}
    for one in scored:
        by_document.setdefault(_document(one), []).append(one)
    for members in by_document.values():
        members.sort(key=lambda one: one.stored.passage.ordinal)
    grouped: set[int] = set()
    groups = []
    for one in scored:
        if one.stored.number in grouped:
            continue
        members = _around(one, by_document[_document(one)], grouped)
        grouped |= {member.stored.number for member in members}
        groups.append(Group(one, _cover([member.stored.passage.locator for member in members]), tuple(members)))
    return groups


def _document(one: Scored) -> object:
    return one.stored.index, one.stored.passage.document, one.stored.passage.inner


def _around(best: Scored, document: list[Scored], grouped: set[int]) -> list[Scored]:
    if len(document) == 1:
        return [best]
    at = document.index(best)
    members = [best]
    for step in (1, -1):
        edge, position = best, at + step
        while 0 <= position < len(document):
            one = document[position]
            near = _near(edge.stored.passage, one.stored.passage)
            comparable = one.score > 0 and one.score >= COMPARABLE * best.score
            if not near or one.stored.number in grouped or not comparable:
                break
            members.append(one)
            edge, position = one, position + step
    return sorted(members, key=lambda one: one.stored.passage.ordinal)


def _near(one: Passage, other: Passage) -> bool:
    """Whether two passages show the same place: frames of one scene, or lines under one heading."""
    match one.locator, other.locator:
        case Seconds() as first, Seconds() as second:
            return max(first.start, second.start) - min(first.end, second.end) <= NEAR_SECONDS
        case Lines() as first, Lines() as second:
            gap = max(first.start, second.start) - min(first.end, second.end)
            return gap <= NEAR_LINES and one.context.heading == other.context.heading
    return False


def _cover(locators: Sequence[Locator]) -> Locator:
    first = locators[0]
    if isinstance(first, Seconds):
        times = [locator for locator in locators if isinstance(locator, Seconds)]
        return Seconds(min(time.start for time in times), max(time.end for time in times))
    if isinstance(first, Lines):
        spans = [locator for locator in locators if isinstance(locator, Lines)]
        return Lines(min(span.start for span in spans), max(span.end for span in spans))
    return first
