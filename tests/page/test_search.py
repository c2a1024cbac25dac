"""Searching with words, pictures and both; filters, order, the address and the back button."""

from __future__ import annotations

import base64
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import TOP, Meddled, Server, Visit

PICTURES = TOP / "samples/query_pictures"


def names(page: Page) -> list[str]:
    return page.locator(".card h3").all_text_contents()  # not the inner texts: cards outside the window are not laid out


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


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


def test_a_picture_finds_pictures_like_it(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open()
    page.locator("input[type=file]").set_input_files(PICTURES / "evening.jpg")
    expect(page.locator(".card h3").first).to_have_text("IMG_2041.jpg")
    assert "picture" in asked(page)
    expect(page.locator(".box-picture img")).to_be_visible()
    visitor.settled()
    visitor.shot("picture")
    page.reload()
    expect(page.locator(".card h3").first).to_have_text("IMG_2041.jpg")
    page.get_by_role("button", name="Remove the picture").click()
    expect(page.locator("h1").first).to_be_visible()


def test_a_pasted_picture_and_words_together(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open()
    give(page, "paste", PICTURES / "peaks.png")
    expect(page.locator(".box-picture img")).to_be_visible()
    visitor.ask("snow on the mountains")
    assert "IMG_2085.heic" in names(page)[:3]
    assert set(asked(page)) == {"q", "picture"}


def test_a_dropped_picture(server: Server, visit: Visit) -> None:
    page = visit(server).open()
    give(page, "drop", PICTURES / "boat.jpg")
    expect(page.locator(".card h3").first).to_have_text(re.compile(r"IMG_300\d"))


def give(page: Page, event: str, picture: Path) -> None:
    """A picture file, pasted or dropped."""
    page.evaluate(
        """([event, data, name]) => {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], name, { type: "image/" + name.split(".")[1].replace("jpg", "jpeg") }));
            const happened = event === "paste"
                ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true })
                : new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
            document.body.dispatchEvent(happened);
        }""",
        [event, base64.b64encode(picture.read_bytes()).decode(), picture.name],
    )


def test_a_file_that_is_not_a_picture_is_refused(server: Server, visit: Visit, tmp_path: Path) -> None:
    page = visit(server).open()
    (tmp_path / "letter.jpg").write_text("no picture at all")
    page.locator("input[type=file]").set_input_files(tmp_path / "letter.jpg")
    expect(page.locator(".trouble")).to_contain_text("letter.jpg is not a picture this browser can read")
    expect(page.locator(".trouble")).to_contain_text("Use a JPEG")


def test_a_picture_that_is_too_large_is_refused_with_the_limit(server: Server, visit: Visit, tmp_path: Path) -> None:
    page = visit(server).open()
    page.locator("input[type=file]").set_input_files(TOP / "samples/broken/poster-huge.png")
    expect(page.locator(".trouble")).to_contain_text("This picture is too large (20,000 × 20,000 pixels)")
    expect(page.locator(".trouble")).to_contain_text("Use one of at most 100,000,000 pixels")
    with (tmp_path / "scan.tiff").open("wb") as heavy:
        heavy.truncate(51 * 2**20)
    page.locator("input[type=file]").set_input_files(tmp_path / "scan.tiff")
    expect(page.locator(".trouble")).to_contain_text("This picture is too large (51 MiB)")
    expect(page.locator(".trouble")).to_contain_text("Use one below 50 MB")


def test_a_picture_is_answered_from_its_pixels_first(meddled: Meddled, visit: Visit) -> None:
    """The first answer does not wait for OCR of the picture; the second one does."""
    server, meddling = meddled
    visitor = visit(server)
    page = visitor.open()
    page.locator("input[type=file]").set_input_files(PICTURES / "evening.jpg")
    expect(page.locator(".card h3").first).to_have_text("IMG_2041.jpg")
    expect(page.locator('.search[data-settled="true"]')).to_be_visible()
    expect(page.locator(".card h3").first).to_have_text("IMG_2041.jpg")
    assert [(one["rerank"], one.get("ocr", True)) for one in meddling.searches] == [(False, False), (True, True)]


def test_a_picture_of_another_tab_is_reported_missing(server: Server, visit: Visit) -> None:
    page = visit(server).open("?picture=0123456789ab")
    expect(page.locator(".trouble")).to_contain_text("The query picture is no longer available")


def test_typing_searches_for_the_last_words_only(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open()
    page.locator("#rag-words").press_sequentially("porpoise", delay=30)
    expect(page.locator(".card .card-place").first).to_have_text("p. 16")
    visitor.settled()
    page.go_back()
    expect(page.locator("h1").first).to_be_visible()  # one step of the history for all letters


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


def test_order_by_name(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=harbour&kind=image&sort=name")
    found = [name.casefold() for name in names(page)]
    assert len(found) > 3
    assert found == sorted(
        found, key=lambda name: [(part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"(\d+)", name)]
    )


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


def test_newest_first(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=lighthouse&kind=image&sort=new")
    asked = {"text": "lighthouse", "kinds": ["image"], "top_k": 24}
    dates = {hit["id"]: hit["dated"] for hit in httpx.post(f"{server.url}/v1/search", json=asked).json()["hits"]}
    shown = page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.id)")
    assert [dates[one] for one in shown] == sorted(dates.values(), reverse=True)


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


def test_a_part_of_a_picture_is_searched_for(server: Server, visit: Visit) -> None:
    """From an opened hit, and from the query picture itself; with the pointer and by keys."""
    visitor = visit(server, 1440, 900)
    page = visitor.search("?q=lighthouse&kind=image")
    page.locator(".card-open").first.click()
    page.get_by_role("button", name="Search a part").click()
    layer = page.locator("dialog.viewer .crop")
    expect(layer).to_be_focused()
    box = layer.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.8)
    visitor.shot("crop")
    page.mouse.up()
    expect(page.locator("dialog.viewer")).to_be_hidden()
    page.wait_for_url("**picture=**")
    visitor.settled()
    assert "q=" not in page.url
    expect(page.locator(".card").first).to_be_visible()
    picture = page.locator(".box-part img")
    whole = picture.evaluate("one => [one.naturalWidth, one.naturalHeight]")
    page.get_by_role("button", name="Search with a part of this picture").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # half of each side
    expect(page.locator(".part-dialog")).to_have_count(0)
    visitor.settled()
    half = page.locator(".box-part img").evaluate("one => one.decode().then(() => [one.naturalWidth, one.naturalHeight])")
    assert half == [pytest.approx(whole[0] / 2, abs=1), pytest.approx(whole[1] / 2, abs=1)]
