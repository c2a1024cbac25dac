"""Every view as it was approved, at three widths, light and dark, in English and Chinese; and axe at each of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.page.axe import violations
from tests.page.conftest import SHOTS, Server, Visit, Visitor
from tests.page.pictures import differs

# What is of the machine or of the moment: times, dates, paths, sizes.
MOMENTS = """
.told, .facts dd, .card-foot .dim, .hero-holds { visibility: hidden !important }
* { caret-color: transparent !important; animation: none !important; transition: none !important }
"""
DECODED = """() => Promise.allSettled([...document.images]
    .filter((image) => image.getBoundingClientRect().top < innerHeight)
    .map((image) => image.decode()))"""


def home(visitor: Visitor) -> None:
    visitor.open()


def results(visitor: Visitor) -> None:
    visitor.search("?q=harbour")


def opened(visitor: Visitor) -> None:
    page = visitor.search("?q=porpoise&kind=page")
    page.locator(".card-open").first.press("Enter")
    expect(page.locator("dialog.viewer .region").first).to_be_visible()


def ask(visitor: Visitor) -> None:
    visitor.open("?tab=ask")
    expect(visitor.page.locator("#rag-ask-box")).to_be_visible()


VIEWS: dict[str, Callable[[Visitor], None]] = {"home": home, "results": results, "opened": opened, "ask": ask}
LOOKS = [
    (390, 844, "light", "en-US"),
    (390, 844, "dark", "zh-CN"),
    (1440, 900, "light", "en-US"),
    (1440, 900, "dark", "en-US"),
    (1440, 900, "light", "zh-CN"),
    (2560, 1300, "light", "en-US"),
    (2560, 1300, "dark", "zh-CN"),
]


@pytest.mark.parametrize(("width", "height", "scheme", "locale"), LOOKS)
def test_every_view_is_as_approved(server: Server, visit: Visit, width: int, height: int, scheme: str, locale: str) -> None:
    if locale == "zh-CN" and not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True).stdout:
        pytest.skip("this machine has no Chinese font")
    visitor = visit(server, width, height, color_scheme=scheme, locale=locale, reduced_motion="reduce")
    wrong, serious = [], []
    for name, show in VIEWS.items():
        show(visitor)
        visitor.page.add_style_tag(content=MOMENTS)
        visitor.page.mouse.move(1, height - 1)
        visitor.page.wait_for_timeout(1200)  # cards are cut to their matches, and the preview is filled
        visitor.page.evaluate(DECODED)
        wrong.append(differs(visitor.page.screenshot(), f"{name}-{width}-{scheme}-{locale[:2]}", SHOTS))
        serious += [f"{name}: {one}" for one in violations(visitor.page)]
    assert not [one for one in wrong if one]
    assert not serious
