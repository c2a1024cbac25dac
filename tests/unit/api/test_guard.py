"""Who may use the server: Host, Origin and key; and the headers of responses."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from rag.api.guard import Guard, Trust, trust
from rag.api.login import OneTimeCodes
from rag.errors import WrongRequest
from tests.unit.api_server import asking

KEY = "0123456789abcdef"
OFF_LOOPBACK = Trust("0.0.0.0", 7860, KEY, ("search.example.org",))
GUARDED = ("/v1/indexes", "/docs", "/openapi.json", "/metrics", "/v1/index/jobs/x", "/anything", "/healthz")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7860", "", "[::1", "10.0.0.5"]
)
@pytest.mark.parametrize("path", GUARDED)
def test_a_foreign_host_is_refused_everywhere(api: TestClient, host: str, path: str) -> None:
    answer = api.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign")


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:9", "[::1]:7860", "LOCALHOST", "localhost."])
def test_names_of_this_machine_are_accepted(api: TestClient, host: str) -> None:
    assert api.get("/healthz", headers={"Host": host}).json()["status"] == "ok"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:7860", "https://127.0.0.1.evil.example"]
)
def test_another_origin_is_refused(api: TestClient, origin: str) -> None:
    answer = api.post("/v1/search", json={"text": "harbour"}, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign")


def test_our_own_page_is_accepted(api: TestClient) -> None:
    answer = api.post("/v1/search", json={"text": "harbour"}, headers={"Origin": "http://127.0.0.1:7860"})
    assert answer.status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_may_link_to_the_page_but_not_embed_or_fetch(api: TestClient, site: str) -> None:
    embedded = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert api.get("/v1/indexes", headers=embedded).status_code == 403
    followed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert api.get("/v1/indexes", headers=followed).status_code == 403
    assert api.get("/", headers=followed).status_code == 404  # no page is mounted here, but the guard let it pass
    assert api.get("/", headers={**followed, "Sec-Fetch-Dest": "iframe"}).status_code == 403
    for path in ("/page/page.js", "/assets/index.js", "/mcpx", "/config"):
        assert api.get(path, headers=followed).status_code == 403


def test_security_headers(api: TestClient) -> None:
    for path in ("/healthz", "/nothing", "/v1/indexes"):
        headers = api.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
    strict = api.get("/v1/indexes").headers
    assert strict["Content-Security-Policy"].startswith("default-src 'none'")
    assert (strict["Cross-Origin-Resource-Policy"], strict["Cache-Control"]) == ("same-origin", "no-store")


def test_the_manual_loads_nothing_and_lists_every_route(api: TestClient) -> None:
    page = api.get("/docs")
    assert "script" not in page.text and "http://" not in page.text and "https://" not in page.text
    assert "script" not in page.headers["Content-Security-Policy"]
    for path in api.get("/openapi.json").json()["paths"]:
        assert path in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../etc/passwd",
        "/v1/%2e%2e/%2e%2e/etc/passwd",
        "/v1/index/jobs/..%2f..%2fetc",
        "/.git/config",
        "/v1/media/.env",
        "//etc",
    ],
)
def test_tricky_paths_find_nothing(api: TestClient, path: str) -> None:
    assert api.get(path).status_code == 404


# ---- off loopback -----------------------------------------------------------------------------


def test_off_loopback_a_key_is_required_to_start() -> None:
    with pytest.raises(WrongRequest) as refused:
        trust("0.0.0.0", 7860, "")
    assert "RAG_TOKEN=$(openssl rand -hex 16) rag ui --host 0.0.0.0" in refused.value.remedy
    for host in ("192.168.1.4", "::", "example.org"):
        with pytest.raises(WrongRequest):
            trust(host, 7860, "")
    assert (
        trust("127.0.0.1", 7860, "").token == "" and trust("::1", 7860, "").token == "" and trust("localhost", 1, "").token == ""
    )


@pytest.mark.parametrize("key", ["short", "fifteen letters", "with a space in it", "schlüssel-mit-umlaut"])
def test_a_short_or_unsendable_key_is_refused(key: str) -> None:
    with pytest.raises(WrongRequest):
        trust("0.0.0.0", 7860, key)


def test_without_the_key_only_healthz_answers(library: Path) -> None:
    with asking(library, trust=OFF_LOOPBACK) as client:
        for path in GUARDED[:-1]:
            answer = client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "no_key")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert client.post("/v1/search", json={"text": "harbour"}).status_code == 401
        assert client.get("/healthz").status_code == 200
        for wrong in ("Bearer", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x"):
            assert client.get("/v1/indexes", headers={"Authorization": wrong}).status_code == 401
        assert client.get("/v1/indexes", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200


def test_the_address_with_the_key_sets_a_cookie_and_leads_on_without_it(library: Path) -> None:
    with asking(library, trust=OFF_LOOPBACK) as client:
        assert client.get("/?token=wrong-wrong-wrong").status_code == 401
        welcome = client.get(f"/?token={KEY}&q=%22harbour%22%3Cb%3E")
        assert welcome.status_code == 200
        assert 'content="0;url=/?q=%22harbour%22%3Cb%3E"' in welcome.text and KEY not in welcome.text
        cookie = welcome.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and KEY not in cookie
        assert client.get("/v1/indexes").status_code == 200  # the client keeps the cookie
        kept = cookie.partition(";")[0]
        client.cookies.clear()
        for odd in ('theme={"dark":true}; ', "a[b]=c; ", "=; "):  # cookies of other programs on the same host
            assert client.get("/v1/indexes", headers={"Cookie": f"{odd}{kept}"}).status_code == 200
        assert client.get("/v1/indexes", headers={"Cookie": "rag_key_7860=0000"}).status_code == 401
        value = kept.partition("=")[2]  # behind one address any of several processes gave it, each with a port of its own
        assert client.get("/v1/indexes", headers={"Cookie": f"rag_key_7860=0000; rag_key_7861={value}"}).status_code == 200
        for wrong in (f"rag_start_7861={value}", "rag_key_7861=0000", f"key={value}"):
            assert client.get("/v1/indexes", headers={"Cookie": wrong}).status_code == 401


def test_off_loopback_ip_addresses_and_given_names_are_accepted_and_others_refused(library: Path) -> None:
    key = {"Authorization": f"Bearer {KEY}"}
    with asking(library, trust=OFF_LOOPBACK) as client:
        for host, status in (("192.168.1.4:7860", 200), ("search.example.org", 200), ("evil.example", 403)):
            assert client.get("/v1/indexes", headers={**key, "Host": host}).status_code == status


def test_mounted_applications_are_guarded_too() -> None:
    """Gradio's routes and its web socket, for one."""
    app = FastAPI()
    app.add_middleware(Guard, trust=Trust("127.0.0.1", 7860), codes=OneTimeCodes())

    @app.websocket("/queue")
    async def queue(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    client = TestClient(app, base_url="http://127.0.0.1:7860")
    with client.websocket_connect("/queue", headers={"Host": "127.0.0.1:7860"}) as socket:
        assert socket.receive_text() == "hello"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/queue", headers={"Host": "evil.example"}):
        pass
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/queue", headers={"Origin": "http://evil.example"}):
        pass
