"""The order of the list and its end: best first, by name, newest first; two answers; more on scroll."""

from __future__ import annotations

import re
import threading
from typing import Any

import httpx
from playwright.sync_api import expect

from tests.page.conftest import Meddled, Server, Visit
from tests.page.reading import names


def test_order_by_name(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=harbour&kind=image&sort=name")
    found = [name.casefold() for name in names(page)]
    assert len(found) > 3
    assert found == sorted(
        found, key=lambda name: [(part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"(\d+)", name)]
    )


def test_newest_first(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=lighthouse&kind=image&sort=new")
    asked = {"text": "lighthouse", "kinds": ["image"], "top_k": 24}
    dates = {hit["id"]: hit["dated"] for hit in httpx.post(f"{server.url}/v1/search", json=asked).json()["hits"]}
    shown = page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.id)")
    assert [dates[one] for one in shown] == sorted(dates.values(), reverse=True)


def test_more_results_on_scroll_without_losing_place(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.search("?q=ferry&kind=text")
    before = names(page)
    page.mouse.move(600, 500)
    page.mouse.wheel(0, 1200)
    page.mouse.wheel(0, 1200)
    expect(page.locator('.card[aria-posinset="31"]')).to_be_attached()
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator('.card[aria-posinset="1"]')).to_be_attached()
    page.wait_for_timeout(100)
    assert names(page)[: len(before)] == before


def test_the_list_goes_to_its_end_and_every_number_is_what_it_says(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=ferry+boat")
    told = page.locator(".told")
    expect(told).to_contain_text("results")
    total = int(re.findall(r"^([\d,]+) results", told.inner_text())[0].replace(",", ""))
    assert total > 60
    links: dict[str, str] = {}
    page.mouse.move(600, 500)
    for _ in range(200):
        links |= page.evaluate(
            """Object.fromEntries([...document.querySelectorAll('.card')].map(
                (card) => [card.ariaPosInSet, card.querySelector('a').href]))"""
        )
        if "No more results." in page.locator(".end").inner_text() and str(total) in links:
            break
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(60)
    expect(page.locator(".end")).to_have_text("No more results.")
    assert sorted(map(int, links)) == list(range(1, total + 1))
    assert len(set(links.values())) == total


def test_cards_do_not_move_under_the_pointer(meddled: Meddled, visit: Visit) -> None:
    """The reranked order waits behind a button while somebody points at a card."""
    server, meddling = meddled
    meddling.hold = threading.Event()

    def backwards(answer: dict[str, Any]) -> dict[str, Any]:
        return answer | {"hits": [{**hit, "rank": rank} for rank, hit in enumerate(reversed(answer["hits"]), 1)]}

    meddling.change = backwards
    page = visit(server).open()
    page.locator("#rag-words").fill("lighthouse")
    expect(page.locator(".card").first).to_be_visible()
    shown = names(page)
    box = page.locator(".card").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.wait_for_timeout(100)
    meddling.hold.set()
    expect(page.locator(".better")).to_be_visible()
    assert names(page) == shown
    page.locator(".better").click()
    expect(page.locator(".card h3").first).not_to_have_text(shown[0])


def test_a_reranker_that_fails_leaves_the_first_order(meddled: Meddled, visit: Visit) -> None:
    server, meddling = meddled
    meddling.fail = {"what": "the reranker does not answer", "remedy": "start it: rag serve reranker", "code": "backend_error"}
    page = visit(server).open()
    page.locator("#rag-words").fill("lighthouse")
    expect(page.locator(".trouble")).to_contain_text("the reranker does not answer")
    expect(page.locator(".trouble")).to_contain_text("start it: rag serve reranker")
    assert page.locator(".card").count() > 5
    meddling.fail = None
    page.get_by_role("button", name="Try again").click()
    expect(page.locator('.search[data-settled="true"]')).to_be_visible()
    expect(page.locator(".trouble")).to_have_count(0)


def test_letters_typed_meanwhile_give_the_older_query_up(meddled: Meddled, visit: Visit) -> None:
    """A query that is typed over while its first order comes is not reranked, and a late answer to it is not shown."""
    server, meddling = meddled
    meddling.hold = threading.Event()
    page = visit(server).open()
    for words in ("lighthouse", "vpn"):
        page.locator("#rag-words").fill(words)
        expect(page.locator(f'.search[data-words="{words}"]')).to_be_visible()
    meddling.hold.set()
    expect(page.locator('.search[data-words="vpn"][data-settled="true"]')).to_be_visible()
    page.wait_for_timeout(500)
    assert page.locator(".search").get_attribute("data-words") == "vpn"
