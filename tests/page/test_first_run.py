"""The first run: from an empty index to results by a folder or by uploads; and what needs the key of this start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.page.axe import violations
from tests.page.conftest import Server, Visit, rag, serving


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in ("Letters", "Pictures/2024", "Videos"):
        (home / name).mkdir(parents=True)
    (home / "Letters/first.txt").write_text("The pilot boat leaves at dawn.")
    return home


@pytest.fixture
def empty(tmp_path: Path, home: Path) -> Iterator[Server]:
    with serving(tmp_path, tmp_path / "indexes/default", browse=home) as server:
        yield server


def indexed(page: Page, documents: int) -> None:
    """Waits on the index tab until so many documents are there."""
    page.wait_for_url("**tab=index**")
    expect(page.locator(".job-done")).to_be_visible(timeout=120_000)
    expect(page.locator(".figure", has_text="Documents").locator("strong")).to_have_text(str(documents))


def test_a_folder_is_chosen_step_by_step(empty: Server, home: Path, visit: Visit) -> None:
    visitor = visit(empty)
    page = visitor.own(empty)
    assert "token" not in page.url
    expect(page.locator(".hero-holds")).to_contain_text("Nothing is indexed yet")
    path = page.get_by_role("textbox", name="Path of a folder")
    expect(path).to_have_value(str(home))
    expect(page.locator(".start-list:visible button")).to_have_text(["Letters", "Pictures", "Videos"])
    expect(page.get_by_role("button", name="Folder above")).to_be_disabled()
    assert violations(page) == []
    page.get_by_role("button", name="Pictures").click()
    expect(page.locator(".start-list:visible button")).to_have_text(["2024"])
    page.get_by_role("button", name="Folder above").click()
    path.fill(f"{home}/Letters")
    expect(page.get_by_role("button", name="Index this folder")).to_be_disabled()  # it is not what is shown
    path.press("Enter")
    expect(page.locator(".start-foot:visible")).to_contain_text("1 file here, 0 folders")
    page.get_by_role("button", name="Index this folder").click()
    indexed(page, 1)
    page.get_by_role("tab", name="Search").click()
    visitor.ask("pilot boat")
    expect(page.locator(".card h3")).to_have_text(["first.txt"])


def test_what_is_typed_while_a_folder_is_read_stays(empty: Server, home: Path, visit: Visit) -> None:
    page = visit(empty).own(empty)
    path = page.get_by_role("textbox", name="Path of a folder")
    expect(path).to_have_value(str(home))
    held: list[Route] = []
    page.route(lambda url: "/v1/folders" in url, lambda route: held.append(route))
    with page.expect_request(lambda request: "/v1/folders" in request.url):
        page.get_by_role("button", name="Pictures").click()
    path.fill(f"{home}/Letters")
    held[0].continue_()
    expect(page.locator(".start-list:visible button")).to_have_text(["2024"])
    expect(path).to_have_value(f"{home}/Letters")
    expect(page.get_by_role("button", name="Index this folder")).to_be_disabled()  # it is not what is shown


@pytest.mark.complains
def test_a_folder_that_may_not_be_shown_is_refused_with_its_reason(empty: Server, visit: Visit) -> None:
    page = visit(empty).own(empty, "?tab=index")
    path = page.get_by_role("textbox", name="Path of a folder")
    expect(path).not_to_have_value("")
    path.fill("/etc")
    path.press("Enter")
    expect(page.locator(".trouble")).to_contain_text("rag ui --browse FOLDER")


def test_files_are_uploaded(empty: Server, tmp_path: Path, visit: Visit) -> None:
    visitor = visit(empty)
    page = visitor.own(empty)
    (tmp_path / "trip/day").mkdir(parents=True)
    (tmp_path / "trip/day/log.txt").write_text("The lighthouse keeper counts porpoises.")
    (tmp_path / "trip/notes.md").write_text("# Berths\n\nThe tug is at berth seven.")
    (tmp_path / "trip/.hidden").write_text("not this")
    page.locator(".start-drop:visible input").nth(1).set_input_files(tmp_path / "trip")
    indexed(page, 2)
    kept = sorted(str(file.relative_to(tmp_path)) for file in (tmp_path / "indexes/default-uploads").rglob("*") if file.is_file())
    assert kept == ["indexes/default-uploads/trip/day/log.txt", "indexes/default-uploads/trip/notes.md"]
    page.get_by_role("tab", name="Search").click()
    visitor.ask("porpoises")
    expect(page.locator(".card h3")).to_have_text(["log.txt"])


def test_a_dropped_file_is_uploaded_and_not_searched_for(empty: Server, visit: Visit) -> None:
    page = visit(empty).own(empty)
    page.locator(".start-drop:visible").wait_for()
    carried = page.evaluate_handle(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["The tide table of the harbour."], "tides.txt", { type: "text/plain" }));
            return carried;
        }"""
    )
    page.dispatch_event(".start-drop:visible", "dragenter", {"dataTransfer": carried})
    expect(page.locator(".veil")).to_have_count(0)
    page.dispatch_event(".start-drop:visible", "drop", {"dataTransfer": carried})
    indexed(page, 1)


def test_a_folder_is_added_to_an_index(tmp_path: Path, home: Path, visit: Visit) -> None:
    index = tmp_path / "indexes/default"
    assert rag("index", str(home / "Letters"), "--index", str(index), "--quiet", cwd=tmp_path).returncode == 0
    (home / "Pictures/tides.txt").write_text("High water is at noon.")
    with serving(tmp_path, index, browse=home) as server:
        page = visit(server).own(server, "?tab=index")
        page.get_by_text("Add a folder or files").click()
        page.get_by_role("button", name="Pictures").click()
        page.get_by_role("button", name="Index this folder").click()
        indexed(page, 2)
        expect(page.locator(".roots li")).to_have_count(2)


def test_without_the_key_one_can_search_but_not_manage(tmp_path: Path, home: Path, visit: Visit) -> None:
    index = tmp_path / "indexes/default"
    assert rag("index", str(home / "Letters"), "--index", str(index), "--quiet", cwd=tmp_path).returncode == 0
    with serving(tmp_path, index, browse=home) as server:
        visitor = visit(server)
        page = visitor.open("?tab=index")
        expect(page.locator(".locked")).to_contain_text("needs the key")
        expect(page.get_by_role("button", name="Update the index")).to_have_count(0)
        expect(page.get_by_text("Add a folder or files")).to_have_count(0)
        assert violations(page) == []
        page.get_by_role("tab", name="Search").click()
        visitor.ask("pilot boat")
        expect(page.locator(".card h3")).to_have_text(["first.txt"])
        event = {"fn_index": start_event(server), "data": [], "event_data": {"index": "default"}, "session_hash": "other"}
        said = httpx.post(f"{server.url}/gradio_api/run/predict", json=event, timeout=60).json()["data"][0]
        assert said["failure"]["code"] == "start_key_needed"
        page.get_by_role("tab", name="Index").click()
        page.locator(".locked:visible input").first.fill(server.start_key)
        page.get_by_role("button", name="Unlock").click()
        expect(page.get_by_role("button", name="Update the index")).to_be_enabled()
        assert page.url == f"{server.url}/?tab=index"


def start_event(server: Server) -> int:
    """The number of the event by which the panel starts a run."""
    config = httpx.get(f"{server.url}/config", timeout=60).json()
    panel = next(one["id"] for one in config["components"] if one["type"] == "indexpanel")
    return next(one["id"] for one in config["dependencies"] if [panel, "start"] in one["targets"])


@pytest.mark.parametrize("width", [390, 1440, 2560])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_how_it_looks(empty: Server, visit: Visit, width: int, scheme: str, language: str) -> None:
    visitor = visit(empty, width, 900, color_scheme=scheme, locale=language)
    page = visitor.own(empty)
    expect(page.locator(".start-list:visible button")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    visitor.shot(f"first-run-{width}-{scheme}-{language}")
