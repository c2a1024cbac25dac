"""Every view as it was approved, at three widths, light and dark, in English and Chinese; and axe at each of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.page.axe import violations
from tests.page.conftest import SHOTS, Server, Visit, Visitor, serving
from tests.page.pictures import differs

# What is of the machine or of the moment: times, dates, paths, sizes. Paths take no room, since a longer one has more lines.
MOMENTS = """
.index-top .dim, .roots .dim { display: none !important }
.told, .facts dd, .card-foot .dim, .hero-holds:not(.is-first .hero-holds) { visibility: hidden !important }
.figure strong, .job, .start-form input { color: transparent !important }
* { caret-color: transparent !important; animation: none !important; transition: none !important }
"""
DECODED = """() => Promise.allSettled([...document.images]
    .filter((image) => image.getBoundingClientRect().top < innerHeight)
    .map((image) => image.decode()))"""


def home(visitor: Visitor, server: Server) -> None:
    visitor.open()


def results(visitor: Visitor, server: Server) -> None:
    visitor.search("?q=harbour")


def opened(visitor: Visitor, server: Server) -> None:
    page = visitor.search("?q=porpoise&kind=page")
    page.locator(".card-open").first.press("Enter")
    expect(page.locator("dialog.viewer .region").first).to_be_visible()


def ask(visitor: Visitor, server: Server) -> None:
    visitor.open("?tab=ask")
    expect(visitor.page.locator("#rag-ask-box")).to_be_visible()


def index(visitor: Visitor, server: Server) -> None:
    """As its owner sees it."""
    visitor.own(server, "?tab=index")
    expect(visitor.page.locator(".figures")).to_be_visible()


VIEWS: dict[str, Callable[[Visitor, Server], None]] = {
    "home": home,
    "results": results,
    "opened": opened,
    "ask": ask,
    "index": index,
}
LOOKS = [
    (390, 844, "light", "en-US"),
    (390, 844, "dark", "zh-CN"),
    (1440, 900, "light", "en-US"),
    (1440, 900, "dark", "en-US"),
    (1440, 900, "light", "zh-CN"),
    (2560, 1300, "light", "en-US"),
    (2560, 1300, "dark", "zh-CN"),
]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with nothing indexed yet, as its owner sees it first."""
    folder = tmp_path_factory.mktemp("first")
    for name in ("Letters", "Pictures", "Videos"):
        (folder / "home" / name).mkdir(parents=True)
    with serving(folder, folder / "indexes/default", browse=folder / "home") as one:
        yield one


@pytest.mark.parametrize(("width", "height", "scheme", "locale"), LOOKS)
def test_every_view_is_as_approved(
    server: Server, empty: Server, visit: Visit, width: int, height: int, scheme: str, locale: str
) -> None:
    if locale == "zh-CN" and not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True).stdout:
        pytest.skip("this machine has no Chinese font")
    look = f"{width}-{scheme}-{locale[:2]}"
    visitor = visit(server, width, height, color_scheme=scheme, locale=locale, reduced_motion="reduce")
    wrong = []
    for name, show in VIEWS.items():
        show(visitor, server)
        visitor.page.wait_for_timeout(1200)  # cards are cut to their matches, and the preview is filled
        wrong += wrong_with(visitor, f"{name}-{look}")
    newcomer = visit(empty, width, height, color_scheme=scheme, locale=locale, reduced_motion="reduce")
    newcomer.own(empty)
    expect(newcomer.page.locator(".start-list:visible button")).to_have_count(3)
    wrong += wrong_with(newcomer, f"first-{look}")
    assert not wrong


def wrong_with(visitor: Visitor, name: str) -> list[str]:
    """What differs from the approved picture of that name, and what axe finds."""
    page = visitor.page
    page.add_style_tag(content=MOMENTS)
    page.mouse.move(1, (page.viewport_size or {"height": 1})["height"] - 1)
    page.evaluate(DECODED)
    found = [differs(page.screenshot(), name, SHOTS), *(f"{name}: {one}" for one in violations(page))]
    return [one for one in found if one]
