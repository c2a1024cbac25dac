"""Searching with words: cards of every kind, typing, the address and the back button, nothing found."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.page.conftest import Server, Visit
from tests.page.reading import asked, names


def test_words_find_cards_of_several_kinds(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open()
    expect(page.locator("h1").first).to_have_text("Search everything you have")
    expect(page.locator(".hero-holds")).to_contain_text("documents")
    visitor.shot("home")
    visitor.ask("lighthouse")
    assert "gull-head.jpg" in names(page)
    assert len(set(page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.kind)"))) >= 2
    assert asked(page)["q"] == ["lighthouse"]
    assert page.title() == "lighthouse · search"
    card = page.locator('.card:has-text("gull-head.jpg")').first
    expect(card.locator(".badge")).to_have_text("Image")
    expect(card.locator(".card-path")).to_have_text(re.compile("photos"))
    expect(card.locator("mark").first).to_have_text("lighthouse")
    assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    score = float(card.locator(".score").inner_text().split()[-1])
    assert 0 < score <= 1
    assert "0 to 1" in (card.locator(".score").get_attribute("title") or "")
    visitor.shot("words")


def test_text_cards_show_their_lines_and_pages_their_number(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=vpn&kind=text")
    card = page.locator('.card:has-text("vpn-setup.md")').first
    expect(card.locator(".card-place")).to_have_text(re.compile(r"^lines? \d+"))
    expect(card.locator(".card-lines mark").first).to_have_text(re.compile("vpn", re.I))
    assert not card.locator(".card-lines").inner_text().startswith("#")  # of a heading in Markdown
    page = visit(server).search("?q=porpoise&kind=page")
    expect(page.locator(".card .card-place").first).to_have_text("p. 16")
    page = visit(server).search("?q=alarm&kind=frame")
    expect(page.locator(".card .card-place").first).to_have_text(re.compile(r"^\d\d:\d\d"))


def test_typing_searches_for_the_last_words_only(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open()
    page.locator("#rag-words").press_sequentially("porpoise", delay=30)
    expect(page.locator(".card .card-place").first).to_have_text("p. 16")
    visitor.settled()
    page.go_back()
    expect(page.locator("h1").first).to_be_visible()  # one step of the history for all letters


def test_back_and_forward(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open()
    visitor.ask("porpoise")
    first = names(page)
    visitor.ask("vpn")
    assert names(page) != first
    page.locator(".card-open").first.click()
    expect(page.locator("dialog.viewer")).to_be_visible()
    page.go_back()
    expect(page.locator("dialog.viewer")).to_be_hidden()
    page.go_back()
    expect(page.locator("#rag-words")).to_have_value("porpoise")
    expect(page.locator(".card h3").first).to_have_text(first[0])
    page.go_forward()
    expect(page.locator("#rag-words")).to_have_value("vpn")


def test_without_a_good_match_it_says_so_and_shows_the_closest(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=who+won+the+world+cup+in+1998")
    expect(page.locator(".weak-line")).to_contain_text("No good match")
    assert page.locator(".card").count() >= 10
    assert page.locator(".grid > *").first.get_attribute("class") == "weak-line"


def test_without_any_result_it_says_so(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=zzz+qqq&kind=text")
    expect(page.locator(".empty")).to_contain_text("Nothing found")
    expect(page.locator(".card")).to_have_count(0)
    expect(page.locator(".chip-count")).to_have_count(0)  # no numbers beside it


def test_the_first_result_is_marked_when_it_is_painted(server: Server, visit: Visit) -> None:
    """Milliseconds from the last letter to the frame with the cards, the pause after it included."""
    visitor = visit(server)
    page = visitor.open()
    took = []
    for words in ("harbour", "ferry", "lighthouse", "alarm", "crane", "pump", "regatta"):
        page.evaluate("() => performance.clearMarks()")
        begun = page.evaluate("performance.now()")
        page.locator("#rag-words").fill(words)
        page.wait_for_selector(f'.search[data-words="{words}"][data-settled="true"]')
        page.wait_for_function("performance.getEntriesByName('rag:painted').length > 0")
        took.append(page.evaluate("performance.getEntriesByName('rag:painted')[0].startTime") - begun)
    print("painted after (ms):", [round(one) for one in took])
    assert all(one > 0 for one in took)
