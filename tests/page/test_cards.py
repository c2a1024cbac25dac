"""What a card shows: the part of a page with the match and its outline, whole pictures where a cut would hide much; all sharp."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.page.conftest import Server, Visit


def test_a_page_is_cut_to_the_match_and_outlines_it(server: Server, visit: Visit) -> None:
    visitor = visit(server, width=1440, height=900)
    page = visitor.search("?q=porpoise&kind=page")
    card = page.locator('.card:has-text("annual-report-2025.pdf")').first
    region = card.locator(".region").first
    expect(region).to_be_visible()
    expect(region).to_have_attribute("title", re.compile("porpoise", re.I))
    expect(card.locator("img")).to_have_attribute("src", re.compile(r"crop=0\.\d+,0\.\d+,0\.55"))
    look, outline = card.locator(".card-look").bounding_box(), region.bounding_box()
    assert look is not None and outline is not None
    assert look["x"] <= outline["x"] and outline["x"] + outline["width"] <= look["x"] + look["width"] + 1
    assert look["y"] <= outline["y"] and outline["y"] + outline["height"] <= look["y"] + look["height"] + 1
    assert 6 < outline["height"] < 30  # letters that can be read
    visitor.shot("cards-page")


def test_no_match_is_looked_for_before_the_order_stands(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    asked: list[str] = []
    visitor.page.on("request", lambda one: asked.append(one.url))
    page = visitor.open()
    page.locator("#rag-words").press_sequentially("porpoise", delay=40)
    visitor.settled()
    expect(page.locator(".card .region").first).to_be_visible()
    looked = [url for url in asked if "/match?" in url]
    assert looked and all("words=porpoise" in url for url in looked)


@pytest.mark.parametrize(("width", "scale"), [(390, 3), (1440, 2)])
def test_pictures_are_sharp_and_not_cut_where_that_would_hide_much(server: Server, visit: Visit, width: int, scale: int) -> None:
    page = visit(server, width=width, height=900, device_scale_factor=scale).search("?q=harbour&kind=image&kind=screenshot")
    images = page.locator(".card-look img")
    expect(images.first).to_be_visible()
    for at in range(min(6, images.count())):
        seen = measured(images.nth(at))
        assert seen["shown"] >= 0.72 or seen["fit"] == "contain", seen
        assert seen["pixels"] >= min(2, scale) * 0.9, seen


def measured(image: Locator) -> dict[str, float | str]:
    """The share of a picture that is seen, how it fits its card, and its pixels for each pixel of the page."""
    found: dict[str, float | str] = image.evaluate(
        """async (image) => {
            image.loading = "eager";
            await image.decode();
            const { width, height } = image.getBoundingClientRect();
            const fit = getComputedStyle(image).objectFit;
            const [x, y] = [width / image.naturalWidth, height / image.naturalHeight];
            const scale = fit === "contain" ? Math.min(x, y) : Math.max(x, y);
            return { fit, shown: Math.min(x, y) / Math.max(x, y), pixels: 1 / scale };
        }"""
    )
    return found
