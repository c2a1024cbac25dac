"""Light and dark, 360 to 2,560 pixels, Chinese; axe finds no serious violation. Screenshots for people to look at."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.page.axe import violations
from tests.page.conftest import TOP, Server, Visit


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(server: Server, visit: Visit, scheme: str) -> None:
    visitor = visit(server, color_scheme=scheme)
    page = visitor.open()
    assert violations(page) == []
    visitor.search("?q=lighthouse")
    visitor.shot(f"results-{scheme}")
    assert violations(page) == []
    for query in ("?q=porpoise&kind=page", "?q=vpn&kind=text", "?q=alarm&kind=frame"):
        visitor.search(query)
        page.locator(".card-open").first.click()
        expect(page.locator("dialog.viewer .facts")).to_be_visible()
        page.locator("summary", has_text="Why this result").click()
        page.wait_for_timeout(500)
        visitor.shot(f"open-{query[-5:].partition('=')[2] or 'hit'}-{scheme}")
        assert violations(page) == []
    visitor.search("?q=yacht+harbour+showers")
    page.locator(".card-alike").first.click()
    expect(page.locator(".similar .near")).not_to_have_count(0)
    page.wait_for_timeout(500)
    visitor.shot(f"open-similar-{scheme}")
    assert violations(page) == []
    visitor.open("?tab=index")
    expect(page.locator(".figures")).to_be_visible()
    visitor.shot(f"index-{scheme}")
    assert violations(page) == []


def test_dark_is_dark_and_can_be_chosen(server: Server, visit: Visit) -> None:
    visitor = visit(server, color_scheme="dark")
    page = visitor.search("?q=harbour")
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    assert page.evaluate(ground) < 120
    page.get_by_role("button", name="Colours: system").click()
    assert page.evaluate(ground) > 650
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate(ground) > 650


@pytest.mark.parametrize(("width", "height"), [(360, 740), (768, 1024), (2560, 1300)])
def test_widths(server: Server, visit: Visit, width: int, height: int) -> None:
    visitor = visit(server, width=width, height=height)
    page = visitor.open()
    visitor.shot(f"home-{width}")
    assert overflow(page) == 0
    expect(page.get_by_role("tab", name="Index")).to_be_visible()
    visitor.search("?q=lighthouse")
    visitor.shot(f"results-{width}")
    assert overflow(page) == 0
    columns = len(page.locator(".grid").evaluate("grid => getComputedStyle(grid).gridTemplateColumns").split())
    assert columns == {360: 1, 768: 2, 2560: 4}[width]
    page.locator('.card[data-kind="image"] .card-open').first.press("Enter")
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    visitor.shot(f"open-{width}")
    assert page.locator(".viewer").evaluate("viewer => viewer.scrollWidth - viewer.clientWidth") <= 0
    expect(page.locator("dialog.viewer").get_by_role("button", name="More like this")).to_be_attached()
    visitor.open("?tab=index")
    expect(page.locator(".figures")).to_be_visible()
    visitor.shot(f"index-{width}")
    assert overflow(page) == 0


def test_chinese(server: Server, visit: Visit) -> None:
    visitor = visit(server, locale="zh-CN")
    page = visitor.open()
    expect(page.locator("h1").first).to_have_text("搜索您的全部资料")
    expect(page.get_by_role("tab", name="索引")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    visitor.ask("台风来之前缆绳怎么加固")
    expect(page.locator(".card h3").first).to_have_text("港口安全手册.pdf")
    expect(page.locator(".card .card-place").first).to_have_text(re.compile("^第 3 页$"))
    visitor.shot("chinese")
    page.get_by_role("button", name="用英文显示本页").click()
    expect(page.get_by_role("tab", name="Index")).to_be_visible()
    expect(page.locator(".card .card-place").first).to_have_text("p. 3")
    assert page.locator("#rag-words").input_value() == "台风来之前缆绳怎么加固"


@pytest.mark.parametrize(
    ("name", "query", "scheme", "locale"),
    [
        ("results", "?q=pump+room", "light", "en-US"),
        ("page", "?q=porpoise&kind=page", "light", "en-US"),
        ("picture", "", "dark", "en-US"),
        ("video", "?q=alarm&kind=frame", "dark", "zh-CN"),
    ],
)
def test_pictures_for_the_readme(server: Server, visit: Visit, name: str, query: str, scheme: str, locale: str) -> None:
    """Four windows as docs/pictures shows them: page-NAME.webp is readme-NAME.png of .work/screenshots, 1,200 pixels wide."""
    visitor = visit(server, width=1200, height=780, color_scheme=scheme, locale=locale)
    page = visitor.open(query)
    if name == "picture":
        page.locator("input[type=file]").set_input_files(TOP / "samples/query_pictures/evening.jpg")
        expect(page.locator(".card h3").first).to_have_text("IMG_2041.jpg")
    visitor.settled()
    if name in ("page", "video"):
        page.locator(".card-open").first.press("Enter")
        expect(page.locator("dialog.viewer .facts")).to_be_visible()
    if name == "page":
        expect(page.locator("dialog.viewer .region").first).to_be_visible()
    page.wait_for_timeout(1200)
    visitor.shot(f"readme-{name}")
