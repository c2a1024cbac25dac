"""What stays in its place: the bar on scroll, the page while it loads, menus on a phone, the history after closing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.page.conftest import Server, Visit

SHIFTS = """() => new Promise((told) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((one) => { if (!one.hadRecentInput) sum += one.value; }))
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => told(sum), 300);
})"""
MOST_SHIFT = 0.05  # of the cumulative layout shift; Lighthouse calls 0.1 good


@pytest.mark.parametrize("width", [390, 768, 1440, 2560])
def test_the_bar_stays_on_scroll(server: Server, visit: Visit, width: int) -> None:
    page = visit(server, width=width, height=900).search("?q=harbour&kind=text")
    page.mouse.move(width / 2, 600)
    page.mouse.wheel(0, 1500)
    page.wait_for_function("() => scrollY > 300")
    for place in (page.locator("#rag-words"), page.get_by_role("tab", name="Search"), page.locator(".brand")):
        box = place.bounding_box()
        assert box is not None and 0 <= box["y"] < 140
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        covers = place.evaluate("(own, [x, y]) => own.contains(document.elementFromPoint(x, y))", [x, y])
        assert covers, "a card lies over the bar"


@pytest.mark.parametrize("query", ["", "?q=lighthouse", "?tab=index", "?tab=ask"])
def test_nothing_shifts_while_the_page_loads(server: Server, visit: Visit, query: str) -> None:
    page = visit(server, width=1440, height=900).open(query)
    page.wait_for_timeout(2000)
    assert page.evaluate(SHIFTS) <= MOST_SHIFT


@pytest.mark.complains  # of the components that do not come
def test_until_the_page_is_there_its_sketch_is_seen(server: Server, visit: Visit) -> None:
    page = visit(server).page
    page.route("**/gradio_api/custom_component/**", lambda route: route.abort())
    page.goto(server.url)
    sketch = "getComputedStyle(document.body, '::before').height"
    for _ in range(300):  # the server may still be starting
        if page.evaluate(sketch) == "54px":
            break
        page.wait_for_timeout(100)
    assert page.evaluate(sketch) == "54px"


def test_a_menu_of_a_phone_is_a_sheet_at_the_bottom(server: Server, visit: Visit) -> None:
    visitor = visit(server, width=390, height=844, has_touch=True)
    page = visitor.search("?q=harbour")
    page.locator("summary", has_text="Folder").click()
    box = page.locator(".menu-list:visible").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == pytest.approx(844 - 12, abs=2) and box["y"] > 200
    visitor.shot("phone-menu")


def test_closing_takes_its_step_of_the_history_back(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=lighthouse")
    page.locator(".card-open").first.click()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    assert "open=" in page.url
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"\?q=lighthouse$"))
    expect(page.locator(".card-open").first).to_be_focused()
    page.go_forward()  # the hit again, as a browser does it
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    page.go_back()
    expect(page.locator("dialog.viewer")).to_be_hidden()


def test_after_a_reload_an_open_hit_has_the_next_one(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=lighthouse")
    page.locator(".card-open").nth(1).click()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    page.reload()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    expect(page.get_by_role("button", name="Next result")).to_be_enabled()
    expect(page.get_by_role("button", name="Previous result")).to_be_enabled()


def test_keys_work_at_once_and_arrows_move_a_zoomed_page(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=porpoise&kind=page")
    page.locator(".card-open").first.click()
    expect(page.locator(".stage img")).to_be_visible()
    page.wait_for_timeout(300)
    first = page.url
    for key in ("+", "+", "+", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    moved = page.locator(".stage .sheet").evaluate("sheet => sheet.style.transform")
    assert re.search(r"translate\(-80px, -80px\) scale\(3\.3", moved), moved
    assert page.url == first  # the arrows did not turn to the next hit
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()


def test_a_hit_opens_in_a_new_tab_with_ctrl(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=lighthouse")
    with page.context.expect_page() as opened:
        page.locator(".card-open").first.click(modifiers=["Control"])
    expect(opened.value.locator("dialog.viewer .facts")).to_be_visible()
    expect(page.locator("dialog.viewer")).to_have_count(0)
