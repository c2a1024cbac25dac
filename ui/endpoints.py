"""The named endpoints that `gradio_client` calls: /search, /similar, /ask, /status.

Knows the API and what a client sends; knows no component.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api

from ui.connection import Connection, Refused
from ui.values import unanswered, with_files, without_paths

CALLS_AT_ONCE = 8  # of one endpoint


def add_endpoints(connection: Connection) -> None:
    """Adds the endpoints to the `gr.Blocks` that is being built."""

    async def search(
        words: str = "",
        kinds: list[str] | None = None,
        top_k: int = 10,
        index: str = "",
        paths: list[str] | None = None,
        after: str = "",
        before: str = "",
        rerank: bool = True,
        less_like: list[str] | None = None,
    ) -> dict[str, Any]:
        """Ranked hits for words, best first: the JSON of POST /v1/search, with `file` for the `path` of a hit.

        `kinds` are text, page, image, screenshot or frame; `paths` are globs below the roots; `after` and `before` (exclusive)
        are days such as 2026-03-14. `index` names one of the server's indexes; by default the first is searched. `less_like`
        are ids of passages: hits less like these.
        """
        filters = {"kinds": kinds or [], "paths": paths or [], "after": after or None, "before": before or None}
        asked = {"text": words, "top_k": top_k, "index": index or None, "rerank": rerank, "less_like": less_like or []}
        return await _answer(connection, asked | filters)

    async def similar(passage: str, top_k: int = 10, index: str = "") -> dict[str, Any]:
        """Hits like a passage, given by its id: the same JSON as /search."""
        return await _answer(connection, {"like": passage, "top_k": top_k, "index": index or None})

    async def ask(
        question: str,
        kinds: list[str] | None = None,
        indexes: list[str] | None = None,
        paths: list[str] | None = None,
        after: str = "",
        before: str = "",
        strict: bool = False,
        history: list[dict[str, str]] | None = None,
    ) -> dict[str, Any]:
        """An answer with checked sources: the JSON of `rag ask --json`, with `file` for the `path` of a source.

        `indexes` are asked as one; by default the first of the server is asked. `strict`: only sentences that a source bears out.
        `history` are earlier turns, oldest first, each with `question` and `answer`. The other filters are those of /search.
        Without a chat model `answer` and `model` are null, and `notes` say what is missing.
        """
        filters = {"kinds": kinds or [], "paths": paths or [], "after": after or None, "before": before or None}
        asked = {"question": question, "indexes": indexes or [], "strict": strict, "history": history or [], "stream": False}
        try:
            return with_files(await connection.post("/v1/ask", asked | filters))
        except Refused as refused:
            if refused.failure["code"] == "no_chat_model":
                return with_files(unanswered(refused.body["sources"], str(refused)))
            raise gr.Error(str(refused), print_exception=False) from refused

    async def status(index: str = "") -> dict[str, Any]:
        """What an index holds: the JSON of GET /v1/status."""
        try:
            found: dict[str, Any] = await connection.get("/v1/status", index=index or None)
        except Refused as refused:
            raise gr.Error(str(refused), print_exception=False) from refused
        return found

    for function in (search, similar, ask, status):
        api(function, api_name=function.__name__, concurrency_limit=CALLS_AT_ONCE)


async def _answer(connection: Connection, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return without_paths(await connection.post("/v1/search", request))
    except Refused as refused:
        raise gr.Error(str(refused), print_exception=False) from refused
