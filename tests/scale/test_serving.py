"""A Milvus index behind a real server: the routes, the page, MCP and the keys answer as for the same files in a folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import ImageContent
from starlette.testclient import TestClient

import rag
from rag.api.app import create_app
from rag.api.guard import Trust
from rag.api.keys import KeyFile
from rag.api.library import IndexLibrary
from tests.e2e.test_ui_server import free_port
from tests.scale.conftest import SAMPLES
from tests.scale.test_samples import QUERIES, RUN, asked

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def server(indexes: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client, with the key of the start, of `rag ui` over the folder, the Milvus index and one that does not exist yet."""
    place = tmp_path_factory.mktemp("server")
    named = [word for index in (*indexes, f"milvus-lite://{place}/later.db") for word in ("--index", str(index))]
    words = ["ui", "--no-open", "--port", str(free_port()), "--browse", str(place), *named]
    environment = {**os.environ, "XDG_CACHE_HOME": str(place / "cache"), "RAG_OCR": "never"}
    process = subprocess.Popen([*RUN, *words], cwd=place, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    heard: list[str] = []
    for line in process.stderr:
        heard.append(line)
        if found := re.search(r"(http://\S+)/\?token=(\S+)", line):
            break
    else:
        pytest.fail("".join(heard))
    assert "later.db does not exist yet" in "".join(heard)
    with httpx.Client(base_url=found[1], headers={"Authorization": f"Bearer {found[2]}"}, timeout=120) as client:
        client.place = place
        yield client
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


@pytest.fixture
def ask(server: httpx.Client) -> Ask:
    def ask(method: str, path: str, code: int = 200, **given: Any) -> Any:
        answer = server.request(method, path, **given)
        assert answer.status_code == code, answer.text
        return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.content

    return ask


def found_by(ask: Ask, index: str, **body: Any) -> dict[str, Any]:
    return ask("POST", "/v1/search", json={"index": index, **body})


def test_the_hits_are_those_of_the_folder(ask: Ask) -> None:
    for query in QUERIES:
        if "image" in asked(query):
            continue
        expected, found = (found_by(ask, index, text=query["query"], top_k=10, explain=True) for index in ("folder", "team"))
        scores = [round(hit["score"], 3) for hit in expected["hits"]]
        assert [round(hit["score"], 3) for hit in found["hits"]] == scores, query["id"]
        last = expected["hits"][-1]["score"] + 1e-6 if scores else 0
        best, truth = ({hit["id"] for hit in each["hits"] if hit["score"] > last} for each in (found, expected))
        assert best == truth and found["notes"] == expected["notes"] and found["good"] == expected["good"]


def test_lists_counts_and_less_like_are_those_of_the_folder(ask: Ask) -> None:
    one = found_by(ask, "team", text="harbour dues")["hits"][0]["id"]
    for body in (
        {"text": "crane", "top_k": 200, "whole": True, "order": "name"},
        {"text": "harbour", "less_like": [one], "whole": True, "order": "name"},
        {"text": "", "like": one, "kinds": ["page"], "top_k": 5},
        {"text": '"storm" -winter', "whole": True, "order": "name", "paths": ["*.md"]},
    ):
        expected, found = (found_by(ask, index, **body) for index in ("folder", "team"))
        assert [hit["id"] for hit in found["hits"]] == [hit["id"] for hit in expected["hits"]], body
        assert (found["counts"], found["total"]) == (expected["counts"], expected["total"])
    both = ask("POST", "/v1/search", json={"text": "crane inspection moved", "indexes": ["folder", "team"], "fold": False})
    assert {hit["index"] for hit in both["hits"]} == {"folder", "team"}


def test_passages_pictures_videos_and_originals_are_those_of_the_folder(ask: Ask, server: httpx.Client) -> None:
    for kind, parts in {"text": [], "page": ["", "/match?words=dues"], "image": [""], "frame": ["", "/video"]}.items():
        id = found_by(ask, "team", text="the harbour", kinds=[kind], top_k=1)["hits"][0]["id"]
        shown = [json.dumps(ask("GET", f"/v1/passages/{id}?index={index}&words=harbour")) for index in ("folder", "team")]
        assert shown[1] == shown[0].replace('"folder"', '"team"').replace("index=folder", "index=team")
        for part in [*parts, "/original", *(["?size=thumb"] if parts else [])]:
            joined = "&" if "?" in part else "?"
            found, expected = (ask("GET", f"/v1/media/{id}{part}{joined}index={each}") for each in ("team", "folder"))
            if isinstance(found, dict):
                assert found["regions"] == expected["regions"]
            else:
                assert len(found) > 100 and found == expected
    assert list((server.place / "cache/rag/milvus").glob("team-*/thumbs/*/*.webp"))


def test_the_status_is_that_of_the_folder(ask: Ask) -> None:
    expected, found = (ask("GET", f"/v1/status?index={index}") for index in ("folder", "team"))
    for name in ("documents", "passages", "suffixes", "skipped_count", "unread_count", "ignored", "roots"):
        assert found[name] == expected[name], name
    ours, theirs, later = ask("GET", "/v1/indexes")
    assert (later["exists"], later["problem"]["code"]) == (False, "index_not_found")
    assert theirs["folder"].startswith("milvus-lite://") and theirs["kinds"] == ours["kinds"] and theirs["problem"] is None
    assert b'rag_index_documents{index="team"}' in ask("GET", "/metrics")


def test_the_page_is_served_over_it(ask: Ask) -> None:
    page = ask("GET", "/")
    assert b"<html" in page.lower() and b"gradio" in page.lower()


def test_a_job_of_the_page_makes_the_index_and_what_it_commits_is_found_at_once(ask: Ask, server: httpx.Client) -> None:
    corpus = server.place / "corpus"
    corpus.mkdir()
    (corpus / "tide.txt").write_text("all about the tide")
    for name in ("tide", "lighthouse"):
        (corpus / f"{name}.txt").write_text(f"all about the {name}")
        job = ask("POST", "/v1/index", 202, json={"index": "later", "folder": str(corpus)})["job"]
        while (state := ask("GET", f"/v1/index/jobs/{job}"))["state"] == "running":
            time.sleep(0.2)
        assert (state["state"], state["error"]) == ("done", None)
        assert found_by(ask, "later", text=name)["hits"][0]["document"] == f"{name}.txt"
    kept = ask("PUT", "/v1/uploads?index=later&name=note.txt", 201, content=b"a note on a buoy")
    assert kept["folder"] == str(server.place / "later-uploads")


def test_an_agent_gets_the_same_over_mcp(indexes: tuple[Path, str], server: httpx.Client, ask: Ask) -> None:
    async def question(client: Client) -> list[Any]:
        found = await client.call_tool("search", {"query": "gull head", "index": "team", "kinds": ["image"]})
        id = found.structured_content["hits"][0]["id"]
        shown = await client.call_tool("get", {"id": id, "form": "picture", "index": "team"})
        return [found.structured_content, shown.content[1], await client.call_tool("status", {"index": "team"})]

    async def over(transport: Any) -> list[Any]:
        async with Client(transport) as client:
            return await question(client)

    words = ["-W", "ignore", "-m", "rag.cli", "mcp", "--index", indexes[1]]
    expected = found_by(ask, "folder", text="gull head", kinds=["image"])
    over_stdio = anyio.run(over, StdioServerParameters(command=sys.executable, args=words, cwd=SAMPLES.parent))
    for hits, picture, status in (over_stdio, anyio.run(over, f"{server.base_url}/mcp")):
        assert [hit["id"] for hit in hits["hits"]] == [hit["id"] for hit in expected["hits"]]
        assert isinstance(picture, ImageContent) and status.structured_content["documents"] > 200


def test_a_query_in_a_terminal_is_answered_by_the_server(indexes: tuple[Path, str], ask: Ask) -> None:
    counted = 'route="/v1/search",status="200"} '
    before = ask("GET", "/metrics").decode().partition(counted)[2].split()[0]
    done = subprocess.run([*RUN, "query", "harbour dues", "--index", indexes[1], "--json"], capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)[0]["index"] == "team"
    assert float(ask("GET", "/metrics").decode().partition(counted)[2].split()[0]) == float(before) + 1
    assert json.loads(done.stdout)[0]["id"] == found_by(ask, "team", text="harbour dues")["hits"][0]["id"]


def test_a_limited_key_sees_its_roots_and_no_more(tmp_path: Path) -> None:
    for name in ("open", "vault"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / f"{name}.txt").write_text(f"Harbour dues of {name} were raised in the winter.")
        (tmp_path / name / f"{name}-broken.pdf").write_bytes(b"%PDF-1.4 broken")
    places = [str(tmp_path / "indexes/kept"), f"milvus-lite://{tmp_path}/mixed.db"]
    for place in places:
        for name in ("open", "vault"):
            rag.build_index(tmp_path / name, index=place, ocr="never")
    keys, trust = KeyFile(tmp_path / "config/keys.json"), Trust("127.0.0.1", 7860, "0123456789abcdef")
    key = keys.add("reader", [], ["open"], read_only=True)
    library = IndexLibrary(places, rag.load_settings({"ocr": "never"}), token=trust.token)
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(create_app(library, trust, keys=keys), base_url="http://127.0.0.1:7860", headers=headers) as client:
        statuses = [client.get(f"/v1/status?index={name}").json() for name in ("kept", "mixed")]
        for one in statuses:
            one.pop("index"), one.pop("generation"), one.pop("format")
        assert {**statuses[1], "folder": statuses[0]["folder"]} == statuses[0] and statuses[1]["documents"] == 1
        assert list(statuses[1]["roots"]) == ["open"] and len(statuses[1]["skipped"]) == 1
        found = client.post("/v1/search", json={"text": "harbour dues", "index": "mixed"}).json()
        assert {hit["root"] for hit in found["hits"]} == {"open"}
        refused = client.post("/v1/search", json={"text": "harbour dues", "index": "mixed", "roots": ["vault"]})
        assert (refused.status_code, "vault" in refused.json()["error"]["remedy"]) == (400, False)
        with library.reader("mixed").snapshot() as moment:
            hidden = [one.id for one in moment.passages(moment.sample(9, None)) if one.passage.document.root == "vault"]
        assert hidden and all(client.get(f"/v1/passages/{id}?index=mixed").status_code == 404 for id in hidden)
