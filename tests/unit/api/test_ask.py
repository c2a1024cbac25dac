"""POST /v1/ask over a chat server that answers by script; cancelling in a real server. Knows the API."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import uvicorn

import rag
from rag.answers.prompt import SYSTEM
from rag.api.app import create_app
from rag.api.guard import Trust
from rag.api.library import IndexLibrary
from tests.unit.answers.chat_server import Script, chatting
from tests.unit.api_server import asking

QUESTION = {"question": "were the harbour dues raised in winter", "kinds": ["text"]}
SAYS = 'By nine percent [1 "raised by nine percent"]. It is green [88].'


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_an_answer_comes_as_events_and_then_whole(library: Path) -> None:
    with chatting(Script(reply=lambda _: SAYS)) as url, asking(library, answer_url=url, answer_pictures=0) as client:
        answer = client.post("/v1/ask", json=QUESTION)
        whole = client.post("/v1/ask", json=QUESTION | {"stream": False}).json()
    assert answer.headers["content-type"].startswith("text/event-stream") and answer.headers["cache-control"] == "no-store"
    events = events_of(answer.text)
    names = [name for name, _ in events]
    assert names[0] == "sources" and names[-1] == "answer" and set(names[1:-1]) == {"piece"} and len(names) > 4
    assert events[0][1]["sources"][0]["document"] == "minutes.txt" and events[0][1]["sources"][0]["number"] == 1
    last = events[-1][1]
    assert (
        "".join(event["text"] for name, event in events if name == "piece")
        == last["answer"]
        == "By nine percent [1]. It is green."
    )
    assert last["claims"] == [
        {"text": "By nine percent.", "sources": [1], "verified": True},
        {"text": "It is green.", "sources": [], "verified": False},
    ]
    assert last["sources"][0]["quote"] == "raised by nine percent" and last["enough"] and last["model"] == "tiny-chat"
    assert list(whole) == list(last) and whole["answer"] == last["answer"]


def test_without_a_chat_model_the_error_says_so_and_the_evidence_is_there(api: httpx.Client) -> None:
    answer = api.post("/v1/ask", json=QUESTION)
    assert answer.status_code == 503 and answer.json()["error"]["code"] == "no_chat_model"
    assert "RAG_ANSWER_URL" in answer.json()["error"]["remedy"]
    first = answer.json()["sources"][0]
    assert (first["number"], first["document"], first["kind"]) == (1, "minutes.txt", "text")
    assert api.get("/metrics").text.count("no_chat_model") >= 1


def test_a_model_that_fails_in_the_middle_is_an_event(library: Path) -> None:
    script = Script(reply=lambda _: SAYS, fault="error")
    with chatting(script) as url, asking(library, answer_url=url, answer_pictures=0) as client:
        events = events_of(client.post("/v1/ask", json=QUESTION).text)
        metrics = client.get("/metrics").text
    assert events[-1][0] == "error" and events[-1][1]["error"]["code"] == "backend_error"
    assert "the engine died" in events[-1][1]["error"]["what"] and 'backend_error"' in metrics


def test_wrong_requests(api: httpx.Client) -> None:
    for wrong in ({"question": ""}, {"question": "x", "huh": 1}, {"question": "x", "history": [{"question": "x"}]}):
        assert api.post("/v1/ask", json=wrong).status_code == 422
    assert api.post("/v1/ask", json={"question": "x", "image": "http://evil/x.png"}).status_code == 400
    assert api.post("/v1/ask", json={"question": "x", "index": "other"}).status_code == 404


def test_history_and_filters_reach_the_model(library: Path) -> None:
    script = Script(reply=lambda turns: "NOT IN THE FILES. No." if turns[0]["content"] == SYSTEM else "harbour dues in winter")
    body = QUESTION | {"history": [{"question": "who?", "answer": "The Trust."}], "stream": False}
    with chatting(script) as url, asking(library, answer_url=url, answer_pictures=0) as client:
        answer = client.post("/v1/ask", json=body).json()
    assert (answer["answer"], answer["enough"]) == ("The files do not tell. No.", False)
    assert [turn["content"] for turn in script.bodies[-1]["messages"][1:3]] == ["Question: who?", "The Trust."]
    assert {source["kind"] for source in answer["sources"]} == {"text"}


def test_a_client_that_goes_away_stops_the_model(library: Path) -> None:
    """In a real server, because only its connections break; the Python client asks it, too."""
    script = Script(reply=lambda _: "word " * 3_000, pause=0.005, pieces=5)
    with chatting(script) as url, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        settings = rag.load_settings({"ocr": "never", "answer_url": url, "answer_pictures": 0})
        app = create_app(IndexLibrary([str(library)], settings), Trust("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            address = f"http://127.0.0.1:{port}"
            with httpx.Client(timeout=30) as client, client.stream("POST", f"{address}/v1/ask", json=QUESTION) as answer:
                lines = answer.iter_lines()
                while not next(lines).startswith("event: piece"):
                    pass
            assert script.ended.wait(10)
            script.reply = lambda _: SAYS
            with rag.connect(address) as asked:
                assert asked.ask(QUESTION["question"], kinds=["text"], strict=True)["answer"] == "By nine percent. [1]"
        finally:
            server.should_exit = True
            thread.join(20)
