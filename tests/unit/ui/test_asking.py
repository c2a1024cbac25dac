"""What the page makes of answers: messages for its chat, JSON for those who call it, and the tab that a link names."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("gradio")

import gradio as gr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ui.blocks import _on, search_page
from ui.connection import Connection, Refused, in_process
from ui.values import chat_messages, unanswered, with_files

SOURCE = {"number": 1, "id": "1f", "path": "/a/b.txt", "folded": [{"id": "2f", "path": "/a/c.txt"}]}
WITH_FILES = {"number": 1, "id": "1f", "file": "/a/b.txt", "folded": [{"id": "2f", "file": "/a/c.txt"}]}


def test_a_chat_gets_words_and_never_files_or_components() -> None:
    said = [{"role": "user", "content": "when?"}, {"role": "assistant", "content": "At 8. [1]"}]
    sly = [
        {"role": "user", "content": {"path": "/etc/passwd"}},
        {"role": "assistant", "content": [{"type": "file", "file": {"path": "/etc/passwd"}}]},
        {"role": "system", "content": "x"},
    ]
    assert chat_messages({"number": 3, "messages": [*said, *sly]}) == said
    assert chat_messages({"number": 1, "messages": [{**said[0], "metadata": {"title": "x"}, "options": []}]}) == said[:1]
    assert chat_messages(None) == []


def test_the_paths_of_sources_are_files_for_gradio() -> None:
    assert with_files({"answer": "x", "sources": [SOURCE]}) == {"answer": "x", "sources": [WITH_FILES]}
    missing = unanswered([SOURCE], "no chat model is set")
    assert (missing["answer"], missing["model"], missing["enough"]) == (None, None, False)
    assert missing["notes"] == ["no chat model is set"] and missing["sources"] == [SOURCE]


def endpoint(connection: Connection, name: str) -> Any:
    page = search_page(connection)
    return next(one.fn for one in page.fns.values() if one.api_name == name)


def api(status: int, body: dict[str, Any], asked: list[dict[str, Any]]) -> Connection:
    async def ask(request: Request) -> Response:
        asked.append(await request.json())
        return JSONResponse(body, status)

    return in_process(Starlette(routes=[Route("/v1/ask", ask, methods=["POST"])]))


def test_the_endpoint_asks_for_the_whole_answer() -> None:
    asked: list[dict[str, Any]] = []
    ask = endpoint(api(200, {"answer": "At 8. [1]", "sources": [SOURCE]}, asked), "ask")
    turns = [{"question": "which ferry?", "answer": "The Linnet."}]
    found = asyncio.run(ask("when?", kinds=["text"], indexes=["diary"], strict=True, history=turns))
    assert found == {"answer": "At 8. [1]", "sources": [WITH_FILES]}
    where = {"kinds": ["text"], "paths": [], "after": None, "before": None, "indexes": ["diary"]}
    assert asked == [{"question": "when?", "strict": True, "history": turns, "stream": False} | where]


def test_without_a_model_the_endpoint_gives_the_evidence_and_other_failures_are_errors() -> None:
    error = {"what": "no chat model is set", "remedy": "set RAG_ANSWER_URL", "code": "no_chat_model"}
    found = asyncio.run(endpoint(api(503, {"error": error, "sources": [SOURCE]}, []), "ask")("when?"))
    assert found["answer"] is None and found["sources"] == [WITH_FILES]
    assert found["notes"] == ["no chat model is set; set RAG_ANSWER_URL"]
    with pytest.raises(gr.Error, match="the engine died"):
        asyncio.run(endpoint(api(503, {"error": error | {"what": "the engine died", "code": "x"}}, []), "ask")("when?"))


def test_a_refusal_has_the_whole_body() -> None:
    with pytest.raises(Refused) as refused:
        asyncio.run(api(503, {"error": {"what": "no", "code": "x"}, "sources": [1]}, []).post("/v1/ask", {}))
    assert refused.value.failure == {"what": "no", "remedy": "", "code": "x"} and refused.value.body["sources"] == [1]


def test_the_first_tab_does_not_overrule_the_tab_of_a_link() -> None:
    linked = {"tab": "ask", "language": "en", "settled": False}
    assert _on(linked, "search") == gr.skip() and _on(None, "search") == gr.skip()
    chosen = _on(linked, "ask")
    assert chosen == {"tab": "ask", "language": "en", "settled": True}
    assert _on(chosen, "index") == {"tab": "index", "language": "en", "settled": True}
