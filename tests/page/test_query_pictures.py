"""Searching with a picture: chosen, pasted, dropped, a part of one; and what is refused."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import TOP, Meddled, Server, Visit
from tests.page.reading import asked, names

PICTURES = TOP / "samples/query_pictures"


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


def test_several_pictures_are_one_query(server: Server, visit: Visit) -> None:
    """Chosen together and added later, each taken away by its own button; the address, back and forward hold them all."""
    visitor = visit(server, 390, 800)
    page = visitor.open()
    page.locator("input[type=file]").set_input_files([PICTURES / "evening.jpg", PICTURES / "boat.jpg"])
    chips = page.locator(".box-picture img")
    expect(chips).to_have_count(2)
    visitor.settled()
    assert "IMG_2041.jpg" in names(page)[:4] and any(name.startswith("IMG_300") for name in names(page)[:4])
    visitor.shot("pictures-390")
    give(page, "paste", PICTURES / "peaks.png")
    expect(chips).to_have_count(3)
    assert len(asked(page)["picture"]) == 3
    page.reload()
    expect(chips).to_have_count(3)
    page.get_by_role("button", name="Remove picture 3").click()
    page.get_by_role("button", name="Remove picture 2").click()
    expect(chips).to_have_count(1)
    expect(page.locator(".card h3").first).to_have_text("IMG_2041.jpg")
    page.go_back()
    expect(chips).to_have_count(2)
    visitor.settled()
    page.get_by_role("button", name="Search with a part of this picture").nth(1).click()
    page.keyboard.press("Enter")  # half of each side, of this picture alone
    expect(page.locator(".part-dialog")).to_have_count(0)
    expect(chips).to_have_count(2)
    page.locator("input[type=file]").set_input_files([*sorted(PICTURES.iterdir()), TOP / "samples/corpus/photos/DSC_0113.jpg"])
    expect(page.locator(".trouble")).to_contain_text("At most 5 pictures at once")
    expect(chips).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


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


def test_a_part_of_a_picture_is_searched_for(server: Server, visit: Visit) -> None:
    """From an opened hit, and from the query picture itself; with the pointer and by keys."""
    visitor = visit(server, 1440, 900)
    page = visitor.search("?q=lighthouse&kind=image")
    page.locator(".card-open").first.press("Enter")
    page.locator("dialog.viewer").get_by_role("button", name="Search a part").click()
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
