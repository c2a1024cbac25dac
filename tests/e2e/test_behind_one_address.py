"""Two `rag ui` on one index behind a proxy that asks them in turn: what works whichever answers, and what says it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import rag as library
from tests.e2e.conftest import Ran
from tests.e2e.round_robin import ANSWERED_BY, round_robin
from tests.e2e.test_ui_server import KEY, serving

MANY = 60  # texts that one query finds: three pages of the list


@pytest.fixture
def address(corpus: Path, tmp_path: Path) -> Iterator[str]:
    """The address before two servers of one index, one key, and one file of further keys."""
    (corpus / "many").mkdir()
    for number in range(MANY):
        (corpus / f"many/{number}.txt").write_text(f"Berth {number} has a bollard of kind {number * 7}.\n")
    library.build_index(corpus, ocr="never")
    shared = {"RAG_TOKEN": KEY, "RAG_KEYS": str(tmp_path / "keys.json")}
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(tmp_path, **shared))[0] for _ in range(2)]
        yield stack.enter_context(round_robin(servers))


def twice(client: httpx.Client, method: str, path: str, **more: Any) -> list[httpx.Response]:
    """The answers of both servers to a request."""
    found = [client.request(method, path, **more) for _ in range(2)]
    assert {one.headers[ANSWERED_BY] for one in found} == {"0", "1"}
    return found


def same(client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    """The answer to a request, once both have given it."""
    first, second = twice(client, method, path, **more)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    return first


def test_whichever_answers(address: str, corpus: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    """Search, its next hits, a passage, its picture, the original, ranges, evidence, MCP, another commit, limited keys."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
        assert same(client, "GET", "/readyz").json()["generations"]["default"] > 0
        hits = [one.json()["hits"] for one in twice(client, "POST", "/v1/search", json={"text": "pilot boat Seagull"})]
        assert hits[0] == hits[1] and hits[0][0]["document"] == "a/IMG_1.jpg"
        seagull = hits[0][0]
        thumb = same(client, "GET", seagull["thumbnail"])
        assert (thumb.status_code, thumb.headers["content-type"]) == (200, "image/webp")
        again = twice(client, "GET", seagull["thumbnail"], headers={"If-None-Match": thumb.headers["etag"]})
        assert [one.status_code for one in again] == [304, 304]
        original = f"/v1/media/{seagull['id']}/original"
        assert same(client, "GET", original).content == (corpus / "a/IMG_1.jpg").read_bytes()
        part = same(client, "GET", original, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, (corpus / "a/IMG_1.jpg").read_bytes()[10:20])
        assert same(client, "GET", f"/v1/passages/{seagull['id']}").json()["caption"] == "the pilot boat Seagull in dry dock"
        less = {"text": "harbour boat", "less_like": [seagull["id"]]}
        assert all(
            seagull["id"] not in [hit["id"] for hit in one.json()["hits"]]
            for one in twice(client, "POST", "/v1/search", json=less)
        )

        listed, cursor = [], None
        while True:
            page = client.post("/v1/search", json={"text": "bollard", "whole": True, "top_k": 25, "cursor": cursor}).json()
            listed += [hit["document"] for hit in page["hits"]]
            if (cursor := page["next"]) is None:
                break
        assert sorted(listed) == sorted(f"many/{number}.txt" for number in range(MANY))

        asked = twice(client, "POST", "/v1/ask", json={"question": "what does the committee discuss?", "stream": False})
        assert [(one.status_code, one.json()["error"]["code"]) for one in asked] == [(503, "no_chat_model")] * 2
        assert asked[0].json()["sources"] == asked[1].json()["sources"] != []
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "status", "arguments": {}}}
        agents = {"Accept": "application/json, text/event-stream"}
        assert [one.status_code for one in twice(client, "POST", "/mcp", json=call, headers=agents)] == [200, 200]
        assert rag("query", "Seagull", "--json", "--server", address, RAG_TOKEN=KEY).json[0]["document"] == "a/IMG_1.jpg"

        (corpus / "a/late.txt").write_text("a late note on buoys\n")  # a commit of another process is seen by both at once
        assert rag("index", "corpus", RAG_OCR="never").code == 0
        late = [one.json()["hits"][0]["document"] for one in twice(client, "POST", "/v1/search", json={"text": "buoys"})]
        assert late == ["a/late.txt"] * 2

    limited = rag("key", "add", "board", "--read-only", "--root", "elsewhere", RAG_KEYS=str(tmp_path / "keys.json")).out.strip()
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {limited}"}, timeout=60) as client:
        refused = same(client, "POST", "/v1/search", json={"text": "Seagull"}).json()["error"]
        assert refused["what"] == "the key of this request may see no index here" and "rag key list" in refused["remedy"]
        assert same(client, "GET", f"/v1/media/{seagull['id']}/original").status_code == 404
        assert rag("key", "rm", "board", RAG_KEYS=str(tmp_path / "keys.json")).code == 0
        assert {one.status_code for one in twice(client, "GET", "/v1/access")} == {401}


def test_managing_and_readiness(address: str, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    """Uploads to either are indexed by either, by a key of `rag key`; its job is known to one; readiness ends with the index."""
    key = rag("key", "add", "boss", RAG_KEYS=str(tmp_path / "keys.json")).out.strip()
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        first = client.put("/v1/uploads", params={"name": "first.txt"}, content=b"a pontoon of the first process\n").json()
        other = client.put("/v1/uploads", params={"name": "other.txt"}, content=b"a pontoon of the other process\n").json()
        assert first["folder"] == other["folder"]
        job = client.post("/v1/index", json={"folder": first["folder"]}).json()["job"]
        unknown, owner = client.get(f"/v1/index/jobs/{job}"), client.get(f"/v1/index/jobs/{job}")
        assert (owner.status_code, owner.json()["id"], unknown.status_code) == (200, job, 404)
        assert "behind a balancer, ask the process that started it" in unknown.json()["error"]["remedy"]
        end = time.monotonic() + 120
        while owner.json()["state"] == "running" and time.monotonic() < end:
            time.sleep(0.1)
            [owner] = [one for one in twice(client, "GET", f"/v1/index/jobs/{job}") if one.status_code == 200]
        found = [one.json()["hits"] for one in twice(client, "POST", "/v1/search", json={"text": "pontoon"})]
        assert [sorted(hit["document"] for hit in hits) for hits in found] == [["first.txt", "other.txt"]] * 2
    folder = tmp_path / "indexes/default"
    with httpx.Client(base_url=address, timeout=60) as stranger:
        assert [one.json() for one in twice(stranger, "GET", "/readyz")] == [{"status": "ready", "generations": {}}] * 2
        folder.rename(folder.with_name("away"))
        known = {"Authorization": f"Bearer {KEY}"}
        for gone in (*twice(stranger, "GET", "/readyz"), *twice(stranger, "GET", "/readyz", headers=known)):
            assert (gone.status_code, gone.json()["error"]["code"], gone.headers["Retry-After"]) == (503, "index_not_found", "5")
            assert (str(folder) in gone.text) == ("Authorization" in gone.request.headers)
        assert {one.status_code for one in twice(stranger, "GET", "/healthz")} == {200}  # the process is well
        folder.with_name("away").rename(folder)
        assert {one.status_code for one in twice(stranger, "GET", "/readyz")} == {200}
