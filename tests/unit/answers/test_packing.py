"""Evidence within a budget. Knows packing and passages made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rag.answers.leads import Lead
from rag.answers.packing import Costs, pack
from rag.types import Context, DocumentId, Hit, Kind, Lines, Member, Passage, StoredPassage

COSTS = Costs(
    label=lambda _: 10, words=lambda one: len(one.passage.text.split()), picture=lambda lead: 50 if seen(lead) else None
)


def seen(lead: Lead) -> bool:
    return lead.best.passage.modality == "image"


def stored(name: str, ordinal: int, words: int, kind: Kind = "text", text: str = "") -> StoredPassage:
    passage = Passage(
        DocumentId("r", name), ordinal, Lines(ordinal, ordinal), kind, "text" if kind == "text" else "image",
        text=text or " ".join(f"{name}-{ordinal}-{word}" for word in range(words)),
    )  # fmt: skip
    return StoredPassage(ordinal, f"{name}{ordinal}", passage, Path("/r") / name, 0.0)


def lead(name: str, score: float, words: int, kind: Kind = "text", around: int = 0, own: int = 1) -> Lead:
    mine = tuple(stored(name, 10 + at, words, kind) for at in range(own))
    first, members = mine[0].passage, tuple(Member(one.id, one.passage.locator, score) for one in mine)
    hit = Hit(
        1, mine[0].id, "i", "r", name, f"/r/{name}", kind, first.modality, first.locator, "", score, None, None, {},
        first.locator, members, Context(), score, "fused",
    )  # fmt: skip
    return Lead(hit, mine[0], mine, tuple(stored(name, 10 + own + at, words) for at in range(around)))


def inside(leads: list[Lead], budget: int, pictures: int = 0) -> dict[str, list[str]]:
    packed = pack(leads, budget, COSTS, pictures)
    assert sum(one.tokens for one in packed) <= budget
    return {one.lead.hit.document: [each.id for each in one.passages] for one in packed}


def test_what_does_not_fit_is_left_out_whole_and_the_next_is_tried() -> None:
    leads = [lead("a", 0.9, 100), lead("b", 0.8, 500), lead("c", 0.7, 100)]
    assert inside(leads, 225) == {"a": ["a10"], "c": ["c10"]}
    assert inside(leads, 5) == {}


def test_of_a_group_too_large_the_passage_that_was_found_gets_in() -> None:
    assert inside([lead("a", 0.9, 100, own=3)], 150) == {"a": ["a10"]}
    assert inside([lead("a", 0.9, 100, own=3)], 350) == {"a": ["a10", "a11", "a12"]}


def test_the_first_hits_get_their_surroundings_before_the_later_hits_come() -> None:
    leads = [lead(name, 0.9 - at / 100, 20, around=1) for at, name in enumerate("abcdefgh")]
    assert inside(leads, 6 * 50) == {name: [f"{name}10", f"{name}11"] for name in "abcdef"}


def test_the_best_of_each_comparable_kind_comes_among_the_first() -> None:
    texts = [lead(f"t{at}", 0.9 - at / 100, 100) for at in range(9)]
    assert set(inside([*texts, lead("pic", 0.6, 20, "image"), lead("far", 0.2, 70, "page")], 300)) == {"t0", "pic", "t1"}


def test_pictures_are_seen_up_to_their_number_and_then_read() -> None:
    leads = [lead(f"p{at}", 0.9, 30, "image") for at in range(3)]
    packed = pack(leads, 1_000, COSTS, 2)
    assert [(one.seen, one.tokens) for one in packed] == [(True, 60), (True, 60), (False, 40)]


def test_the_same_words_get_in_once() -> None:
    first, second = lead("a", 0.9, 20), lead("b", 0.8, 20)
    same = replace(second.best, passage=replace(second.best.passage, text=first.best.passage.text.upper()))
    assert inside([first, replace(second, best=same, own=(same,))], 1_000) == {"a": ["a10"]}


def test_nothing_is_packed_of_nothing() -> None:
    assert pack([], 1_000, COSTS, 3) == []
