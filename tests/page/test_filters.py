"""Filters by kind, folder and date, and what their counts say."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.page.conftest import Server, Visit
from tests.page.reading import asked


def test_filters_narrow_and_are_in_the_address(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.search("?q=harbour")
    page.get_by_role("button", name=re.compile("^Pages")).click()
    expect(page.locator('.card:not([data-kind="page"])')).to_have_count(0)
    visitor.settled()
    assert asked(page)["kind"] == ["page"]
    expect(page.get_by_role("button", name=re.compile(r"^Images\s*\d+"))).to_be_visible()  # the count of what it would add
    page.get_by_role("button", name=re.compile("^Pages")).click()
    page.locator("summary", has_text="Folder").click()
    page.get_by_role("button", name=re.compile(r"^manuals")).click()
    expect(page.locator(".card .card-path").first).to_have_text("manuals")
    expect(page.locator(".card .card-path").filter(has_not_text="manuals")).to_have_count(0)
    visitor.settled()
    assert asked(page)["path"] == ["/manuals/**"]
    assert set(page.locator(".card-path").all_text_contents()) == {"manuals"}
    page.get_by_role("button", name="Clear filters").click()
    visitor.settled()
    assert set(asked(page)) == {"q"}


def test_folders_are_counted_before_the_first_search(server: Server, visit: Visit) -> None:
    page = visit(server).open()
    page.locator("summary", has_text="Folder").click()
    photos = page.locator(".menu-option", has_text="photos")
    assert int(photos.locator(".chip-count").inner_text()) >= 15
    photos.click()
    expect(page.locator("summary", has_text="photos")).to_be_visible()
    assert asked(page)["path"] == ["/photos/**"]
    page.locator("#rag-words").fill("lighthouse")
    expect(page.locator(".card-path").first).to_have_text(re.compile("^photos"))


def test_dates_filter(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.search("?q=lighthouse&before=1990-01-01")
    expect(page.locator(".empty")).to_contain_text("No result matches the filters.")
    expect(page.locator("summary", has_text="Until")).to_be_visible()
    page.locator(".empty button").click()
    expect(page.locator(".card").first).to_be_visible()
    page.locator("summary", has_text="Date").click()
    page.get_by_label("From").fill("2020-01-01")
    visitor.settled()
    assert asked(page)["after"] == ["2020-01-01"]


@pytest.mark.parametrize("query", ["harbour", "red boat", "blue sky"])  # words, and what is known by its look
def test_a_chip_shows_what_a_click_shows(server: Server, visit: Visit, query: str) -> None:
    page = visit(server).search(f"?q={query.replace(' ', '+')}")
    for kind in ("Texts", "Pages", "Images", "Screenshots", "Videos"):
        chip = page.get_by_role("button", name=re.compile(f"^{kind}"))
        expect(chip).to_contain_text(re.compile(r"\d"))
        count = int(re.findall(r"\d+", chip.inner_text())[0])
        if not count:
            expect(chip).to_be_disabled()
            continue
        chip.click()
        expect(page.locator(".told")).to_contain_text(re.compile(rf"^{count} results?\b"))
        chip.click()
