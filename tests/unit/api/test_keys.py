"""Keys of `rag key`: how they are kept, and that a limited one sees nothing beyond its limit on any route of the application."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

import rag
from rag.api.app import create_app
from rag.api.grants import is_open
from rag.api.guard import Trust
from rag.api.keys import KeyFile, key_file
from rag.api.library import IndexLibrary
from rag.errors import WrongRequest
from tests.unit.answers.chat_server import Script, chatting

TOKEN = "0123456789abcdef"
TRUST = Trust("127.0.0.1", 7860, TOKEN)
SECRET = "zanzibar"  # in words, names and captions that a limited key must not see
VAULT = "vault"  # the root that holds it; the index of it alone is `vault-index`


def make_folders(base: Path) -> tuple[Path, Path]:
    """One that may be seen, and one that may not."""
    shown, hidden = base / "open", base / VAULT
    for folder in (shown, hidden):
        folder.mkdir()
    (shown / "dues.txt").write_text("Harbour dues were raised in the winter.\n")
    Image.new("RGB", (320, 240), (200, 30, 30)).save(shown / "boat.png")
    (hidden / f"{SECRET}.txt").write_text(f"Harbour dues of {SECRET} were raised in the winter, and so on.\n")
    (hidden / f"{SECRET}-broken.pdf").write_bytes(b"%PDF-1.4 broken")
    Image.new("RGB", (320, 240), (200, 30, 40)).save(hidden / f"{SECRET}-ship.png")
    return shown, hidden


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An index `mixed` with the roots `open` and `vault`, and an index `vault-index`."""
    base = tmp_path_factory.mktemp("keys")
    shown, hidden = make_folders(base)
    mixed, other = base / "indexes/mixed", base / f"indexes/{VAULT}-index"
    rag.build_index(shown, index=str(mixed), ocr="never")
    rag.build_index(hidden, index=str(mixed), ocr="never")
    rag.build_index(hidden, index=str(other), ocr="never")
    return {"mixed": mixed, "other": other}


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "config/keys.json")


@contextmanager
def serving(places: Mapping[str, Path | str], keys: KeyFile, key: str, **flags: object) -> Iterator[tuple[TestClient, FastAPI]]:
    """A client with that key of an application over both indexes."""
    library = IndexLibrary(
        [str(places["mixed"]), str(places["other"])], rag.load_settings({"ocr": "never", **flags}), token=TOKEN
    )
    app = create_app(library, TRUST, keys=keys)
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(app, base_url="http://127.0.0.1:7860", headers=headers, raise_server_exceptions=False) as client:
        yield client, app


def ids(place: Path | str, root: str) -> dict[str, str]:
    """The ids of the first passage of each document of a root."""
    with rag.open_index(place) as searcher, searcher.index.snapshot() as moment:
        stored = moment.passages(moment.sample(1_000, np.random.default_rng(0)))
    return {one.passage.document.path: one.id for one in stored if one.passage.document.root == root}


# ---- how they are kept --------------------------------------------------------------------------


def test_a_key_is_long_told_once_and_kept_as_a_hash(keys: KeyFile) -> None:
    key = keys.add("reader", ["mixed"], ["open"], read_only=True)
    assert len(key) >= 4 + 43  # 256 bits in base64
    kept = keys.file.read_text()
    assert key not in kept and key.removeprefix("rag_") not in kept
    assert stat.S_IMODE(keys.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.file.parent.stat().st_mode) == 0o700
    found = keys.find(key)
    assert found is not None
    assert (found.name, found.indexes, found.roots, found.read_only) == ("reader", ("mixed",), ("open",), True)
    assert keys.find(key[:-1]) is None and keys.find("") is None and keys.find_cookie(key) is None
    assert keys.add("another", [], [], read_only=False) != key


def test_names_are_used_once_and_limits_are_for_reading(keys: KeyFile) -> None:
    keys.add("reader", [], [], read_only=True)
    with pytest.raises(WrongRequest, match="there is a key called reader"):
        keys.add("reader", [], [], read_only=True)
    with pytest.raises(WrongRequest, match="can only read"):
        keys.add("writer", ["mixed"], [], read_only=False)
    with pytest.raises(WrongRequest, match="no name for a key"):
        keys.add("a b", [], [], read_only=True)
    with pytest.raises(WrongRequest, match="no key is called nobody"):
        keys.remove("nobody")
    assert [one.name for one in keys.kept()] == ["reader"]


def test_a_file_that_others_can_read_lets_nobody_in(places: dict[str, Path], keys: KeyFile) -> None:
    key = keys.add("reader", [], [], read_only=True)
    keys.file.chmod(0o644)
    with pytest.raises(WrongRequest, match="others can read it"):
        KeyFile(keys.file).kept()
    with serving(places, KeyFile(keys.file), key) as (client, _):
        assert client.get("/v1/indexes").status_code == 401


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert key_file().file == tmp_path / "rag/keys.json"
    assert key_file(str(tmp_path / "mine.json")).file == tmp_path / "mine.json"


# ---- what they open -----------------------------------------------------------------------------


def test_keys_work_end_and_manage(places: dict[str, Path], keys: KeyFile) -> None:
    reader = keys.add("reader", [], [], read_only=True)
    writer = keys.add("writer", [], [], read_only=False)
    with serving(places, keys, reader) as (client, _):
        as_writer = {"Authorization": f"Bearer {writer}"}
        assert client.post("/v1/search", json={"text": SECRET}).json()["hits"]
        assert client.get("/v1/access").json()["manage"] is False
        assert client.get("/v1/folders").status_code == 401
        assert client.get("/v1/access", headers=as_writer).json()["manage"] is True
        assert client.get("/v1/folders", headers=as_writer).status_code == 200
        keys.remove("reader")
        assert client.get("/v1/indexes").status_code == 401
        assert client.get("/v1/indexes", headers=as_writer).status_code == 200


def test_a_browser_gets_a_cookie_that_is_not_the_key(places: dict[str, Path], keys: KeyFile) -> None:
    key = keys.add("reader", [], ["open"], read_only=True)
    with serving(places, keys, "") as (client, _):
        client.headers.pop("Authorization")
        assert client.get("/v1/indexes").status_code == 401
        welcome = client.get(f"/?token={key}")
        assert key not in welcome.headers["set-cookie"]
        assert SECRET not in client.post("/v1/search", json={"text": "harbour dues"}).text
        assert client.get("/metrics").status_code == 403
        keys.remove("reader")
        assert client.get("/v1/indexes").status_code == 401


def test_an_ended_key_opens_nothing_where_no_key_is_needed(places: dict[str, Path], keys: KeyFile) -> None:
    key = keys.add("reader", [], ["open"], read_only=True)
    app = create_app(IndexLibrary([str(places["mixed"])], rag.load_settings({"ocr": "never"})), keys=keys)
    with TestClient(app, base_url="http://127.0.0.1:7860", headers={"Authorization": f"Bearer {key}"}) as client:
        assert SECRET not in client.post("/v1/search", json={"text": "harbour dues"}).text
        keys.remove("reader")
        assert client.post("/v1/search", json={"text": SECRET}).status_code == 401


# ---- what a limited one does not see --------------------------------------------------------------

Ask = Callable[[TestClient], httpx.Response]


def tool(name: str, **arguments: Any) -> Ask:
    """A call of an MCP tool."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    headers = {"Accept": "application/json, text/event-stream"}
    return lambda client: client.post("/mcp", json=call, headers=headers)


def get(path: str) -> Ask:
    return lambda client: client.get(path)


def post(path: str, **body: Any) -> Ask:
    return lambda client: client.post(path, json=body)


def every_question(shown: dict[str, str], hidden: dict[str, str]) -> dict[str, list[Ask]]:
    """Requests by the route that they try; each asks for what is hidden in every way that the route has."""
    names = [None, "mixed", f"{VAULT}-index"]
    found = list(hidden.values())
    searches: list[Ask] = []
    for name in names:
        for words in ("harbour dues", SECRET, f'"{SECRET}"', "zanzibra", ""):
            for whole in (False, True):
                searches.append(post("/v1/search", text=words, index=name, texts=True, explain=True, whole=whole, fold=False))
        searches += [post("/v1/search", like=id, index=name) for id in found]
        searches += [post("/v1/search", text="dues", less_like=[id], index=name) for id in found]
    searches += [post("/v1/search", text="dues", roots=[root]) for root in (VAULT, "open", "no-such-root")]
    searches += [
        post("/v1/search", text="dues", roots=["open", VAULT]),
        post("/v1/search", text="dues", indexes=["mixed", f"{VAULT}-index"]),
        post("/v1/search", text="dues", paths=["z*"]),
        post("/v1/search", text="dues", group="place", rerank=False, top_k=100),
    ]
    asks = [
        post("/v1/ask", question="What of the harbour dues?", index=name, stream=stream)
        for name in names
        for stream in (True, False)
    ]
    everything = [*found, *shown.values()]
    media = ["", "/video", "/original", "/clip?start=0&end=1", "/match?words=dues"]
    return {
        "/v1/search": searches,
        "/v1/ask": [
            *asks,
            post("/v1/ask", question="dues?", roots=[VAULT], stream=False),
            *(post("/v1/ask", question="What of zanzibra?", stream=stream) for stream in (True, False)),
        ],
        "/v1/indexes": [get("/v1/indexes")],
        "/v1/status": [get("/v1/status"), get("/v1/status?index=mixed"), get(f"/v1/status?index={VAULT}-index")],
        "/v1/access": [get("/v1/access")],
        "/v1/rerank": [post("/v1/rerank", query="dues", documents=["dues", "boats"])],
        "/v1/passages/{id}": [
            get(f"/v1/passages/{id}?words=dues&reach=20{f'&index={name}' if name else ''}") for id in everything for name in names
        ],
        **{
            f"/v1/media/{{id}}{part.partition('?')[0]}": [get(f"/v1/media/{id}{part}") for id in everything]
            for part in media
        },
        "/mcp": [
            *(tool("search", query=words, index=name) for words in ("harbour dues", SECRET, "zanzibra") for name in names[1:]),
            *(tool("search", like=id) for id in found),
            *(tool("get", id=id, form=form, around=10) for id in found for form in ("text", "picture")),
            tool("status"),
            tool("status", index="mixed"),
        ],
        "/healthz": [get("/healthz")],
        "/readyz": [get("/readyz")],
        "/docs": [get("/docs")],
        "/openapi.json": [get("/openapi.json")],
    }  # fmt: skip


def routes_of(routes: Sequence[Any]) -> set[tuple[str, str]]:
    """(path, method) of every route, those of included routers too."""
    found: set[tuple[str, str]] = set()
    for route in routes:
        if (inner := getattr(route, "original_router", None)) is not None:
            found |= routes_of(inner.routes)
        else:
            found |= {
                (getattr(route, "path_format", route.path), method) for method in getattr(route, "methods", None) or {"POST"}
            }
    return found


@pytest.mark.parametrize("limit", ["root", "index and root"])
def test_no_route_shows_a_limited_key_what_is_hidden(places: dict[str, Path], keys: KeyFile, limit: str) -> None:
    key = keys.add("guest", ["mixed"] if "index" in limit else [], ["open"], read_only=True)
    show_nothing_hidden(places, keys, key)


def show_nothing_hidden(places: Mapping[str, Path | str], keys: KeyFile, key: str) -> None:
    """Tries every route of an application over both indexes with a key that is limited to the root `open`."""
    shown, hidden = ids(places["mixed"], "open"), ids(places["mixed"], VAULT)
    assert len(shown) == len(hidden) == 2
    questions = every_question(shown, hidden)
    with chatting(Script(reply=lambda asked: "It says so. [1]")) as url, serving(places, keys, key, answer_url=url) as served:
        client, app = served
        tried: set[str] = set()
        for path, method in sorted(routes_of(app.routes)):
            if not is_open(path.replace("{id}", "x")):
                answer = client.request(method, path.replace("{id}", "x"))
                assert answer.status_code == 403, (method, path)
                assert method == "HEAD" or answer.json()["error"]["code"] == "key_limited", (method, path)
                continue
            assert path in questions, f"a new route: say in `every_question` how it could show what is hidden: {path}"
            tried.add(path)
        assert tried == set(questions)
        for path, asks in questions.items():
            answers = [ask(client) for ask in asks]
            for answer in answers:
                asked = f"{answer.request.url} {answer.request.content.decode()}"
                assert SECRET in asked or SECRET not in answer.text.lower(), (asked, answer.text)
                assert not any(id in answer.text for id in hidden.values() if id not in asked), (asked, answer.text)
                assert VAULT in asked or VAULT not in answer.text, (asked, answer.text)
                assert all(hit["root"] == "open" for hit in _hits(answer)), (asked, answer.text)
                assert answer.status_code < 500, (asked, answer.text)
            if path not in ("/v1/media/{id}/video", "/v1/media/{id}/clip"):  # of a video, and there is none
                assert any(answer.status_code == 200 for answer in answers), path
        for id in hidden.values():
            for asked in ({"like": id}, {"text": "dues", "less_like": [id]}):
                assert client.post("/v1/search", json=asked).json()["error"]["code"] == "no_such_passage"
            assert client.get(f"/v1/passages/{id}").json()["error"]["code"] == "no_such_passage"
            assert client.get(f"/v1/media/{id}/original").status_code == 404
            assert client.get(f"/v1/passages/{id}", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        status = client.get("/v1/status").json()
        assert (status["documents"], status["skipped"], status["unread"]) == (2, [], [])
        assert (set(status["roots"]), status["suffixes"], status["passages"]["text"]) == ({"open"}, {".png": 1, ".txt": 1}, 1)
        found = client.post("/v1/search", json={"text": "harbour dues", "whole": True}).json()
        assert (found["total"]["results"], found["counts"]["roots"]) == (1, {"open": 1})


def test_no_route_names_another_index_to_a_key_of_one(places: dict[str, Path], keys: KeyFile) -> None:
    key = keys.add("guest", ["mixed"], [], read_only=True)
    questions = every_question(ids(places["mixed"], "open"), ids(places["mixed"], VAULT))
    with serving(places, keys, key) as (client, _):
        for answer in (ask(client) for asks in questions.values() for ask in asks):
            asked = f"{answer.request.url} {answer.request.content.decode()}"
            assert f"{VAULT}-index" in asked or f"{VAULT}-index" not in answer.text, (asked, answer.text)


def test_a_limit_to_an_index_hides_the_others(places: dict[str, Path], keys: KeyFile) -> None:
    key = keys.add("guest", ["mixed"], [], read_only=True)
    with serving(places, keys, key) as (client, _):
        assert [one["name"] for one in client.get("/v1/indexes").json()] == ["mixed"]
        answer = client.post("/v1/search", json={"text": "dues", "index": f"{VAULT}-index"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_index")
        assert {hit["root"] for hit in client.post("/v1/search", json={"text": "dues"}).json()["hits"]} == {"open", VAULT}


def test_the_page_acts_with_the_rights_of_its_visitor(places: dict[str, Path], keys: KeyFile) -> None:
    """The page has the server's key, and must not lend it to somebody whose key is limited."""
    from ui.connection import Refused, in_process

    key = keys.add("guest", ["mixed"], ["open"], read_only=True)
    with serving(places, keys, key) as (_, app):
        visiting = in_process(app, TOKEN, lambda: {"authorization": f"Bearer {key}"})
        found = asyncio.run(visiting.post("/v1/search", {"text": "harbour dues", "fold": False}))
        assert {hit["root"] for hit in found["hits"]} == {"open"}
        with pytest.raises(Refused):
            asyncio.run(in_process(app, TOKEN, dict).post("/v1/search", {"text": "harbour dues"}))
        own = asyncio.run(in_process(app, TOKEN).post("/v1/search", {"text": "harbour dues", "fold": False}))
        assert {hit["root"] for hit in own["hits"]} == {"open", VAULT}


def _hits(answer: httpx.Response) -> list[dict[str, Any]]:
    """The hits or sources of an answer in JSON; of the tools of MCP as well."""
    try:
        body = answer.json()
    except ValueError:
        return []
    if not isinstance(body, dict):
        return []
    held = body.get("result", {}).get("structuredContent", {}) if "jsonrpc" in body else body
    return [one for name in ("hits", "sources") for one in (held or {}).get(name, []) if "root" in one]
