"""An opened hit of each kind, and what can be done with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.page.axe import violations
from tests.page.conftest import TOP, Server, Visit, rag, serving


def opened(page: Page, name: str = "") -> Page:
    """Opens the first card, or the first of that name, and waits for its passage."""
    cards = page.locator(f'.card:has-text("{name}") .card-open' if name else ".card-open")
    with page.expect_response(re.compile("/v1/passages/")):
        cards.first.click()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    return page


def test_a_page_with_its_matches_outlined_and_zoomed(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = opened(visitor.search("?q=porpoise&kind=page"))
    expect(page.locator(".viewer h2")).to_have_text("annual-report-2025.pdf")
    expect(page.locator(".viewer-name .dim")).to_have_text("Page · p. 16 of 24")
    expect(page.locator(".viewer .region")).to_have_count(2)
    expect(page.locator(".stage-note")).to_have_text("2 matches outlined")
    page.locator(".sheet img").evaluate("image => image.decode()")
    picture = page.locator(".sheet img").bounding_box()
    region = page.locator(".viewer .region").first.bounding_box()
    assert picture is not None and region is not None
    assert (
        picture["x"] < region["x"] < picture["x"] + picture["width"]
        and picture["y"] < region["y"] < picture["y"] + picture["height"]
    )
    visitor.shot("open-page")
    page.get_by_role("button", name="Zoom in").click(click_count=2)
    larger = page.locator(".sheet img").bounding_box()
    assert larger is not None and larger["width"] > 2 * picture["width"]
    expect(page.locator(".sheet img")).to_have_attribute("src", re.compile("size=full"))
    page.get_by_role("button", name="Fit to window").click()
    again = page.locator(".sheet img").bounding_box()
    assert again is not None and abs(again["width"] - picture["width"]) < 1


def test_a_screenshot_is_shown_before_its_matches_are_found(server: Server, visit: Visit) -> None:
    """While the outlines are delayed, the picture is shown and a note says that they are coming."""
    visitor = visit(server)
    page = visitor.page
    held: list[Route] = []
    page.route(re.compile("/v1/passages/.*regions=true"), lambda route: held.append(route))
    visitor.search("?q=dentist&kind=screenshot")
    page.locator(".card-open").first.click()
    expect(page.locator(".stage-note")).to_have_text("Finding the words…")
    image = page.locator(".sheet img")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 400
    assert re.search(r"[?&]v=\w{16}", image.get_attribute("src") or "")
    expect(page.locator(".look.is-loading")).to_have_count(0)
    visitor.shot("open-screenshot-coming")
    [route] = held
    route.continue_()
    expect(page.locator(".stage-note")).to_have_text(re.compile("outlined"))
    expect(page.locator(".viewer .region").first).to_be_visible()


@pytest.mark.complains
def test_outlines_that_fail_leave_the_picture(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.page
    page.route(
        re.compile("/v1/passages/.*regions=true"), lambda route: route.fulfill(status=504, json={"error": {"what": "late"}})
    )
    opened(visitor.search("?q=dentist&kind=screenshot"))
    expect(page.locator(".stage-note")).to_be_empty()
    assert page.locator(".sheet img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 400
    expect(page.locator(".viewer .trouble")).to_have_count(0)


def test_similar_results_open_from_the_card(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open("?kind=image")
    page.locator("input[type=file]").set_input_files(TOP / "samples/query_pictures/boat.jpg")
    card = page.locator(".card", has=page.locator(".card-alike")).first
    expect(card.locator(".card-alike")).to_have_text(re.compile(r"^\+\d+ similar$"))
    visitor.settled()
    name = card.locator("h3").inner_text()
    count = int(re.findall(r"\d+", card.locator(".card-alike").inner_text())[0])
    card.locator(".card-alike").click()
    similar = page.locator(".similar .near")
    expect(similar).to_have_count(count + 1)
    expect(similar.first).to_be_focused()
    expect(similar.first).to_have_attribute("aria-current", "true")
    visitor.shot("open-similar")
    similar.nth(1).click()
    expect(page.locator(".viewer h2")).not_to_have_text(name)
    expect(page.locator(".similar .near").nth(1)).to_have_attribute("aria-current", "true")
    page.locator(".similar .near").first.click()
    expect(page.locator(".viewer h2")).to_have_text(name)


def test_neighbours_of_a_page(server: Server, visit: Visit) -> None:
    page = opened(visit(server).search("?q=porpoise&kind=page"))
    page.get_by_role("button", name="p. 17").click()
    expect(page.locator(".viewer-name .dim")).to_have_text("Page · p. 17 of 24")
    page.keyboard.press("[")
    expect(page.locator(".viewer-name .dim")).to_have_text("Page · p. 16 of 24")


def test_a_text_stands_in_its_context(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = opened(visitor.search("?q=berth+schedule+sql&kind=text"), "berths.sql")
    expect(page.locator(".reader-own mark").first).to_have_text(re.compile("berth", re.I))
    number = page.locator(".reader-own .reader-number").first.inner_text()
    assert page.locator(".facts dd").first.inner_text().split()[1].startswith(number)
    expect(page.locator(".reader-beside").first).to_be_visible()
    visitor.shot("open-text")
    page.locator(".reader-near").first.click()
    expect(page.locator(".viewer-name .dim")).not_to_have_text("Text · lines 1–3")


def test_a_screenshot_with_its_words(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = opened(visitor.search("?q=dentist&kind=screenshot"))
    assert page.locator(".sheet img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 400
    expect(page.locator(".viewer .region").first).to_be_visible()
    expect(page.locator(".words mark").first).to_have_text(re.compile("dentist", re.I))
    visitor.shot("open-screenshot")


def test_an_image_with_its_caption(server: Server, visit: Visit) -> None:
    page = opened(visit(server).search("?q=lighthouse&kind=image"), "gull-head.jpg")
    assert page.locator(".sheet img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 400
    expect(page.locator(".part", has_text="Caption")).to_contain_text("lighthouse")


@pytest.mark.parametrize(
    ("query", "name"),
    [("alarm", "induction-talk.mp4"), ("restore berths snapshot", "rec_0412.webm"), ("ferry lighthouse", "evening-ferry.mkv")],
)
def test_a_video_starts_at_its_hit(server: Server, visit: Visit, query: str, name: str) -> None:
    """Within half a second of the hit, on the file's own clock, however it is converted."""
    visitor = visit(server)
    visitor.page.add_init_script(
        """addEventListener("playing", (event) => { window.firstShown ??= event.target.currentTime; }, true);"""
    )
    page = visitor.search(f"?q={query.replace(' ', '+')}&kind=frame")
    with page.expect_response(re.compile("/v1/passages/")) as answered:
        page.locator(f'.card:has-text("{name}") .card-open').first.click()
    video = answered.value.json()["video"]
    if video["playable"] == "frames":
        expect(page.locator(".film-large")).to_be_visible()
        return
    page.wait_for_function("() => window.firstShown !== undefined")
    offset = video["clip"]["start"] if video["clip"] else 0
    assert abs(page.evaluate("window.firstShown") + offset - video["start"]) <= 0.5
    page.wait_for_function(
        "before => document.querySelector('video').currentTime > before + 0.3", arg=page.evaluate("window.firstShown")
    )
    assert page.locator(".film-mark").count() >= 1
    page.locator(".film-mark").first.click()
    assert page.evaluate("document.querySelector('video').currentTime") < video["duration"]
    visitor.shot(f"open-video-{name.rpartition('.')[2]}")


def test_why_this_result(server: Server, visit: Visit) -> None:
    page = opened(visit(server).search("?q=porpoise&kind=page"))
    page.locator("summary", has_text="Why this result").click()
    table = page.locator(".why table")
    expect(table.locator("tr", has_text="Same words (full text)").locator("td").first).to_have_text("1")
    shown = float(table.locator(".final td").last.inner_text())
    assert 0 < shown <= 1
    expect(page.locator(".why p")).to_contain_text("The score shown is:")


def test_more_like_this_is_in_the_address(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = opened(visitor.search("?q=lighthouse&kind=image"), "gull-head.jpg")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("dialog.viewer")).to_be_hidden()
    page.wait_for_url(re.compile(r"[?&]like="))
    expect(page.locator(".card").first).to_be_visible()
    visitor.settled()
    expect(page.locator(".box-picture img")).to_be_visible()
    page.go_back()
    expect(page.locator("#rag-words")).to_have_value("lighthouse")


def test_copy_path_download_and_clip(server: Server, visit: Visit) -> None:
    visitor = visit(server, permissions=["clipboard-read", "clipboard-write"])
    page = opened(visitor.search("?q=alarm&kind=frame"), "induction-talk.mp4")
    page.get_by_role("button", name="Copy path").click()
    expect(page.get_by_role("button", name="Copy path")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith("videos/induction-talk.mp4")
    with page.expect_download() as original:
        page.get_by_role("link", name="Download").click()
    assert original.value.suggested_filename == "induction-talk.mp4"
    with page.expect_download(timeout=60_000) as clip:
        page.get_by_role("link", name="Save clip").click()
    assert clip.value.suggested_filename.endswith(".mp4")
    assert b"ftyp" in clip.value.path().read_bytes()[:16]


def test_the_address_of_an_opened_hit_opens_it(server: Server, visit: Visit) -> None:
    page = opened(visit(server).search("?q=porpoise&kind=page"))
    address = page.url
    assert "open=" in address
    other = visit(server)
    other.open(address.partition("/?")[2].join(["?", ""]))
    expect(other.page.locator(".viewer h2")).to_have_text("annual-report-2025.pdf")
    other.page.keyboard.press("Escape")
    other.page.wait_for_url(lambda url: "open=" not in url)
    expect(other.page.locator("dialog.viewer")).to_be_hidden()


@pytest.mark.complains
def test_a_missing_passage_is_reported(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.search("?q=porpoise&open=aaaaaaaaaa")
    expect(page.locator(".viewer .trouble")).to_contain_text("aaaaaaaaaa")
    assert [re.sub(r".*status of (\d+).*", r"\1", one) for one in visitor.said] == ["404"]  # Chromium logs it by itself


def test_a_photo_tells_when_and_where_it_was_taken_and_by_whom(tmp_path: Path, visit: Visit) -> None:
    exif = Image.Exif()
    exif.update({0x010E: "Ferry at the quay", 0x013B: "Ann Example"})
    exif.get_ifd(0x8769).update({0x9003: "2019:07:14 10:20:30", 0x9011: "+02:00"})
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 30.0), 3: "E", 4: (151.0, 12.0, 36.0)})
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (640, 480), "teal").save(folder / "a.jpg", exif=exif)
    index = tmp_path / "indexes/photos"
    done = rag("index", str(folder), "--index", str(index), "--ocr", "never", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with serving(tmp_path, index) as server:
        page = visit(server).search("?q=ferry")
        expect(page.locator(".card .card-foot")).to_contain_text("Jul 14, 2019")
        opened(page)
        facts = page.locator(".facts div").all_inner_texts()
    assert {"Made\nJul 14, 2019", "About\nby Ann Example", "Where (lat, lon)\n-33.85833, 151.21000"} <= set(facts)


def test_a_text_is_shown_by_its_format(server: Server, visit: Visit) -> None:
    """Markdown with its headings, a sheet as a table with tabs, code with its parts; the matches are marked in each."""
    visitor = visit(server, 1440, 900)
    page = visitor.search("?q=vpn+from+home&kind=text")
    page.get_by_role("link", name=re.compile("vpn-setup")).first.press("Enter")
    expect(page.locator(".viewer .reader-own .md-heading").first).to_be_visible()
    assert "#" not in page.locator(".viewer .reader-own .md-heading").first.inner_text()
    assert violations(page) == []
    visitor.shot("viewer-markdown")
    page = visitor.search("?q=TG-4071")
    page.get_by_role("link", name=re.compile("budget-2026")).first.press("Enter")
    expect(page.locator(".viewer .reader-own td mark").first).to_have_text(re.compile("TG"))
    expect(page.locator(".viewer .reader-own th").first).to_have_text("Tag")
    tabs = page.locator(".viewer .sheet-tab")
    expect(tabs.filter(has_text="Instruments")).to_have_attribute("aria-current", "true")
    assert violations(page) == []
    visitor.shot("viewer-sheet")
    other = tabs.filter(has_not_text="Instruments").first
    name = other.inner_text()
    other.click()
    expect(page.locator(".viewer .sheet-tab[aria-current]")).to_have_text(name)
    page = visitor.search("?q=despike+window&kind=text")
    page.get_by_role("link", name=re.compile("tide_gauge.py")).first.press("Enter")
    expect(page.locator(".viewer .reader-own .code-keyword").first).to_be_visible()
    expect(page.locator(".viewer .reader-own mark").first).to_be_visible()
    visitor.shot("viewer-code")
