"""Packs evidence to a budget of tokens: whole passages, the best hits first, every kind present, nothing twice.

Knows leads and counts; knows no prompt's wording, no model and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rag.answers.leads import Lead
from rag.search.hits import shown_words
from rag.text.folding import folded
from rag.types import StoredPassage

FIRST = 6  # hits that get in before any of them gets its surroundings
COMPARABLE = 0.5  # the best hit of another kind comes among the first if its score is this share of the best


@dataclass(frozen=True, slots=True)
class Costs:
    """What things take in the prompt, in tokens."""

    label: Callable[[Lead], int]  # the fence and the name of a source
    words: Callable[[StoredPassage], int]
    picture: Callable[[Lead], int | None]  # None: it is not shown as a picture


@dataclass(slots=True)
class Packed:
    """A lead that found room, and the passages of it that are in."""

    lead: Lead
    passages: list[StoredPassage] = field(default_factory=list)
    seen: bool = False  # as a picture
    tokens: int = 0


def pack(leads: Sequence[Lead], budget: int, costs: Costs, pictures: int) -> list[Packed]:
    """What fits into `budget` tokens, in the order of the hits. At most `pictures` are shown as such, others by their words.

    The first hits come with all passages that they group, or else with the one they were found by; then follow their
    surroundings, nearest first; then the other hits. A passage that does not fit is left out whole, and the next one is tried.
    """
    room = _Room(budget, costs, pictures)
    order = fair(leads)
    for lead in order[:FIRST]:
        room.take(lead)
    room.widen()
    for lead in order[FIRST:]:
        room.take(lead)
    room.widen()
    place = {id(lead): at for at, lead in enumerate(leads)}
    return sorted(room.packed, key=lambda one: place[id(one.lead)])


def fair(leads: Sequence[Lead]) -> list[Lead]:
    """The leads in the order they get in: the best, then the best of each other kind that is comparable, then the rest."""
    if not leads:
        return []
    least = COMPARABLE * leads[0].hit.score
    firsts: dict[str, Lead] = {}
    for lead in leads:
        if lead.hit.score >= least:
            firsts.setdefault(lead.hit.kind, lead)
    chosen = {id(lead) for lead in firsts.values()}
    return [*firsts.values(), *(lead for lead in leads if id(lead) not in chosen)]


class _Room:
    """What is left of the budget, and what is in."""

    def __init__(self, budget: int, costs: Costs, pictures: int) -> None:
        self.packed: list[Packed] = []
        self._left, self._costs, self._pictures = budget, costs, pictures
        self._inside: set[tuple[str, str]] = set()  # id and file of passages
        self._texts: set[str] = set()

    def take(self, lead: Lead) -> None:
        """Lets a lead in: as a picture, or with all its passages, or with its best one, or not at all."""
        label = self._costs.label(lead)
        picture = self._costs.picture(lead) if self._pictures else None
        if picture is not None and label + picture <= self._left:
            self._pictures -= 1
            self._add(Packed(lead, list(lead.own), seen=True, tokens=label + picture))
            return
        for passages in (lead.own, (lead.best,)):
            fresh = [one for one in passages if self._is_new(one)]
            cost = label + sum(map(self._costs.words, fresh))
            if fresh and cost <= self._left:
                self._add(Packed(lead, fresh, tokens=cost))
                return

    def widen(self) -> None:
        """Adds the surroundings of what is in, the nearest of every source before the next of any."""
        reading = [one for one in self.packed if not one.seen]
        for step in range(max((len(one.lead.around) for one in reading), default=0)):
            for one in reading:
                if step < len(one.lead.around):
                    self._extend(one, one.lead.around[step])

    def _extend(self, packed: Packed, passage: StoredPassage) -> None:
        cost = self._costs.words(passage)
        if cost > self._left or not self._is_new(passage):
            return
        packed.passages = sorted([*packed.passages, passage], key=lambda each: each.passage.ordinal)
        packed.tokens += cost
        self._remember(passage)
        self._left -= cost

    def _add(self, packed: Packed) -> None:
        self._left -= packed.tokens
        self.packed.append(packed)
        for passage in packed.passages:
            self._remember(passage)

    def _is_new(self, stored: StoredPassage) -> bool:
        text = _key(stored)
        return (stored.id, str(stored.file)) not in self._inside and (not text or text not in self._texts)

    def _remember(self, stored: StoredPassage) -> None:
        self._inside.add((stored.id, str(stored.file)))
        self._texts.add(_key(stored))


def _key(stored: StoredPassage) -> str:
    """What two passages have in common that say the same."""
    return " ".join(folded(shown_words(stored.passage)).casefold().split())
