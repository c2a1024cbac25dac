"""The page as Gradio people use one: called with `gradio_client`, embedded in another application, its parts in another page."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import uvicorn
from fastapi import FastAPI
from gradio.exceptions import AppError
from gradio_client import Client
from playwright.sync_api import expect

from rag.api.app import create_app
from rag.api.guard import Trust
from rag.api.library import IndexLibrary
from rag.config import load_settings
from tests.page.conftest import Place, Server, Visit, serving
from tests.unit.answers.chat_server import Script, chatting
from ui import AskBox, Results, SearchBar, Viewer, chat_messages, found_value, in_process, search_page


def called(address: str, **more: Any) -> Client:
    """A client that waits while Gradio is still being imported."""
    return Client(address, verbose=False, httpx_kwargs={"timeout": 60}, **more)


def test_a_client_searches_finds_alike_and_asks_for_the_state(server: Server) -> None:
    client = called(server.url)
    found = client.predict("lighthouse", kinds=["image"], top_k=5, api_name="/search")
    assert [hit["kind"] for hit in found["hits"]] == ["image"] * len(found["hits"])
    first = found["hits"][0]
    assert Path(first["file"]).name == first["document"].rpartition("/")[2]
    alike = client.predict(first["id"], top_k=3, api_name="/similar")
    assert 0 < len(alike["hits"]) <= 3
    state = client.predict(api_name="/status")
    assert state["documents"] >= 261 and state["index"] == "samples"


def test_the_endpoints_are_documented_and_no_others_are(server: Server) -> None:
    api = called(server.url).view_api(return_format="dict", print_info=False)
    assert isinstance(api, dict)
    assert sorted(api["named_endpoints"]) == ["/ask", "/search", "/similar", "/status"]
    assert api["unnamed_endpoints"] == {}
    names = [one["parameter_name"] for one in api["named_endpoints"]["/search"]["parameters"]]
    assert names == ["words", "kinds", "top_k", "index", "paths", "after", "before", "rerank", "less_like"]
    assert "best first" in api["named_endpoints"]["/search"]["description"]
    names = [one["parameter_name"] for one in api["named_endpoints"]["/ask"]["parameters"]]
    assert names == ["question", "kinds", "indexes", "paths", "after", "before", "strict", "history"]
    assert "checked sources" in api["named_endpoints"]["/ask"]["description"]


def test_a_client_is_told_what_is_wrong(server: Server) -> None:
    client = called(server.url)
    with pytest.raises(AppError, match="no index called 'elsewhere'"):
        client.predict(index="elsewhere", api_name="/status")
    with pytest.raises(AppError):
        client.predict("boat", kinds=["sculpture"], api_name="/search")


def test_without_a_model_a_client_that_asks_gets_the_evidence(server: Server) -> None:
    found = called(server.url).predict("when does the ferry sail in winter?", api_name="/ask")
    assert found["answer"] is None and not found["enough"]
    assert "RAG_ANSWER_URL" in found["notes"][0]
    assert Path(found["sources"][0]["file"]).name == found["sources"][0]["document"].rpartition("/")[2]


def test_a_client_asks_with_the_key_as_a_header(samples: Path, tmp_path: Path) -> None:
    key = "0123456789abcdef"
    script = Script(context=32_000, reply=lambda turns: "harbour dues" if "Rewrite" in turns[0]["content"] else "At eight. [1]")
    with chatting(script) as url, serving(tmp_path, samples, key=key, RAG_ANSWER_URL=url) as server:
        client = called(server.url, headers={"Authorization": f"Bearer {key}"})
        found = client.predict("when does the ferry sail?", kinds=["text"], api_name="/ask")
        assert found["answer"] == "At eight. [1]" and found["model"] == "tiny-chat"
        assert found["claims"] == [{"text": "At eight.", "sources": [1], "verified": False}]
        assert {source["kind"] for source in found["sources"]} == {"text"}
        history = [{"question": "when does the ferry sail?", "answer": found["answer"]}]
        strict = client.submit("and in winter?", strict=True, history=history, api_name="/ask").result(60)
        assert strict["answer"].startswith("The files do not tell.") and not strict["enough"]
        assert [turn["role"] for turn in script.bodies[-1]["messages"]] == ["system", "user", "assistant", "user"]
        with pytest.raises(AppError, match="no index called 'elsewhere'"):
            client.predict("when?", indexes=["elsewhere"], api_name="/ask")


def test_off_loopback_the_key_is_a_header(samples: Path, tmp_path: Path) -> None:
    key = "0123456789abcdef"
    with serving(tmp_path, samples, key=key) as server:
        client = called(server.url, headers={"Authorization": f"Bearer {key}"})
        assert client.predict("lighthouse", top_k=2, api_name="/search")["hits"]
        with pytest.raises(Exception, match=r"401|Could not|not fetch"):
            called(server.url)


def own_page(api: Any) -> gr.Blocks:
    """A page of somebody else, with our parts between Gradio's own."""
    with gr.Blocks() as blocks:
        gr.Markdown("# My archive")
        bar, chosen, viewer = SearchBar(), gr.Textbox(label="Chosen"), Viewer()
        results = Results()

        async def search(query: dict[str, Any]) -> dict[str, Any]:
            return found_value(query, await api.post("/v1/search", {"text": query["words"], "top_k": 24}))

        bar.change(search, bar, results)

        def choose(event: gr.EventData) -> tuple[str, dict[str, Any]]:
            return event._data["id"], dict(event._data)

        results.select(choose, None, [chosen, viewer])
        chat, box = gr.Chatbot(elem_id="talk"), AskBox()

        def told(value: dict[str, Any]) -> tuple[Any, Any]:
            return chat_messages(value), gr.update(shown=value["number"])

        box.change(told, box, [chat, box], queue=False)
        box.select(choose, None, [chosen, viewer])
        gr.Button("Count").click(lambda value: str(len(value["answer"]["hits"])), results, chosen)
    return blocks


@contextmanager
def embedded(index: Path, page: str) -> Iterator[Place]:
    """An application that has our page, or parts of it, below /archive beside our API."""
    api = create_app(IndexLibrary([str(index)], load_settings({})), Trust("127.0.0.1", 7860))
    connection = in_process(api)
    if page == "whole":
        ours = search_page(connection)
        with gr.Blocks() as blocks:
            gr.Markdown("# My archive")
            ours.render()
    else:
        blocks = own_page(connection)
    app = FastAPI(lifespan=lambda _: api.router.lifespan_context(api))
    app = gr.mount_gradio_app(app, blocks, path="/archive", ssr_mode=False)
    app.mount("/", api)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Place(f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join(20)


@pytest.mark.complains  # Gradio's own page asks for its fonts elsewhere
def test_the_page_is_part_of_another_page(samples: Path, visit: Visit) -> None:
    with embedded(samples, "whole") as place:
        page = visit(place).page
        page.goto(f"{place.url}/archive/?q=lighthouse")
        expect(page.locator("h1", has_text="My archive")).to_be_visible()
        expect(page.locator(".card").first).to_be_visible()
        page.get_by_role("tab", name="Index").click()
        expect(page.locator(".figures")).to_be_visible()


@pytest.mark.complains
def test_our_parts_are_parts_of_another_page(samples: Path, visit: Visit) -> None:
    with embedded(samples, "parts") as place:
        page = visit(place).page
        page.goto(f"{place.url}/archive/")
        page.locator("#rag-words").fill("lighthouse")
        expect(page.locator(".card").first).to_be_visible()
        shown = page.locator(".card").first.get_attribute("aria-setsize")
        page.get_by_role("button", name="Count").click()  # the value of the results as the input of an event
        expect(page.get_by_label("Chosen")).to_have_value(str(shown))
        first = page.locator(".card").first.get_attribute("data-id")
        page.locator(".card-open").first.click()
        expect(page.locator("dialog.viewer")).to_be_visible()
        expect(page.get_by_label("Chosen")).to_have_value(str(first))
        page.keyboard.press("Escape")
        page.locator("#rag-question").fill("which lighthouse?")
        page.locator("#rag-question").press("Enter")
        expect(page.locator("#talk")).to_contain_text("No chat model is set")
        page.locator(".source-open").first.click()
        expect(page.locator("dialog.viewer")).to_be_visible()
