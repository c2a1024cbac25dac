"""Embedders and rerankers for failing servers, with a short retry policy, and the faults that several test files share.

Knows the fake server; knows no test.
"""

import json
import math
import socket

import numpy as np

from rag.backends.base import Choice
from rag.backends.server.client import RetryPolicy
from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.reranker import ServerReranker
from rag.types import Content
from tests.faults import fake_server as fake

MODEL = "Qwen/Qwen3-Embedding-0.6B"
RERANKER = "Qwen/Qwen3-Reranker-0.6B"
TEXTS = [Content("text", text=f"passage {number}") for number in range(4)]
QUERY = Content("text", text="harbour")
AMPLE = 20.0  # seconds for an answer: a healthy server is never late, however busy the machine
SHORT = RetryPolicy(total=3.0, unreachable=0.5, first_rest=0.01, longest_rest=0.05, longest_retry_after=0.3)


def embedder(*servers, timeout=AMPLE, policy=SHORT, **more):
    return ServerEmbedder(Choice(model=MODEL, urls=tuple(one.url for one in servers), timeout=timeout, **more), policy)


def reranker(*servers, model=RERANKER, **more):
    return ServerReranker(Choice(model=model, urls=tuple(one.url for one in servers), timeout=AMPLE, **more), SHORT)


def truth(server, contents=TEXTS):
    return np.stack([server.vector(content.text) for content in contents])


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


LONG = "maximum context length is 8192 tokens"


def refusing(*words, path="/v1/embeddings", code=400, message=LONG):
    """A fault that refuses requests that contain one of the words."""

    def fault(handler, body):
        if any(word in json.dumps(body) for word in words):
            return fake.status(code, message)(handler, body)
        return fake.reply(handler, handler.fake.right(path, body))

    return fault


WRONG_VECTORS = {
    "NaN": (fake.vector_of([math.nan] * 1024), "not finite"),
    "infinite": (fake.vector_of([math.inf, *[0.1] * 1023]), "not finite"),
    "zero": (fake.vector_of([0.0] * 1024), "a zero vector"),
    "one shorter than the others": (fake.vector_of([1.0] * 512), "512, 1024 numbers, not one length"),
    "empty": (fake.vector_of([]), "0, 1024 numbers"),
    "too few": (fake.edited(lambda entries: entries[:-1]), "3 vectors for 4 inputs"),
    "too many": (fake.edited(lambda entries: [*entries, {**entries[0], "index": 4}]), "5 vectors for 4 inputs"),
    "none": (fake.edited(lambda entries: []), "0 vectors for 4 inputs"),
    "duplicated index": (fake.edited(lambda entries: [{**one, "index": min(i, 2)} for i, one in enumerate(entries)]), "index"),
    "missing index": (fake.edited(lambda entries: [{"embedding": one["embedding"]} for one in entries]), "index"),
    "negative index": (fake.edited(lambda entries: [{**one, "index": one["index"] - 1} for one in entries]), "index"),
    "no base64": (fake.edited(lambda entries: [{**one, "embedding": "%%%"} for one in entries]), "cannot be read"),
    "three bytes": (fake.edited(lambda entries: [{**one, "embedding": "AAAA"} for one in entries]), "cannot be read"),
    "a word": (fake.edited(lambda entries: [{**one, "embedding": ["one"]} for one in entries]), "cannot be read"),
    "nested": (fake.edited(lambda entries: [{**one, "embedding": [[1.0]]} for one in entries]), "as a vector"),
    "null": (fake.edited(lambda entries: [{**one, "embedding": None} for one in entries]), "as a vector"),
    "no entries": (fake.edited(lambda entries: ["vector"] * 4), "without data"),
    "another shape": (fake.instead({"embeddings": [[1.0]]}), "without data"),
    "a list": (fake.instead([1, 2]), "without data"),
    "error in a 200": (fake.instead({"error": {"message": "CUDA \x1b[31mout of memory"}}), "CUDA [31mout of memory"),
    "error string in a 200": (fake.instead({"error": "overloaded"}), "an error: overloaded"),
    "html": (fake.html, "text/html, not JSON: <html>"),
    "called plain text": (fake.untyped, "text/plain, not JSON"),
    "redirect": (fake.redirect("http://127.0.0.1:1/v1/embeddings"), "redirects to http://127.0.0.1:1"),
    "400": (fake.status(400, "bad\n\x1b]0;title\x07 request " + "x" * 2_000), "bad ]0;title request xxx"),
    "401": (fake.status(401, "no key"), r"refused a request (401): no key"),
    "403": (fake.status(403, "not yours"), "(403): not yours"),
    "404": (fake.status(404, "no such model"), "(404): no such model"),
    "418": (fake.status(418, "a teapot"), "(418): a teapot"),
    "422": (fake.status(422, "cannot be processed"), "(422): cannot be processed"),
    "501": (fake.status(501, "not here"), "(501): not here"),
}
