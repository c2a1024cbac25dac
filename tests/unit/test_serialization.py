"""The JSON of hits and locators, as a contract."""

from __future__ import annotations

import pytest

from rag.errors import WrongRequest
from rag.humanize import clock, place
from rag.serialization import explain_json, hit_json, locator_from_json, locator_json
from rag.types import Context, Hit, LaneRank, Lines, Locator, Member, Page, Seconds, Sheet, Similar, Slide, Whole

LOCATORS: list[tuple[Locator, dict[str, object], str]] = [
    (Page(12), {"page": 12}, "p. 12"),
    (Slide(3), {"slide": 3}, "slide 3"),
    (Sheet("Dues"), {"sheet": "Dues"}, "sheet Dues"),
    (Seconds(135.0, 165.0), {"start": 135.0, "end": 165.0}, "02:15–02:45"),
    (Lines(40, 58), {"line_start": 40, "line_end": 58}, "lines 40–58"),
    (Lines(4, 4), {"line_start": 4, "line_end": 4}, "line 4"),
    (Whole(), {}, ""),
]


@pytest.mark.parametrize(("locator", "value", "words"), LOCATORS)
def test_locators(locator: Locator, value: dict[str, object], words: str) -> None:
    assert locator_json(locator) == value
    assert locator_from_json(value) == locator
    assert place(locator) == words


@pytest.mark.parametrize("value", [{"page": "3"}, {"pages": 3}, {"start": 1.0}, {"line_start": 1}])
def test_what_is_no_locator_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(WrongRequest, match="not a locator"):
        locator_from_json(value)


def test_hours() -> None:
    assert clock(3735) == "1:02:15"


def test_the_keys_of_a_hit() -> None:
    hit = Hit(
        rank=1,
        id="abc",
        index="default",
        root="docs",
        document="a/b.pdf",
        path="/x/a/b.pdf",
        kind="page",
        modality="image",
        locator=Page(2),
        snippet="words",
        score=0.123456789,
        similarity=0.5,
        rerank_score=None,
        lanes={"dense": LaneRank(1, 0.5)},
        best=Page(2),
        members=(Member("abc", Page(2), 0.25),),
        context=Context(title="T", heading="H", about="by Ann", location=(52.5, -13.25)),
        dated=1588327200.0,
        fused=0.75,
        decided="fused",
        folded=(Similar("def", "docs", "a/c.pdf", "/x/a/c.pdf", Page(3), 0.2, "own"),),
        ranks={"fused": 4},
    )
    assert hit_json(hit) == {
        "rank": 1,
        "id": "abc",
        "index": "default",
        "root": "docs",
        "document": "a/b.pdf",
        "path": "/x/a/b.pdf",
        "kind": "page",
        "modality": "image",
        "locator": {"page": 2},
        "snippet": "words",
        "score": 0.123457,
        "similarity": 0.5,
        "rerank_score": None,
        "lanes": {"dense": {"rank": 1, "score": 0.5}},
        "best": {"page": 2},
        "members": [{"id": "abc", "locator": {"page": 2}, "score": 0.25}],
        "context": {"title": "T", "heading": "H", "slide": None, "sheet": "", "about": "by Ann"},
        "dated": 1588327200.0,
        "location": {"lat": 52.5, "lon": -13.25},
        "folded": [
            {
                **{"id": "def", "root": "docs", "document": "a/c.pdf", "path": "/x/a/c.pdf"},
                **{"locator": {"page": 3}, "score": 0.2, "index": "own"},
            }
        ],
    }
    assert explain_json(hit) == {
        "lanes": {"dense": {"rank": 1, "score": 0.5, "share": 1.0}},
        "fused": 0.75,
        "fused_rank": 4,
        "rerank_score": None,
        "rerank_rank": None,
        "score_is": "fused",
    }
