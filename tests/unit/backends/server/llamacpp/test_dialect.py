"""How the client answers a llama.cpp server that is set up wrongly. What a right one answers: tests/models."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.llamacpp.judge import Judge
from rag.backends.server.reranker import ServerReranker
from rag.errors import BackendError
from rag.types import Content
from tests.unit.server_models import SHORT

END, YES, NO = 99, 7, 8
CRANE = Content("text", text="crane")
PICTURE = Content("image", pixels=(np.zeros((64, 64, 3), np.uint8),))


@contextmanager
def llama(name="Qwen3-VL-Embedding-tiny-Q8_0", *, marker="<__m__>", appended=(END,), normalises=False, dim=8, slots=2, path=""):
    """The URL of a server that says of itself what it is told to, and the bodies it was sent at /v1/embeddings."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self, content):
            sent = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def do_GET(self):
            if self.path == "/v1/models":
                return self.reply({"data": [{"id": name, "owned_by": "llamacpp"}]})
            settings = {"n_ctx": 8193}
            said = {"default_generation_settings": settings, "total_slots": slots, "model_alias": name, "model_ftype": "Q8_0"}
            return self.reply({**said, "model_path": path, "modalities": {"vision": True}, "media_marker": marker})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/tokenize":
                known = {"<|endoftext|>": [END], "yes": [YES], "no": [NO]}
                tokens = known.get(body["content"], list(range(len(body["content"]) // 4 + 1)))
                return self.reply({"tokens": [*tokens, *(appended if body["add_special"] else ())]})
            bodies.append(body)
            rows = [np.linspace(1, 2 + number, dim, dtype="<f4") for number in range(len(body["input"]))]
            rows = [row / np.linalg.norm(row) for row in rows] if normalises else rows
            data = [{"index": at, "embedding": base64.b64encode(row.tobytes()).decode()} for at, row in enumerate(rows)]
            return self.reply({"data": data})

        def log_message(self, *_):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", bodies
    finally:
        server.shutdown()
        server.server_close()


def embedder(*urls, **more):
    return ServerEmbedder(Choice(urls=urls, timeout=5.0, **more), SHORT)


def test_it_is_recognised_and_asked_for_as_much_at_once_as_it_reads():
    with llama() as (url, bodies):
        made = embedder(url)
        made.embed([CRANE] * 9, role="document")
    assert (made.fingerprint.model, made.fingerprint.revision) == ("Qwen3-VL-Embedding-tiny-Q8_0", "GGUF Q8_0, mmproj unknown")
    assert made.capabilities.concurrent_calls == 2
    assert [len(body["input"]) for body in bodies] == [1, 3, 3, 3]  # the first asks for the dimension
    assert bodies[1].keys() == {"model", "input", "encoding_format"}


def test_a_missing_end_token_is_written_and_another_one_is_refused():
    with llama(appended=()) as (url, bodies):
        embedder(url).embed([CRANE], role="document")
    assert bodies[-1]["input"][0].endswith("<|im_start|>assistant\n<|endoftext|>")
    for wrong in ((END, END), (3,)):
        with llama(appended=wrong) as (url, _), pytest.raises(BackendError, match=r"not one <\|endoftext\|>"):
            embedder(url)


def test_two_servers_need_one_marker():
    with llama() as (one, _), llama(marker="<__other__>") as (other, _), pytest.raises(BackendError) as raised:
        embedder(one, other, in_flight=1).embed([CRANE] * 20, role="document")
    assert "another marker" in raised.value.what
    assert "LLAMA_MEDIA_MARKER" in raised.value.remedy


def test_a_name_without_the_types_of_its_weights_is_refused_before_any_vector():
    with llama("Qwen3-VL-Embedding-2B") as (url, bodies):
        made = embedder(url, model="Qwen/Qwen3-VL-Embedding-2B")
        with pytest.raises(BackendError) as raised:
            made.embed([CRANE], role="document")
    assert (
        raised.value.what == f"{url} is llama.cpp with Qwen3-VL-Embedding-2B: how its weights are quantised was not known before"
    )
    assert bodies == []


def test_vectors_of_another_length_than_the_models_are_refused():
    with (
        llama("Qwen3-VL-Embedding-2B-Q8_0") as (url, _),
        pytest.raises(BackendError, match="sent vectors of 8 numbers, not 2048"),
    ):
        embedder(url).embed([CRANE], role="document")
    with llama() as (url, _), pytest.raises(BackendError, match="sent vectors of 8 numbers, not 64"):
        embedder(url, dim=64).embed([CRANE], role="document")


def reranker(url, monkeypatch, dim=8):
    judge = Judge(np.linspace(-1, 1, dim, dtype=np.float32), YES, NO)
    monkeypatch.setattr("rag.backends.server.llamacpp.reranking.gguf_at_hand", lambda *_: "a.gguf")
    monkeypatch.setattr("rag.backends.server.llamacpp.reranking.judge_of", lambda _: judge)
    return ServerReranker(Choice(urls=(url,), timeout=5.0), SHORT)


def test_a_rerankers_prompts_go_whole_to_embeddings(monkeypatch):
    with llama("Qwen3-VL-Reranker-tiny-Q8_0", appended=()) as (url, bodies):
        scores = reranker(url, monkeypatch).score(CRANE, [CRANE, PICTURE])
    judged = 1 / (1 + np.exp(-np.linspace(1, 2, 8) @ np.linspace(-1, 1, 8)))
    assert scores == pytest.approx([judged, judged])
    assert bodies[0]["embd_normalize"] == -1
    assert bodies[0]["input"][0].endswith("<Query>:crane\n<Document>:crane<|im_end|>\n<|im_start|>assistant\n")
    assert "<Document>:<__m__><|im_end|>" in bodies[1]["input"][0]["prompt_string"]


@pytest.mark.parametrize(
    ("server", "dim", "why"),
    [
        ({"normalises": True, "appended": ()}, 8, "normalises what it sends"),
        ({"appended": ()}, 16, "sent 8 numbers for a pair, and the rows of the GGUF at hand have 16"),
        ({"appended": (END,)}, 8, "a reranker's must end as it is"),
    ],
)
def test_what_cannot_be_judged_is_an_error(monkeypatch, server, dim, why):
    with llama("Qwen3-VL-Reranker-tiny-Q8_0", **server) as (url, _), pytest.raises(BackendError, match=why):
        reranker(url, monkeypatch, dim).score(CRANE, [CRANE])


def test_a_reranker_without_its_gguf_says_which_file_it_needs(tmp_path):
    gone = str(tmp_path / "gone.gguf")
    with llama("Qwen3-VL-Reranker-tiny-Q8_0", appended=(), path=gone) as (url, _), pytest.raises(BackendError) as raised:
        ServerReranker(Choice(urls=(url,), timeout=5.0), SHORT).score(CRANE, [CRANE])
    assert raised.value.what.endswith(f"there is no file {gone}")
    assert raised.value.remedy == "name the file that the server runs: --reranker-model FILE.gguf"
