"""A real `rag ui` and a real browser: what the tests of the page share. Needs Debian's chromium and the extra `page`."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.page.meddling import Meddling, serving_page

TOP = Path(__file__).parents[2]
SHOTS = TOP / ".work/screenshots"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
STEP_TIMEOUT = int(os.environ.get("PAGE_TEST_PATIENCE", "30000"))  # milliseconds, for a busy machine
# What the browser says of a server that a test has stopped, and Gradio of a stream that ends when the page is left.
EXPECTED = (
    "Failed to load resource: net::ERR_CONNECTION_REFUSED",
    "AbortError: signal is aborted",
    "Unexpected error Connection errored out",
)
expect.set_options(timeout=STEP_TIMEOUT)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    return {**kept, "PYTHONPATH": str(TOP)}


def rag(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command line."""
    return subprocess.run([sys.executable, "-m", "rag.cli", *words], cwd=cwd, env=environment(), capture_output=True, text=True)


@dataclass
class Server:
    """A `rag ui` that answers."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def start_key(self) -> str:
        """The key of this start, from the address that it printed."""
        found = re.search(r"open \S+\?token=(\S+)", self.log.read_text())
        assert found is not None
        return found.group(1)


@contextmanager
def serving(folder: Path, *indexes: Path, key: str = "", browse: Path | None = None, **settings: str) -> Iterator[Server]:
    """A `rag ui` over these indexes, with `folder` as its working directory, that asks for the key where there is one.

    `browse` is the folder that may be chosen, by default the home. `settings` are environment variables: RAG_ANSWER_URL="…".
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = [word for index in indexes for word in ("--index", str(index))]
    allowed = ["--browse", str(browse)] if browse else []
    log = folder / f"ui-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "rag.cli", "ui", "--no-open", "--port", str(port), *named, *allowed],
            cwd=folder,
            env={**environment(), "RAG_TOKEN": key, **settings},
            stdout=out,
            stderr=out,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            try:
                httpx.get(f"{url}/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield Server(url, process, log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the sample corpus and of the broken files; a minute or two, unless PAGE_TEST_INDEX names one made before."""
    if made := os.environ.get("PAGE_TEST_INDEX"):
        return Path(made)
    folder = tmp_path_factory.mktemp("samples")
    index = folder / "indexes/samples"
    done = rag("index", str(TOP / "samples/corpus"), str(TOP / "samples/broken"), "--index", str(index), "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    return index


@pytest.fixture(scope="session")
def server(samples: Path) -> Iterator[Server]:
    with serving(samples.parent.parent, samples) as one:
        yield one


@dataclass
class Place:
    """Where a page is served by a test itself."""

    url: str


Meddled = tuple[Place, Meddling]


@pytest.fixture
def meddled(samples: Path) -> Iterator[Meddled]:
    """A page over the samples whose connection to the API a test meddles with."""
    with serving_page(samples) as (url, meddling):
        yield Place(url), meddling


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@dataclass
class Visitor:
    """A browser window on one server, and the errors in it."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)  # errors on the console and in scripts
    foreign: list[str] = field(default_factory=list)  # addresses on other hosts

    def open(self, query: str = "") -> Page:
        self.page.goto(f"{self.url}/{query}")
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def own(self, server: Server, query: str = "") -> Page:
        """Opens the page as who started the server: with the key of this start."""
        self.page.goto(f"{self.url}/?token={server.start_key}{query.replace('?', '&')}")
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def search(self, query: str) -> Page:
        """Opens the page with a query and waits for the reranked order."""
        self.open(query)
        self.settled()
        return self.page

    def settled(self) -> None:
        self.page.wait_for_selector('.search[data-settled="true"]:not(.is-searching)')

    def ask(self, words: str) -> None:
        """Types words and waits for the reranked order."""
        box = self.page.locator("#rag-words")
        box.fill(words)
        box.press("Enter")
        self.page.wait_for_selector(f'.search[data-words="{words}"][data-settled="true"]:not(.is-searching)')
        self.settled()

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(400)  # pictures fade in
        self.page.screenshot(path=SHOTS / f"{name}.png")


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Opens windows; at the end none may have logged errors or contacted another host, unless the test is marked `complains`."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def opened(server: Server | Place, width: int = 1190, height: int = 860, **options: object) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
        context.set_default_timeout(STEP_TIMEOUT)
        contexts.append(context)
        visitor = Visitor(context.new_page(), server.url)
        page = visitor.page
        page.on("console", lambda message: visitor.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: visitor.said.append(str(error)))
        page.on("dialog", lambda dialog: (visitor.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda asked: _note_foreign(visitor, asked.url))
        visitors.append(visitor)
        return visitor

    yield opened
    for context in contexts:
        context.close()
    for visitor in visitors:
        assert not visitor.foreign
        if request.node.get_closest_marker("complains") is None:
            assert not [said for said in visitor.said if not said.startswith(EXPECTED)]


def _note_foreign(visitor: Visitor, address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != visitor.url:
        visitor.foreign.append(address)
