"""`rag ui` as a process: found by `rag query`, used by the client, refused off loopback, shut down in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import rag as library
from rag.errors import IndexFailure, NoSuchPassage, WrongRequest
from tests.e2e.conftest import SAMPLES, Ran

KEY = "0123456789abcdef"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def serving(folder: Path, *words: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running `rag ui` without its page; its address and process."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", "ui", "--no-page", "--no-open", "--port", str(port), *words],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SAMPLES.parent), **environment},
    )
    try:
        end = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{url}/healthz", timeout=5)
                break
            except httpx.HTTPError:
                assert process.poll() is None and time.monotonic() < end, process.stderr and process.stderr.read()
                time.sleep(0.05)
        yield url, process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def served(corpus: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a server over an index of `corpus`, announced in the run folder of the test."""
    library.build_index(corpus, ocr="never")
    with serving(tmp_path) as (url, _):
        yield url


def test_a_running_server_gives_the_same_answers(served: str, rag: Callable[..., Ran]) -> None:
    for words in (
        ("harbour", "--json", "--explain"),
        ("harbour", "crane", "--format", "context", "-k", "2"),
        ("--image", "corpus/a/IMG_2.png", "--json"),
        ("tug", "--no-rerank", "--kind", "image", "--json"),
        ("zzyzx",),
        ("harbour", "--no-fold", "--json"),
        ("harbour", "--path", "nothing/**"),
        ("--image", "corpus/page.md"),
        ("--image", "nowhere.png"),
        ("harbour", "--kind", "smell"),
        ("harbour", "--after", "yesterday"),
    ):
        asked, here = rag("query", *words), rag("query", *words, "--server", "none")
        assert (asked.code, asked.out, asked.err) == (here.code, here.out, here.err)
    figures = httpx.get(f"{served}/metrics").text
    assert 'route="/v1/search",status="200"} 7.0' in figures
    rag("query", "harbour", "--reranker", "none", "--model", "another")  # other models than the server's
    assert httpx.get(f"{served}/metrics").text.count('route="/v1/search",status="200"} 7.0') == 1


def test_many_queries_of_one_command(served: str, rag: Callable[..., Ran]) -> None:
    found = rag("query", "-", "--json", input="harbour\ncrane\n")
    assert [one["hits"][0]["document"] for one in found.json] == ["a/report.txt", "a/minutes.txt"]
    assert 'route="/v1/search",status="200"} 2.0' in httpx.get(f"{served}/metrics").text


def test_a_killed_server_does_not_stop_queries(corpus: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    library.build_index(corpus, ocr="never")
    with serving(tmp_path) as (_, process):
        process.kill()
        process.wait()
        found = rag("query", "harbour", "--json")
    assert (found.code, found.err, found.json[0]["document"]) == (0, "", "a/report.txt")


def test_a_named_server_answers(served: str, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    found = rag("query", "harbour", "--json", "--server", served)
    assert found.json[0]["document"] == "a/report.txt"
    nobody = rag("query", "harbour", "--server", "http://127.0.0.1:9")
    assert (nobody.code, "does not answer" in nobody.err, "Traceback" in nobody.err) == (3, True, False)
    assert rag("query", "harbour", "--server", "not an address").code == 2
    assert rag("query", "harbour", "--server", served, "--backend", "lite").code == 2
    elsewhere = rag("query", "harbour", "--server", served, "--index", "other")
    assert (elsewhere.code, "the indexes are: default" in elsewhere.err) == (4, True)


def start_key(folder: Path) -> str:
    """The key of the server that was started there, from its run file."""
    return str(json.loads(next((folder / "run").glob("*/ui-*.json")).read_text())["token"])


def test_the_client(served: str, corpus: Path, tmp_path: Path) -> None:
    with library.connect(served) as other, pytest.raises(WrongRequest, match="needs the key"):
        other.start_indexing()
    with library.connect(served, start_key(tmp_path)) as client, library.open_index() as searcher:
        assert [library.hit_json(hit) for hit in client.query("harbour crane")] == [
            library.hit_json(hit) for hit in searcher.query("harbour crane")
        ]
        red = (corpus / "a/IMG_1.jpg").read_bytes()
        assert client.query(image=red, kinds=["image"])[0].document == "a/IMG_1.jpg"
        first = client.query("harbour")[0]
        assert first.id not in [hit.id for hit in client.query(like=first.id)]
        assert [one.index for one in client.rerank("crane", ["a boat", "the new crane"])] == [1, 0]
        assert client.indexes()[0]["documents"] == client.status()["documents"] == 5
        (corpus / "a/late.txt").write_text("a late note on buoys\n")
        job = client.start_indexing()
        while (seen := client.job(job))["state"] == "running":
            time.sleep(0.05)
        assert (seen["state"], client.query("buoys")[0].document) == ("done", "a/late.txt")
        with pytest.raises(NoSuchPassage, match="nobody"):
            client.query(like="nobody")
        with pytest.raises(WrongRequest, match="empty"):
            client.query("")
        with pytest.raises(IndexFailure, match="no index called 'x'"):
            client.query("harbour", index="x")


def test_the_key(corpus: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    library.build_index(corpus, ocr="never")
    with serving(tmp_path, RAG_TOKEN=KEY) as (url, _):
        with pytest.raises(WrongRequest, match="requires a key"):
            library.connect(url).query("harbour")
        assert library.connect(url, KEY).query("harbour")[0].document == "a/report.txt"
        assert rag("query", "harbour", "--json").json[0]["document"] == "a/report.txt"  # the run file has the key
        assert rag("query", "harbour", "--server", url).code == 2
        assert rag("query", "harbour", "--json", "--server", url, RAG_TOKEN=KEY).json[0]["document"] == "a/report.txt"
        mode = next((tmp_path / "run").glob("*/ui-*.json")).parent.stat().st_mode
        assert mode & 0o077 == 0


def test_off_loopback_it_does_not_start_without_a_key(rag: Callable[..., Ran]) -> None:
    refused = rag("ui", "--host", "0.0.0.0", "--no-open")
    assert (refused.code, "Traceback" in refused.err) == (2, False)
    assert "RAG_TOKEN=$(openssl rand -hex 16) rag ui --host 0.0.0.0" in refused.err


def test_a_taken_port_and_a_wrong_address_are_reported(rag: Callable[..., Ran]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = rag("ui", "--no-page", "--no-open", "--port", str(taken.getsockname()[1]))
    assert (refused.code, "is taken" in refused.err) == (2, True)
    elsewhere = rag("ui", "--no-page", "--no-open", "--host", "203.0.113.7", "--token", KEY)
    assert (elsewhere.code, "cannot listen on 203.0.113.7" in elsewhere.err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_shuts_down_in_order(corpus: Path, tmp_path: Path, number: signal.Signals) -> None:
    library.build_index(corpus, ocr="never")
    with serving(tmp_path) as (_, process):
        assert list((tmp_path / "run").glob("*/ui-*.json"))
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not list((tmp_path / "run").glob("*/ui-*.json"))


def test_a_job_is_stopped_with_its_server(corpus: Path, tmp_path: Path) -> None:
    """Finished work is committed, and no process is left."""
    library.build_index(corpus, ocr="never")
    (corpus / "notes").mkdir()
    for number in range(200):
        (corpus / f"notes/{number}.txt").write_text(f"note {number}: the tide table of day {number}\n" * 100)
    with serving(tmp_path) as (url, process):
        with library.connect(url, start_key(tmp_path)) as client:
            job = client.start_indexing()
            while client.job(job)["done"] == 0:
                time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    with library.open_index() as searcher:
        assert 5 <= searcher.status().documents <= 205
    library.build_index()  # nobody holds the lock


def test_the_key_is_not_on_the_command_line_of_the_browser(corpus: Path, tmp_path: Path) -> None:
    """Other users of the machine can read that: it contains a one-time code instead."""
    library.build_index(corpus, ocr="never")
    told = tmp_path / "told"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$@" > {told}.new && mv {told}.new {told}\n')
    browser.chmod(0o755)
    with serving(tmp_path, "--page", "--open", RAG_TOKEN=KEY, BROWSER=str(browser)) as (url, _):
        end = time.monotonic() + 60
        while not told.exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        opened = told.read_text().strip()
        assert opened.startswith(f"{url}/?code=") and KEY not in opened
        first, second = httpx.get(opened), httpx.get(opened)
    assert (first.status_code, second.status_code) == (200, 401)
    assert "rag_key_" in first.headers["Set-Cookie"]
