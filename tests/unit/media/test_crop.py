"""The part of a page that shows its matches."""

from __future__ import annotations

from typing import Any

import pytest

from rag.media.crop import WIDTH, Crop, crop_around, regions_within

A4 = (595.0, 842.0)


def region(x: float, y: float, words: str = "pilot") -> dict[str, Any]:
    return {"x": x, "y": y, "width": 0.05, "height": 0.01, "words": words}


def test_it_lies_around_the_match_and_inside_the_page() -> None:
    middle = crop_around([region(0.475, 0.495)], A4)
    assert middle is not None and middle.width == WIDTH
    assert middle.x + middle.width / 2 == pytest.approx(0.5) and middle.y + middle.height / 2 == pytest.approx(0.5, abs=1e-3)
    assert middle.width * A4[0] / (middle.height * A4[1]) == pytest.approx(1.6, abs=1e-3)
    for corner in (region(0.0, 0.0), region(0.95, 0.99)):
        part = crop_around([corner], A4)
        assert part is not None and part.x >= 0 and part.y >= 0
        assert part.x + part.width <= 1.0001 and part.y + part.height <= 1.0001
        assert len(regions_within(part, [corner])) == 1


def test_different_words_count_more_than_the_same_again() -> None:
    thrice = [region(0.4, 0.10), region(0.4, 0.12), region(0.4, 0.14)]
    both = [region(0.4, 0.80), region(0.4, 0.82, "harbour")]
    part = crop_around(thrice + both, A4)
    assert part is not None and [one["words"] for one in regions_within(part, thrice + both)] == ["pilot", "harbour"]


def test_regions_are_given_in_the_part_and_cut_at_its_edge() -> None:
    part = Crop(0.2, 0.4, 0.5, 0.25)
    [inside] = regions_within(part, [{"x": 0.45, "y": 0.5, "width": 0.1, "height": 0.05, "words": "a"}])
    assert inside == {"x": 0.5, "y": 0.4, "width": 0.2, "height": 0.2, "words": "a"}
    [cut] = regions_within(part, [{"x": 0.1, "y": 0.5, "width": 0.2, "height": 0.05, "words": "a"}])
    assert (cut["x"], cut["width"]) == (0.0, 0.2)


def test_there_is_none_without_a_match_or_on_a_ribbon() -> None:
    assert crop_around([], A4) is None
    assert crop_around([region(0.4, 0.4)], (1000.0, 100.0)) is None
