"""The page by keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.page.conftest import Server, Visit

FOCUSED = "document.activeElement.closest('.card')?.dataset.id"


def test_search_move_open_step_and_close(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type("harbour")
    page.keyboard.press("Enter")
    page.wait_for_selector('.search[data-words="harbour"][data-settled="true"]')  # and not of what was typed so far
    visitor.settled()
    page.keyboard.press("ArrowDown")
    ids = page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.id)")
    assert page.evaluate(FOCUSED) == ids[0]
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == ids[1]
    page.keyboard.press("ArrowDown")
    below = page.evaluate(FOCUSED)
    assert ids.index(below) > 2
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED) == ids[1]
    visitor.shot("keyboard")
    page.keyboard.press("Enter")
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(f"open={ids[2]}"))
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(f"open={ids[1]}"))
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.viewer")).to_be_hidden()
    assert page.evaluate(FOCUSED) == ids[1]
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "rag-words"


def test_a_person_can_write_at_once(server: Server, visit: Visit) -> None:
    page = visit(server).open()
    page.keyboard.type("harbour")
    expect(page.locator("#rag-words")).to_have_value("harbour")
    expect(page.locator(".card").first).to_be_visible()


def test_the_list_of_keys(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.search("?q=harbour")
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()
    expect(page.locator("dialog.keys")).to_contain_text("move between results")
    visitor.shot("keys")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.keys")).to_be_hidden()


def test_zoom_keys(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=porpoise&kind=page")
    page.locator(".card-open").first.focus()
    page.keyboard.press("Enter")
    stage = page.locator(".stage")
    stage.focus()
    page.keyboard.press("+")
    expect(stage).to_have_class(re.compile("is-zoomed"))
    page.keyboard.press("0")
    expect(stage).not_to_have_class(re.compile("is-zoomed"))


def test_every_control_is_reached_and_named(server: Server, visit: Visit) -> None:
    """Tab goes through the bar, the box, the chips and the cards; every focusable element has a name."""
    page = visit(server).search("?q=lighthouse&kind=image")
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => { const one = document.activeElement;
                const label = one.getAttribute("aria-label") || one.innerText || one.placeholder || one.title;
                return [one.tagName, label || one.labels?.[0]?.innerText || ""]; }"""
            )
        )
        if any("gull-head.jpg" in name for _, name in reached):
            break
    assert all(name.strip() for tag, name in reached if tag != "BODY"), reached
    told = " ".join(name for _, name in reached)
    for wanted in ("Skip to results", "Search words", "Search with pictures", "Texts", "Folder", "Date", "gull-head.jpg"):
        assert wanted in told, wanted
