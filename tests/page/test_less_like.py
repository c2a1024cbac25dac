"""Less like this: from the viewer and from the preview; what the box shows of it, and how it is taken back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.page.axe import violations
from tests.page.conftest import Server, Visit
from tests.page.reading import asked, names


def less_like_first(page: Page, within: str) -> str:
    """Presses *Less like this* for the first card; its id."""
    first = page.locator(".card").first
    id = first.get_attribute("data-id")
    page.locator(within).get_by_role("button", name="Less like this").click()
    page.wait_for_url(lambda url: f"less={id}" in url)
    return str(id)


def test_results_like_it_go_and_come_back(server: Server, visit: Visit) -> None:
    visitor = visit(server, width=1440, height=900)
    page = visitor.search("?q=harbour&kind=image")
    before = names(page)
    expect(page.locator(".pane-view .facts")).to_be_visible()
    id = less_like_first(page, ".pane-view")
    expect(page.locator(f'.card[data-id="{id}"]')).to_have_count(0)
    visitor.settled()
    assert asked(page)["q"] == ["harbour"] and asked(page)["less"] == [id]
    assert set(names(page)) < set(before)
    expect(page.locator(".unwanted-face img")).to_be_visible()
    assert violations(page) == []
    visitor.shot("less-like")
    page.reload()
    visitor.settled()
    expect(page.locator(f'.card[data-id="{id}"]')).to_have_count(0)
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator(f'.card[data-id="{id}"]')).to_have_count(1)
    visitor.settled()
    assert names(page) == before and "less" not in asked(page)


def test_the_viewer_closes_and_the_words_stay(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.search("?q=lighthouse")
    page.locator(".card-open").first.click()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    id = less_like_first(page, "dialog.viewer")
    expect(page.locator("dialog.viewer")).to_be_hidden()
    expect(page.locator(f'.card[data-id="{id}"]')).to_have_count(0)
    expect(page.locator("#rag-words")).to_have_value("lighthouse")
    page.go_back()
    expect(page.locator(f'.card[data-id="{id}"]').first).to_be_visible()
