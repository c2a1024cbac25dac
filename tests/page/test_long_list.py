"""A list of 1,200 results: cards far out of sight are removed and come back in their place; keys, links and numbers hold."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.page.axe import violations
from tests.page.conftest import Server, Visit, Visitor, rag, serving

MANY = 1_200
MOST_CARDS = 160  # five windows of five columns are about 100
WORDS = [
    "tide",
    "crane",
    "buoy",
    "rope",
    "anchor",
    "keel",
    "mast",
    "deck",
    "hull",
    "bow",
    "stern",
    "fog",
    "gale",
    "dawn",
    "dusk",
    "quay",
    "berth",
    "tug",
    "ferry",
    "pilot",
]
FOCUSED = "Number(document.activeElement.closest('.card')?.ariaPosInSet)"
SEEN = "[...document.querySelectorAll('.card')].find((card) => card.getBoundingClientRect().top > 200)"


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("long")
    (folder / "corpus").mkdir()
    chosen = random.Random(7)
    for number in range(MANY):
        words = " ".join(chosen.choices(WORDS, k=40))
        (folder / f"corpus/log-{number}.txt").write_text(f"Harbour log of day {number}: {words}.")
    index = folder / "indexes/default"
    assert rag("index", str(folder / "corpus"), "--index", str(index), "--quiet", cwd=folder).returncode == 0
    with serving(folder, index) as server:
        yield server


def to_the_end(page: Page) -> int:
    """Scrolls until the list says that it ends; the most cards that were there at once."""
    most = 0
    for _ in range(400):
        most = max(most, page.locator(".card").count())
        if "No more results." in page.locator(".end").inner_text():
            return most
        page.mouse.wheel(0, 4000)
        page.wait_for_timeout(60)
    raise AssertionError("the list did not end")


def at_the_end(long: Server, visit: Visit) -> tuple[Visitor, int]:
    visitor = visit(long, 1440, 900)
    page = visitor.search("?q=harbour&sort=name")
    page.mouse.move(700, 600)
    return visitor, to_the_end(page)


def test_cards_far_away_are_removed_and_come_back_in_their_place(long: Server, visit: Visit) -> None:
    visitor = visit(long, 1440, 900)
    page = visitor.search("?q=harbour&sort=name")
    before = page.evaluate(
        "[...document.querySelectorAll('.card')].slice(0, 12).map((card) => [card.dataset.id, card.offsetTop])"
    )
    page.mouse.move(700, 600)
    assert to_the_end(page) <= MOST_CARDS
    page.mouse.wheel(0, 100_000)
    last = page.locator(".card").last
    expect(last).to_have_attribute("aria-posinset", str(MANY))
    expect(last).to_have_attribute("aria-setsize", str(MANY))
    expect(page.locator("h3", has_text="log-1199.txt")).to_have_count(1)
    assert page.locator(".card").count() <= MOST_CARDS
    assert page.evaluate("document.querySelector('.grid').querySelectorAll('*').length") < 6_000  # of about 30,000
    assert violations(page) == []
    visitor.shot("long-list-end")
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(".card").first).to_have_attribute("aria-posinset", "1")
    again = page.evaluate("[...document.querySelectorAll('.card')].slice(0, 12).map((card) => [card.dataset.id, card.offsetTop])")
    assert again == before


def test_every_result_comes_once_and_in_order(long: Server, visit: Visit) -> None:
    page = visit(long, 1440, 900).search("?q=harbour&sort=name")
    seen: dict[int, str] = {}
    page.mouse.move(700, 600)
    for _ in range(600):
        for place, name in page.evaluate(
            """[...document.querySelectorAll('.card')].map(
                (card) => [Number(card.ariaPosInSet), card.querySelector('h3').textContent])"""
        ):
            assert seen.setdefault(place, name) == name
        if len(seen) == MANY:
            break
        page.mouse.wheel(0, 1500)
        page.wait_for_timeout(40)
    assert sorted(seen) == list(range(1, MANY + 1))
    assert len(set(seen.values())) == MANY


def test_keys_lead_through_the_list_and_back(long: Server, visit: Visit) -> None:
    visitor, _ = at_the_end(long, visit)
    page = visitor.page
    page.locator(".card-open:visible").last.focus()
    page.keyboard.press("Home")
    assert page.evaluate(FOCUSED) == 1
    columns = page.evaluate("getComputedStyle(document.querySelector('.grid')).gridTemplateColumns.split(' ').length")
    for _ in range(40):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(20)
    assert page.evaluate(FOCUSED) == 1 + 40 * columns
    page.evaluate("scrollTo(0, 0)")  # the card with the focus goes out of sight and is removed
    expect(page.locator(".card").first).to_have_attribute("aria-posinset", "1")
    page.wait_for_timeout(100)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == 2 + 40 * columns
    page.keyboard.press("End")
    assert page.evaluate(FOCUSED) == MANY


def test_a_result_far_down_opens_and_closes_where_it_was(long: Server, visit: Visit) -> None:
    visitor, _ = at_the_end(long, visit)
    page = visitor.page
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    page.wait_for_timeout(200)
    name, place = page.evaluate(f"[{SEEN}.querySelector('h3').textContent, {SEEN}.ariaPosInSet]")
    page.get_by_role("link", name=name).press("Enter")
    expect(page.locator("dialog.viewer")).to_contain_text(name)
    page.keyboard.press("Escape")
    expect(page.locator("dialog.viewer")).to_be_hidden()
    assert page.evaluate(FOCUSED) == int(place)


def test_another_width_keeps_the_place(long: Server, visit: Visit) -> None:
    visitor, _ = at_the_end(long, visit)
    page = visitor.page
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    page.wait_for_timeout(200)
    first = "[...document.querySelectorAll('.card')].find((card) => card.getBoundingClientRect().bottom > 0)"
    place = int(page.evaluate(f"{first}.ariaPosInSet"))
    page.set_viewport_size({"width": 800, "height": 900})
    page.wait_for_timeout(300)
    assert abs(int(page.evaluate(f"{first}.ariaPosInSet")) - place) <= 5
    assert page.locator(".card").count() <= MOST_CARDS


def test_the_browsers_search_finds_what_is_removed(long: Server, visit: Visit) -> None:
    """The words of a removed row stay in the document, and the row comes back when they are found."""
    visitor, _ = at_the_end(long, visit)
    page = visitor.page
    strip = page.locator(".row-strip", has_text="log-3.txt")
    expect(strip.locator("span")).to_have_attribute("hidden", "until-found")
    strip.locator("span").dispatch_event("beforematch")
    expect(page.locator("h3", has_text="log-3.txt")).to_have_count(1)


def test_keys_that_are_faster_than_the_page_draws_lead_to_the_same_places(long: Server, visit: Visit) -> None:
    """As on a busy machine: no frame comes between the keys, so the rows around the first one are not drawn yet."""
    visitor, _ = at_the_end(long, visit)
    page = visitor.page
    page.locator(".card-open:visible").last.focus()
    columns = page.evaluate("getComputedStyle(document.querySelector('.grid')).gridTemplateColumns.split(' ').length")
    pressed = """(keys) => keys.map((key) => {
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        return Number(document.activeElement.closest('.card')?.ariaPosInSet);
    })"""
    down = page.evaluate(pressed, ["Home", *["ArrowDown"] * 5, "ArrowRight", "ArrowUp"])
    assert down == [1, *[1 + columns * row for row in range(1, 6)], 2 + columns * 5, 2 + columns * 4]
