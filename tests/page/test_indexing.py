"""The index tab on a growing corpus, on an index that does not exist yet, and with a server that dies."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.page.axe import violations
from tests.page.conftest import Server, Visit, environment, rag, serving

MANY, FEW = 60, 10  # pictures: even many processors take long enough for MANY to be stopped; a slow one is soon done with FEW


def picture(file: Path, number: int) -> None:
    """A picture like a screenshot, with words that take OCR some time."""
    image = Image.new("RGB", (1280, 720), (250, 250, 250))
    draw = ImageDraw.Draw(image)
    for row in range(24):
        draw.text(
            (30, 20 + 28 * row), f"berth {number} row {row} mooring line checked by the crew of the pilot boat", fill=(20, 20, 20)
        )
    image.save(file, compress_level=1)


def test_what_the_index_holds(server: Server, visit: Visit) -> None:
    page = visit(server).open("?tab=index")
    section = page.locator('[data-index="samples"]')
    assert int(section.locator(".figure", has_text="Documents").locator("strong").inner_text()) >= 261
    expect(section.locator(".bars li", has_text="Pages")).to_contain_text(re.compile(r"4\d"))
    expect(section.locator(".panel", has_text="Model").first).to_contain_text("lite")
    row = section.locator(".skipped tr", has_text="not-a-picture.jpg")
    expect(row).to_contain_text("is named .jpg but contains text")
    section.get_by_label("Find a file or a reason").fill("poster-huge")
    expect(section.locator(".skipped tbody tr")).to_have_count(1)
    expect(section.locator(".skipped tbody tr")).to_contain_text("20,000 × 20,000 pixels")


def test_an_index_is_updated_from_the_page(tmp_path: Path, visit: Visit) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "first.txt").write_text("The pilot boat leaves at dawn.")
    index = tmp_path / "indexes/default"
    assert rag("index", str(corpus), "--index", str(index), "--quiet", cwd=tmp_path).returncode == 0
    with serving(tmp_path, index) as server:
        visitor = visit(server)
        page = visitor.own(server)
        page.get_by_role("tab", name="Index").click()
        expect(page.locator(".figure", has_text="Documents").locator("strong")).to_have_text("1")
        page.wait_for_url("**/?tab=index")
        (corpus / "second.txt").write_text("The lighthouse keeper counts porpoises.")
        page.get_by_role("button", name="Update the index").click()
        expect(page.locator(".job-done")).to_contain_text("The index is up to date")
        expect(page.locator(".figure", has_text="Documents").locator("strong")).to_have_text("2")
        page.get_by_role("tab", name="Search").click()
        visitor.ask("lighthouse keeper")
        expect(page.locator(".card h3").first).to_have_text("second.txt")


def test_indexing_is_followed_stopped_and_resumed(tmp_path: Path, visit: Visit) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "first.txt").write_text("The pilot boat leaves at dawn.")
    index = tmp_path / "indexes/default"
    assert rag("index", str(corpus), "--index", str(index), "--quiet", cwd=tmp_path).returncode == 0
    for number in range(MANY):
        picture(corpus / f"screen-{number}.png", number)
    with serving(tmp_path, index) as server:
        visitor = visit(server)
        page = visitor.own(server, "?tab=index")
        page.get_by_role("button", name="Update the index").click()
        expect(page.locator(".job-words")).to_contain_text(re.compile(rf"\d+ of {MANY} documents"))
        expect(page.locator(".job-file")).to_contain_text(re.compile(r"screen-\d"))
        expect(page.locator(".job-words")).to_contain_text("held back by reading")
        expect(page.locator(".job-words")).to_contain_text(
            re.compile(r"documents per second · .* passages per second · .* tokens per second")
        )
        visitor.shot("indexing")
        page.get_by_role("tab", name="Search").click()
        visitor.ask("pilot boat leaves")  # searching works meanwhile
        expect(page.locator(".card h3").first).to_have_text("first.txt")
        page.get_by_role("tab", name="Index").click()
        page.wait_for_url(re.compile("tab=index"))
        page.reload()  # a page opened later follows the running job
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".job-stopped")).to_contain_text("Finished work is kept", timeout=60_000)
        for number in range(FEW, MANY):
            (corpus / f"screen-{number}.png").unlink()
        page.get_by_role("button", name="Resume").click()
        expect(page.locator(".job-done")).to_be_visible(timeout=120_000)
        expect(page.locator(".figure", has_text="Documents").locator("strong")).to_have_text(str(1 + FEW))


def test_a_run_in_a_terminal_is_followed(tmp_path: Path, visit: Visit) -> None:
    """Its progress is on the page, without a button to stop it, and the counts follow its commits."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "first.txt").write_text("The pilot boat leaves at dawn.")
    index = tmp_path / "indexes/default"
    assert rag("index", str(corpus), "--index", str(index), "--quiet", cwd=tmp_path).returncode == 0
    for number in range(MANY):
        picture(corpus / f"screen-{number}.png", number)
    with serving(tmp_path, index) as server:
        page = visit(server).own(server, "?tab=index")
        command = [sys.executable, "-m", "rag.cli", "index", "--index", str(index), "--quiet"]
        with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL) as terminal:
            expect(page.locator(".job-words")).to_contain_text(re.compile(rf"\d+ of {MANY} documents"))
            expect(page.locator(".job")).to_contain_text(f"Started in a terminal (process {terminal.pid})")
            expect(page.get_by_role("button", name="Stop")).to_have_count(0)
            expect(page.get_by_role("button", name="Update the index")).to_be_disabled()
            terminal.send_signal(signal.SIGINT)
        expect(page.locator(".job")).to_have_count(0)
        expect(page.get_by_role("button", name="Update the index")).to_be_enabled()


def test_one_or_both_of_two_indexes_are_searched(tmp_path: Path, samples: Path, visit: Visit) -> None:
    """Each is listed with its count; the choice is in the address, and a hit opens from the index it was found in."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "lighthouse.txt").write_text("The lighthouse keeper counts porpoises.")
    index = tmp_path / "indexes/diary"
    assert rag("index", str(corpus), "--index", str(index), "--quiet", cwd=tmp_path).returncode == 0
    with serving(tmp_path, samples, index) as server:
        visitor = visit(server)
        page = visitor.open()
        page.locator("summary", has_text="samples").click()
        options = page.locator(".menu-option", has_text=re.compile("samples|diary"))
        assert [re.sub(r"\d+", "N", words).split() for words in options.all_inner_texts()] == [["samples", "N"], ["diary", "N"]]
        expect(options.first).to_be_disabled()  # at least one is searched
        assert violations(page) == []
        visitor.ask("lighthouse")
        assert page.locator(".card").count() > 5
        page.locator(".menu-option", has_text="diary").click()  # the menu stays open
        expect(page.locator(".card h3", has_text="lighthouse.txt")).to_have_count(1)
        visitor.settled()
        assert page.locator(".card").count() > 5
        assert "index=samples&index=diary" in page.url
        page.locator(".menu-option", has_text="samples").click()
        expect(page.locator(".card h3")).to_have_text(["lighthouse.txt"])
        assert page.url.endswith("index=diary")
        visitor.settled()
        page.locator(".card-open").first.click()
        expect(page.locator(".reader-own")).to_contain_text("porpoises")
        page.keyboard.press("Escape")
        page.wait_for_url(lambda url: "open=" not in url)  # closing is a step back, and that would end a reload
        page.reload()
        expect(page.locator(".card h3")).to_have_text(["lighthouse.txt"])
        visitor.shot("two-indexes")


def test_an_index_that_appears(tmp_path: Path, visit: Visit) -> None:
    with serving(tmp_path, tmp_path / "indexes/default") as server:
        visitor = visit(server)
        page = visitor.open()
        expect(page.locator(".hero-holds")).to_contain_text("Nothing is indexed yet")
        expect(page.locator(".hero-holds pre")).to_have_text("rag index ./corpus")
        visitor.shot("empty")
        visitor.open("?tab=index")
        expect(page.locator(".empty-index pre")).to_have_text("rag index ./corpus")
        visitor.open()
        corpus = tmp_path / "corpus"
        corpus.mkdir()
        (corpus / "first.txt").write_text("The pilot boat leaves at dawn.")
        run = subprocess.run(
            [sys.executable, "-m", "rag.cli", "index", "corpus", "--quiet"], cwd=tmp_path, env=environment(), capture_output=True
        )
        assert run.returncode == 0, run.stderr
        expect(page.locator(".hero-holds")).to_contain_text("1 document, 1 passage")
        visitor.ask("pilot boat")
        expect(page.locator(".card h3").first).to_have_text("first.txt")


@pytest.mark.complains
def test_a_search_before_there_is_an_index(tmp_path: Path, visit: Visit) -> None:
    with serving(tmp_path, tmp_path / "indexes/default") as server:
        page = visit(server).open("?q=boat")
        expect(page.locator(".trouble")).to_contain_text("rag index")


@pytest.mark.complains
def test_a_dead_server_is_reported_with_its_address(samples: Path, tmp_path: Path, visit: Visit) -> None:
    with serving(tmp_path, samples) as server:
        visitor = visit(server)
        page = visitor.search("?q=lighthouse")
        before = page.locator(".card").count()
        server.process.kill()
        server.process.wait()
        page.locator("#rag-words").fill("porpoise")
        expect(page.locator(".trouble")).to_contain_text(f"No answer from {server.url}")
        expect(page.locator(".trouble")).to_contain_text("rag ui")
        assert page.locator(".card").count() == before  # what was found stays readable
        expect(page.locator(".search")).to_have_class(re.compile("is-stale"))  # and is seen to be old
        visitor.shot("down")


@pytest.mark.complains
def test_a_server_that_is_back_is_asked_again(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=lighthouse")
    page.context.set_offline(True)
    page.locator("#rag-words").fill("porpoise")
    expect(page.locator(".trouble")).to_contain_text("No answer from")
    page.context.set_offline(False)
    expect(page.locator('.search[data-words="porpoise"][data-settled="true"]')).to_be_visible()
    expect(page.locator(".trouble")).to_have_count(0)


def test_reasons_are_in_the_language_of_the_page(server: Server, visit: Visit) -> None:
    page = visit(server, locale="zh-CN").open("?tab=index")
    row = page.locator(".skipped tr", has_text="not-a-picture.jpg")
    expect(row).to_contain_text("扩展名为 .jpg，内容却是文字")
    page.get_by_label("查找文件或原因").fill("上限为 max_source_pixels")
    expect(page.locator(".skipped tbody tr")).to_have_count(1)
