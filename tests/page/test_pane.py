"""The preview beside the list: what selects, what opens, how it is hidden, and where there is none."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.page.axe import violations
from tests.page.conftest import Server, Visit

SHOWN = ".pane-view .viewer-name h2"


def first_names(page: Page) -> list[str]:
    return page.locator(".card h3").all_text_contents()


def test_a_click_and_the_arrow_keys_change_it_and_enter_opens(server: Server, visit: Visit) -> None:
    visitor = visit(server, width=1440, height=900)
    page = visitor.search("?q=harbour")
    names = first_names(page)
    expect(page.locator(SHOWN)).to_have_text(names[0])  # the best one, without a click
    expect(page.locator(".card.is-shown h3")).to_have_text(names[0])
    page.locator(".card-open").nth(2).click()
    expect(page.locator(SHOWN)).to_have_text(names[2])
    expect(page.locator("dialog.viewer")).to_have_count(0)
    assert "open=" not in page.url
    visitor.shot("pane")
    assert violations(page) == []
    page.keyboard.press("ArrowLeft")
    expect(page.locator(SHOWN)).to_have_text(names[1])
    expect(page.locator('.card-open[aria-current="true"]')).to_have_text(names[1])
    page.keyboard.press("Enter")
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    assert "open=" in page.url
    page.keyboard.press("ArrowRight")  # the full view has the hits before and after
    expect(page.locator("#viewer-title")).to_have_text(names[2])
    page.keyboard.press("Escape")
    expect(page.locator("dialog.viewer")).to_be_hidden()
    expect(page.locator(SHOWN)).to_have_text(names[2])  # where the person was last


def test_words_on_a_screenshot_are_outlined_after_it_is_shown(server: Server, visit: Visit) -> None:
    """The list and the picture are there first; the boxes follow once a person rests on the result."""
    visitor = visit(server, width=1440, height=900)
    page = visitor.search("?q=dentist&kind=screenshot")
    expect(page.locator(".pane-view .sheet img")).to_be_visible()
    expect(page.locator(".pane-view .region").first).to_be_visible()
    assert (page.locator(".pane-view .region").first.get_attribute("title") or "").casefold() == "dentist"
    visitor.shot("pane-screenshot")


def test_a_double_click_or_its_button_opens_the_full_view(server: Server, visit: Visit) -> None:
    page = visit(server, width=1440, height=900).search("?q=lighthouse&kind=image")
    page.locator(".card-open").nth(1).dblclick()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.viewer")).to_be_hidden()
    page.get_by_role("button", name="Full view").click()
    expect(page.locator("#viewer-title")).to_have_text(first_names(page)[1])
    expect(page.get_by_role("button", name="Next result")).to_be_enabled()


def test_it_is_hidden_for_good_and_shown_again(server: Server, visit: Visit) -> None:
    page = visit(server, width=1440, height=900).search("?q=lighthouse")
    narrow = page.locator("#rag-results .grid").bounding_box()
    page.get_by_role("button", name="Hide the preview").click()
    expect(page.locator(".pane")).to_be_hidden()
    wide = page.locator("#rag-results .grid").bounding_box()
    assert narrow is not None and wide is not None and wide["width"] > narrow["width"] + 400
    page.reload()
    page.wait_for_selector('.search[data-settled="true"]')
    expect(page.locator(".pane")).to_be_hidden()
    page.locator(".card-open").first.click()  # without it, a click opens
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show the preview").click()
    expect(page.locator(SHOWN)).to_have_text(first_names(page)[0])
    page.keyboard.press("p")
    expect(page.locator(".pane")).to_be_hidden()
    page.keyboard.press("p")
    expect(page.locator(SHOWN)).to_be_visible()


def test_it_follows_the_query_and_stays_on_scroll(server: Server, visit: Visit) -> None:
    visitor = visit(server, width=1440, height=900)
    page = visitor.search("?q=porpoise&kind=page")
    expect(page.locator(".pane-view .region").first).to_be_visible()
    visitor.open("?q=harbour&kind=text")
    visitor.settled()
    expect(page.locator(SHOWN)).to_have_text(first_names(page)[0])
    expect(page.locator(".pane-view .reader-own mark").first).to_be_visible()
    before = page.locator(".pane").bounding_box()
    page.mouse.move(400, 600)
    page.mouse.wheel(0, 1500)
    page.wait_for_function("() => scrollY > 800")
    after = page.locator(".pane").bounding_box()
    assert before is not None and after is not None and after["y"] == pytest.approx(176, abs=1)
    assert after["y"] + after["height"] <= 900
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator(".pane")).to_be_hidden()


def test_a_video_in_it_waits_to_be_started(server: Server, visit: Visit) -> None:
    visitor = visit(server, width=1440, height=900)
    asked: list[str] = []
    visitor.page.on("request", lambda one: asked.append(one.url))
    page = visitor.search("?q=alarm&kind=frame")
    expect(page.locator(".pane-view video")).to_be_visible()
    page.wait_for_timeout(500)
    assert page.locator(".pane-view video").evaluate("video => video.paused")
    assert not [url for url in asked if re.search(r"/(video|clip)\?", url)]


@pytest.mark.parametrize("width", [390, 1199])
def test_a_narrow_window_has_none(server: Server, visit: Visit, width: int) -> None:
    page = visit(server, width=width, height=844).search("?q=lighthouse")
    expect(page.locator(".pane")).to_be_hidden()
    page.locator(".card-open").first.click()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
