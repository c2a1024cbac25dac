"""The routes of the page: strict types and policies, and Gradio's own routes closed."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.page.axe import violations
from tests.page.conftest import Server, Visit, serving
from ui.files import static_files


def test_the_page_allows_its_own_scripts_by_hash_and_no_others(server: Server) -> None:
    answer = httpx.get(f"{server.url}/", timeout=60)  # Gradio may still be loading
    policy = answer.headers["content-security-policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts is not None
    assert "unsafe" not in scripts.group(1)
    assert scripts.group(1).split()[0] == "'self'"
    assert len(re.findall(r"'sha256-[^']{44}'", scripts.group(1))) == len(re.findall(r"<script(?![^>]*\ssrc=)", answer.text))
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("name", sorted(static_files()))
def test_files_of_the_page_have_their_exact_type(server: Server, name: str) -> None:
    answer = httpx.get(f"{server.url}/page/{name}")
    kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    assert answer.headers["content-type"] == kinds[name.rpartition(".")[2]]
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = httpx.get(f"{server.url}/page/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/upload",
        "/gradio_api/info",
        "/gradio_api/call/search",
        "/gradio_api/queue/join",
        "/gradio_api/proxy=https://example.com",
        "/config",
        "/login",
        "/page/../page.py",
        "/page/%2e%2e/page.py",
        "/page/page.py",
        "/static/../../../etc/passwd",
        "/assets/..%2f..%2findex.html",
    ],
)
def test_other_addresses_are_closed(server: Server, path: str) -> None:
    with httpx.Client() as client:
        asked = client.build_request("GET", server.url)
        asked.url = asked.url.copy_with(raw_path=path.encode())
        assert client.send(asked).status_code == 404
        posted = client.build_request("POST", server.url)
        posted.url = posted.url.copy_with(raw_path=path.encode())
        assert client.send(posted).status_code in (404, 405)


def test_no_script_of_ours_writes_markup() -> None:
    """Names and texts from files reach the page as text nodes only."""
    for name, file in static_files().items():
        source = file.content.decode()
        if name.endswith(".js"):
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"on", source
            ), name
            assert len(source.splitlines()) <= 300, name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", source), name


@pytest.mark.complains
def test_a_key_can_be_typed(samples: Path, tmp_path: Path, visit: Visit) -> None:
    key = "0123456789abcdef"
    with serving(tmp_path, samples, key=key) as server:
        page = visit(server).page
        page.goto(f"{server.url}/?q=lighthouse")
        assert violations(page) == []
        for given in ("not the key at all", key):
            page.get_by_label("Key").fill(given)
            page.get_by_role("button", name="Open").click()
            if given != key:
                expect(page.get_by_role("alert")).to_contain_text("That key is wrong.")
        expect(page.locator(".card").first).to_be_visible()  # the query of the address
        assert key not in page.url and "q=lighthouse" in page.url
        page.go_back()
        assert key not in page.url
