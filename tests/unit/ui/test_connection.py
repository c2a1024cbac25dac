"""The page as a client of the API: in this process and over HTTP, and what its refusals say."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("starlette")

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ui.connection import Refused, in_process, over_http


async def echo(request: Request) -> Response:
    body = await request.json() if request.method == "POST" else None
    key = request.headers.get("authorization")
    return JSONResponse({"query": dict(request.query_params), "body": body, "key": key, "host": request.headers["host"]})


async def refused(_: Request) -> Response:
    return JSONResponse({"error": {"what": "no index", "remedy": "rag index", "code": "index_not_found"}}, 404)


async def odd(_: Request) -> Response:
    return PlainTextResponse("oh", 500)


APP = Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"]), Route("/refused", refused), Route("/odd", odd)])


def test_values_that_are_none_are_left_off_and_the_key_is_sent() -> None:
    connection = in_process(APP, "0123456789abcdef")
    assert asyncio.run(connection.get("/echo", index=None, top_k=3)) == {
        "query": {"top_k": "3"},
        "body": None,
        "key": "Bearer 0123456789abcdef",
        "host": "127.0.0.1",
    }
    assert asyncio.run(in_process(APP).post("/echo", {"a": [1]}))["body"] == {"a": [1]}


def test_refusals_keep_their_words() -> None:
    with pytest.raises(Refused, match="no index; rag index") as caught:
        asyncio.run(in_process(APP).get("/refused"))
    assert caught.value.failure == {"what": "no index", "remedy": "rag index", "code": "index_not_found"}
    with pytest.raises(Refused, match=r"could not answer \(500\)"):
        asyncio.run(in_process(APP).get("/odd"))


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(Refused, match=r"no answer from http://127\.0\.0\.1:9") as caught:
        asyncio.run(over_http("http://127.0.0.1:9").get("/v1/indexes"))
    assert caught.value.failure["code"] == "down"
