"""The routes of the page: strict types and policies, and of Gradio's own routes only those that the page needs."""

from __future__ import annotations

import re
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio.routes import App
from playwright.sync_api import expect

from tests.page.axe import violations
from tests.page.conftest import TOP, Server, Visit, serving
from ui.components import every_component
from ui.files import static_files
from ui.shell import is_open


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
    kinds = {
        "js": "text/javascript; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "svg": "image/svg+xml",
        "json": "application/json",
    }
    assert answer.headers["content-type"] == kinds[name.rpartition(".")[2]]
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = httpx.get(f"{server.url}/page/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("kind", [component.__name__ for component in every_component()])
def test_components_are_served_as_built(server: Server, kind: str) -> None:
    component = next(one for one in every_component() if one.__name__ == kind)
    built = TOP / "ui/components" / component.TEMPLATE_DIR / "component"
    for file in built.iterdir():
        address = f"{server.url}/gradio_api/custom_component/{_served_id(server, kind)}/client/component/{file.name}"
        answer = httpx.get(address)
        assert answer.content == file.read_bytes()
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert httpx.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        assert httpx.get(address.replace(file.name, "../../../results.py")).status_code == 404


def _served_id(server: Server, kind: str) -> str:
    """The id by which Gradio's configuration names a component: it depends on where the package lies."""
    parts = httpx.get(f"{server.url}/config", timeout=60).json()["components"]
    return next(str(one["component_class_id"]) for one in parts if one["type"] == kind.lower())


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/upload",
        "/gradio_api/upload_progress",
        "/gradio_api/run/search",
        "/gradio_api/api/search",
        "/gradio_api/call/longer",
        "/gradio_api/call/v2/search",
        "/gradio_api/component_server",
        "/gradio_api/stream/x",
        "/gradio_api/process_recording",
        "/gradio_api/vibe-edit",
        "/gradio_api/vibe-code",
        "/gradio_api/deep_link",
        "/gradio_api/dev/reload",
        "/gradio_api/proxy=https://example.com",
        "/gradio_api/openapi.json",
        "/gradio_api/runs",
        "/monitoring",
        "/login",
        "/token",
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


def test_every_route_of_gradio_is_shut_but_those_that_are_needed() -> None:
    """Also the routes that a later Gradio adds: what is open is listed, not what is shut."""
    with gr.Blocks() as blocks:
        gr.Markdown("nothing")
    every = App.create_app(blocks).openapi()["paths"]
    assert len(every) > 60
    found = {
        f"{method.upper()} {path.rstrip('/') or '/'}"
        for path, methods in every.items()
        for method in methods
        if is_open(method.upper(), re.sub(r"{[^}]+}", "x", path))
    }
    assert found == {
        "GET /",
        "HEAD /",
        "GET /assets/{path}",
        "GET /config",
        "GET /favicon.ico",
        "GET /gradio_api/app_id",
        "GET /gradio_api/heartbeat/{session_hash}",
        "GET /gradio_api/info",
        "GET /gradio_api/queue/data",
        "GET /gradio_api/startup-events",
        "GET /gradio_api/theme.css",
        "GET /manifest.json",
        "GET /static/{path}",
        "GET /theme.css",
        "POST /gradio_api/cancel",
        "POST /gradio_api/queue/join",
        "POST /gradio_api/reset",
    }
    assert is_open("POST", "/gradio_api/run/predict")  # of the functions by their names, the one that runs the events of the page


def test_no_file_of_the_machine_comes_through_an_event(server: Server) -> None:
    """An event that names a file, as Gradio's own file components do, gets an error and not the file."""
    file = {"path": str(TOP / "README.md"), "url": "", "orig_name": "README.md", "meta": {"_type": "gradio.FileData"}}
    with httpx.Client(base_url=server.url, timeout=60) as client:
        config = client.get("/config").json()
        said = ""
        for number in range(len(config["dependencies"])):
            asked = {"fn_index": number, "data": [file] * len(config["dependencies"][number]["inputs"]), "session_hash": "thief"}
            client.post("/gradio_api/queue/join", json=asked | {"event_data": file})
            said += client.post("/gradio_api/run/predict", json=asked | {"event_data": file}).text
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "thief"}) as events:
            said += "".join(events.iter_text())
    assert "process_completed" in said
    assert "multimodal" not in said.casefold()  # the first line of that file


SOURCES = sorted(path for path in (TOP / "frontend/src").rglob("*") if path.suffix in (".ts", ".css"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(TOP / "frontend/src")))
def test_no_source_of_ours_writes_markup(path: Path) -> None:
    """Names and texts from files reach the page as text nodes only, and nothing names another host."""
    source = path.read_text()
    writes = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"on"
    assert not re.search(writes, source)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", source)
    assert path.suffix == ".css" or len(source.splitlines()) <= 300
    assert not re.search(r"gradio-container|tab-wrapper|tab-container|tabitem|svelte-", source)  # names of Gradio's own


def test_our_scripts_are_small(server: Server) -> None:
    """As served, uncompressed; Gradio's own are not counted."""
    built = (TOP / "ui/components/templates").rglob("*.js")
    assert sum(path.stat().st_size for path in built) <= 200 * 1024


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
