"""Taking a result elsewhere: opened in its application, shown in its folder, copied, dragged out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Server, Visit, serving


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A desktop whose programs write down what they are called with; the file that they write to."""
    for name in ("xdg-open", "dbus-send"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@" >> "{tmp_path}/told"\n')
        (tmp_path / name).chmod(0o755)
    return tmp_path / "told"


def opened(page: Page) -> Page:
    page.locator(".card-open").first.press("Enter")
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    return page


def test_who_started_the_server_opens_and_reveals(samples: Path, told: Path, visit: Visit) -> None:
    path = f"{told.parent}:/usr/bin:/bin"
    with serving(told.parent, samples, PATH=path, DISPLAY=":7") as server:
        visitor = visit(server)
        visitor.own(server, "?q=porpoise&kind=page")
        visitor.settled()
        page = opened(visitor.page)
        page.get_by_role("button", name="Open file").click()
        expect(page.get_by_role("button", name="Open file")).to_have_text("Opened")
        assert told.read_text().startswith("xdg-open /") and told.read_text().endswith("annual-report-2025.pdf\n")
        page.get_by_role("button", name="Show in folder").click()
        expect(page.get_by_role("button", name="Show in folder")).to_have_text("Shown in its folder")
        assert "FileManager1.ShowItems array:string:file:///" in told.read_text()
        visitor.shot("open-actions")
        stranger = visit(server)  # another user of the machine: the port, without the key
        expect(opened(stranger.search("?q=porpoise&kind=page")).get_by_role("button", name="Copy path")).to_be_visible()
        expect(stranger.page.get_by_role("button", name="Open file")).to_have_count(0)
        id = stranger.page.url.rpartition("open=")[2]
        refused = httpx.post(f"{server.url}/v1/desktop/open", json={"id": id})
        assert refused.status_code == 401 or "key" in refused.text
        with_key = {"Authorization": f"Bearer {server.start_key}"}
        elsewhere = httpx.post(
            f"{server.url}/v1/desktop/open", json={"id": id}, headers=with_key | {"Origin": "http://evil.example"}
        )
        assert elsewhere.status_code == 403
        assert told.read_text().count("xdg-open") == 1


def test_a_citation_and_a_picture_are_copied(server: Server, visit: Visit) -> None:
    visitor = visit(server, permissions=["clipboard-read", "clipboard-write"])
    page = opened(visitor.search("?q=porpoise&kind=page"))
    page.get_by_role("button", name="Copy citation").click()
    expect(page.get_by_role("button", name="Copy citation")).to_have_text("Copied")
    words = page.evaluate("navigator.clipboard.readText()")
    assert words.startswith("[annual-report-2025.pdf, p. 16](<file:///") and words.endswith("/reports/annual-report-2025.pdf>)")
    page.get_by_role("button", name="Copy picture").click()
    expect(page.get_by_role("button", name="Copy picture")).to_have_text("Copied")
    kinds = page.evaluate("navigator.clipboard.read().then((items) => items.flatMap((one) => one.types))")
    assert kinds == ["image/png"]


def test_a_card_is_dragged_out_as_its_file(server: Server, visit: Visit) -> None:
    page = visit(server).search("?q=porpoise&kind=page")
    carried = page.locator(".card-open").first.evaluate(
        """(link) => {
            const dataTransfer = new DataTransfer();
            link.dispatchEvent(new DragEvent("dragstart", { dataTransfer, bubbles: true }));
            return Object.fromEntries([...dataTransfer.types].map((type) => [type.toLowerCase(), dataTransfer.getData(type)]));
        }"""
    )
    kind, name, address = carried["downloadurl"].split(":", 2)
    assert (kind, name) == ("application/octet-stream", "annual-report-2025.pdf")
    assert address == carried["text/uri-list"] and httpx.get(address).content.startswith(b"%PDF")
    assert unquote(carried["text/plain"]).endswith("/reports/annual-report-2025.pdf")
