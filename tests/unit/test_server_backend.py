"""The `server` backend and a server on loopback: what is sent, under which name, in how many requests, and what comes out."""

import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from rag.backends import EMBEDDERS, RERANKERS
from rag.backends.base import Choice
from rag.backends.batching import packed
from rag.backends.http import Patience
from rag.backends.server import ServerEmbedder
from rag.backends.server_reranker import ServerReranker
from rag.errors import BackendError
from rag.types import Content
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer

GOLDEN = Path(__file__).parent.parent / "models/golden/requests"
VL, VL_RERANKER = "Qwen/Qwen3-VL-Embedding-2B", "Qwen/Qwen3-VL-Reranker-2B"
TEXT, TEXT_RERANKER = "Qwen/Qwen3-Embedding-0.6B", "Qwen/Qwen3-Reranker-0.6B"
PLAIN, PLAIN_RERANKER = "BAAI/bge-m3", "BAAI/bge-reranker-v2-m3"
SHORT = Patience(total=1.0, unseen=0.3, first=0.01, longest=0.05)

RED, BLUE = np.full((40, 60, 3), (200, 20, 20), np.uint8), np.full((40, 60, 3), (20, 20, 200), np.uint8)
CRANE = Content("text", text="The harbour crane <|im_end|> is inspected <Document>: every spring.")
CHINESE = Content("text", text="港口的吊车每年春天检查一次。")
EMPTY = Content("text")
PICTURE = Content("image", pixels=(RED,), clues="a red boat")
CAPTIONED = Content("image", text="a boat", pixels=(BLUE,))
FILM = Content("video", pixels=(RED, BLUE), clues="two colours")
UNSEEN = Content("image", clues="a crane in the harbour")


def embedder(server, model=VL, **more):
    return ServerEmbedder(Choice(model=model, urls=(server.url,), timeout=5.0, **more), SHORT)


def reranker(server, model=VL_RERANKER, **more):
    return ServerReranker(Choice(model=model, urls=(server.url,), timeout=5.0, **more), SHORT)


def texts(count):
    return [Content("text", text=f"passage {number}") for number in range(count)]


def recorded(server):
    """The last request with its pictures left out, whose bytes differ between versions of the JPEG library."""
    request = server.requests[-1]
    whole = json.dumps({"path": request.path, "body": request.body}, ensure_ascii=False, indent=1)
    return re.sub(r"(?<=base64,)[^\"]+", lambda found: ",".join("JPEG" for _ in found[0].split(",")), whole) + "\n"


EMBEDDINGS = {
    "qwen3-vl-embedding.document.texts": (VL, [CRANE, CHINESE, EMPTY], "document", {}),
    "qwen3-vl-embedding.query.texts": (VL, [CRANE, CHINESE], "query", {}),
    "qwen3-vl-embedding.document.picture": (VL, [PICTURE], "document", {}),
    "qwen3-vl-embedding.query.picture_and_text": (VL, [CAPTIONED], "query", {}),
    "qwen3-vl-embedding.document.video": (VL, [FILM], "document", {}),
    "qwen3-vl-embedding.document.short": (VL, [CRANE], "document", {"dim": 256}),
    "qwen3-vl-embedding.query.own_instruction": (VL, [CAPTIONED], "query", {"query_instruction": "Find the boat"}),
    "qwen3-embedding.document.texts": (TEXT, [CRANE, CHINESE], "document", {}),
    "qwen3-embedding.query.texts": (TEXT, [CRANE, CHINESE], "query", {}),
    "plain-embedding.document.texts": (PLAIN, [CRANE, CHINESE, EMPTY], "document", {}),
    "plain-embedding.query.own_instruction": (PLAIN, [CRANE], "query", {"query_instruction": "query: "}),
}
RERANKS = {
    "qwen3-vl-reranker.mixed": (VL_RERANKER, CRANE, [CRANE, PICTURE, CAPTIONED, FILM, UNSEEN, EMPTY], {}),
    "qwen3-vl-reranker.picture_query": (VL_RERANKER, CAPTIONED, [CHINESE, PICTURE], {}),
    "qwen3-vl-reranker.own_instruction": (VL_RERANKER, CRANE, [CHINESE], {"rerank_instruction": "Find boats."}),
    "qwen3-reranker.texts": (TEXT_RERANKER, CRANE, [CRANE, CHINESE, PICTURE, UNSEEN], {}),
    "qwen3-reranker.picture_query": (TEXT_RERANKER, PICTURE, [CRANE], {}),
    "plain-reranker.texts": (PLAIN_RERANKER, CRANE, [CRANE, CHINESE, UNSEEN, EMPTY], {}),
}


@pytest.mark.parametrize(("name", "model", "contents", "role", "more"), [(name, *case) for name, case in EMBEDDINGS.items()])
def test_an_embedding_request_is_the_golden_one(name, model, contents, role, more):
    with FakeServer(model, dim=2048 if model == VL else 1024) as server:
        embedder(server, model, **more).embed(contents, role=role)
        assert recorded(server) == (GOLDEN / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize(("name", "model", "query", "contents", "more"), [(name, *case) for name, case in RERANKS.items()])
def test_a_rerank_request_is_the_golden_one(name, model, query, contents, more):
    with FakeServer(model) as server:
        reranker(server, model, **more).score(query, contents)
        assert recorded(server) == (GOLDEN / f"{name}.json").read_text("utf-8")


# ---- embeddings -----------------------------------------------------------------------------


def test_rows_are_unit_float32_in_input_order_whatever_the_mixture():
    contents = [PICTURE, CRANE, FILM, CHINESE, CAPTIONED, EMPTY]
    with FakeServer(VL, dim=2048) as server:
        asking = embedder(server)
        vectors = asking.embed(contents, role="document")
        alone = np.stack([asking.embed([content], role="document")[0] for content in contents])
        assert asking.embed([], role="query").shape == (0, 2048)
    assert (vectors.dtype, vectors.shape) == (np.float32, (6, 2048))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors, alone)
    assert len({row.tobytes() for row in vectors}) == 6


@pytest.mark.parametrize("count", [1, 16, 17, 33, 100, 333])
def test_texts_travel_in_requests_of_16_and_more(count):
    with FakeServer(TEXT) as server:
        embedder(server, TEXT).embed(texts(count), role="document")
        sizes = [len(request.body["input"]) for request in server.requests]
    assert sum(sizes) == count
    assert max(sizes) <= 32
    assert min(sizes) >= min(count, 16)


def test_long_texts_are_packed_by_their_bytes():
    assert [len(batch) for batch in packed([5, 5, 20, 1, 1, 1], 4, lambda size: size, 10)] == [2, 1, 3]
    assert packed([], 4, len, 10) == []


def test_vectors_that_are_not_of_unit_length_are_normalised():
    with FakeServer(PLAIN, dim=3) as server:
        server.always = fake.vector_of([3.0, 0.0, 4.0])
        np.testing.assert_allclose(embedder(server, PLAIN).embed([CRANE], role="document"), [[0.6, 0.0, 0.8]], atol=1e-6)


def test_lists_of_numbers_are_read_too_and_the_length_is_asked_once():
    with FakeServer(PLAIN, dim=24, lists_only=True) as server:
        asking = embedder(server, PLAIN)
        assert asking.fingerprint.dim == 24
        vectors = asking.embed([CRANE, CHINESE], role="document")
        sent = server.requests[-1].body["input"]
        np.testing.assert_allclose(vectors, [server.vector(one) for one in sent], atol=1e-6)
        assert len(server.requests) == 2


def test_a_server_that_refuses_base64_is_asked_for_lists():
    def no_base64(handler, body):
        if "encoding_format" in body:
            return fake.status(422, "extra field encoding_format")(handler, body)
        return fake.reply(handler, handler.fake.right("/v1/embeddings", body))

    with FakeServer(PLAIN, dim=24) as server:
        server.always = no_base64
        asking = embedder(server, PLAIN)
        assert asking.embed(texts(3), role="document").shape == (3, 24)
        asking.embed(texts(3), role="document")
        assert ["encoding_format" in request.body for request in server.requests] == [True, True, False, False, False]


def test_dimensions_are_asked_only_where_they_differ_from_the_models_own():
    with FakeServer(VL, dim=2048) as server:
        assert embedder(server, dim=64).embed([CRANE], role="document").shape == (1, 64)
        assert embedder(server, dim=2048).embed([CRANE], role="document").shape == (1, 2048)
        assert [request.body.get("dimensions") for request in server.requests] == [64, None]


def test_a_server_that_ignores_the_length_asked_for_is_refused():
    with FakeServer(VL, dim=2048) as server:
        whole = fake.edited(lambda entries: [{**entries[0], "embedding": server.vector("x").tolist()}])
        server.always = whole
        with pytest.raises(BackendError, match="2048 numbers, not 64") as raised:
            embedder(server, dim=64).embed([CRANE], role="document")
    assert "is_matryoshka" in raised.value.remedy


@pytest.mark.parametrize("content", [PICTURE, FILM, UNSEEN, Content("text", text="x", pixels=(RED,))])
def test_a_text_model_refuses_a_picture_without_asking(content):
    with FakeServer(TEXT) as server:
        asking = embedder(server, TEXT)
        assert asking.modalities == {"text"}
        with pytest.raises(BackendError, match=r"Qwen3-Embedding-0\.6B embeds text only"):
            asking.embed([CRANE, content], role="document")
        assert (server.requests, server.looks) == ([], 0)


def test_a_picture_without_pixels_is_refused_not_embedded_as_nothing():
    with FakeServer(VL) as server, pytest.raises(BackendError, match="without pixels"):
        embedder(server).embed([UNSEEN], role="document")


def test_the_fingerprint_is_the_models_and_needs_no_server():
    choice = Choice(model=VL, urls=("http://127.0.0.1:1/v1/",), dim=512)
    print_, other = ServerEmbedder(choice).fingerprint, ServerEmbedder(Choice(model=VL, urls=("http://127.0.0.1:2",))).fingerprint
    assert (print_.model, print_.dim, print_.instruction) == ("Qwen3-VL-Embedding-2B", 512, "Represent the user's input.")
    assert other.dim == 2048
    assert ServerEmbedder(choice).reads_clues is False


def test_the_batch_it_likes_fills_all_requests_at_once():
    assert ServerEmbedder(Choice(model=VL, urls=("http://127.0.0.1:1", "http://127.0.0.1:2"), in_flight=4)).batch == 32 * 8


def test_two_endpoints_share_the_work():
    with FakeServer(TEXT) as one, FakeServer(TEXT) as other:
        choice = Choice(model=TEXT, urls=(one.url, f"{other.url}/v1"), in_flight=2)
        ServerEmbedder(choice).embed(texts(640), role="document")
        assert min(len(one.requests), len(other.requests)) >= 5
        assert (one.looks > 0, other.looks > 0) == (True, True)


def test_threads_share_an_embedder():
    with FakeServer(TEXT) as server:
        asking = embedder(server, TEXT)
        found = {}

        def ask(number):
            found[number] = asking.embed([Content("text", text=str(number))], role="document")[0]

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number, vector in found.items():
            np.testing.assert_allclose(vector, server.vector(str(number)), atol=1e-6)


# ---- which model ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("served", "root"), [(VL, None), ("/models/Qwen3-VL-Embedding-2B", None), ("embedder", VL), ("Embedder", VL)]
)
def test_a_model_is_found_under_the_name_it_is_served_by(served, root):
    with FakeServer(served, dim=2048, root=root) as server:
        embedder(server).embed([CRANE], role="document")
        assert server.requests[-1].body["model"] == served


@pytest.mark.parametrize("model", ["", "embedder"])
def test_a_model_not_named_is_the_one_served(model):
    with FakeServer("embedder", dim=2048, root=VL) as server:
        asking = embedder(server, model)
        assert (asking.fingerprint.model, asking.fingerprint.dim) == ("Qwen3-VL-Embedding-2B", 2048)
        asking.embed([PICTURE], role="document")
        assert server.requests[-1].body["model"] == "embedder"


def test_another_model_is_refused_by_name():
    with FakeServer("Qwen/Qwen3-VL-Embedding-8B") as server, pytest.raises(BackendError) as raised:
        embedder(server).embed([CRANE], role="document")
    assert "serves Qwen/Qwen3-VL-Embedding-8B, not Qwen/Qwen3-VL-Embedding-2B" in raised.value.what
    assert server.requests == []


def test_one_of_several_models_must_be_named_and_adapters_do_not_count():
    cards = [{"id": "a"}, {"id": "b"}, {"id": "tuned", "parent": "a"}]
    with FakeServer(models={"data": cards}) as server, pytest.raises(BackendError, match="serves 2 models: a, b"):
        embedder(server, "")
    with FakeServer(models={"data": cards[1:]}, dim=8) as server:
        assert embedder(server, "").fingerprint.model == "b"


@pytest.mark.parametrize("models", [{"data": []}, {"data": [{"id": 3}]}, {"error": "no"}, ["a"], "x"])
def test_a_list_of_models_that_is_none_is_refused(models):
    with FakeServer(models=models) as server, pytest.raises(BackendError) as raised:
        embedder(server).embed([CRANE], role="document")
    assert f"{server.url}/v1/models" in raised.value.what


def test_a_server_without_a_list_of_models_is_believed_and_one_must_be_named():
    with FakeServer(PLAIN, dim=8) as server:
        server.paths.remove("/v1/models")
        assert embedder(server, PLAIN).embed([CRANE], role="document").shape == (1, 8)
        with pytest.raises(BackendError, match="does not say which model"):
            embedder(server, "")


def test_a_second_endpoint_with_another_model_is_refused():
    with FakeServer(TEXT) as one, FakeServer("other") as other, pytest.raises(BackendError, match=f"{other.url}.*serves other"):
        ServerEmbedder(Choice(model=TEXT, urls=(one.url, other.url), in_flight=1), SHORT).embed(texts(640), role="document")


# ---- scores ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [VL_RERANKER, TEXT_RERANKER, PLAIN_RERANKER])
def test_scores_are_in_input_order_whatever_the_batches(model):
    contents = [CRANE, PICTURE, CHINESE, UNSEEN, EMPTY, FILM, *texts(90)]
    with FakeServer(model) as server:
        asking = reranker(server, model)
        scores = asking.score(CRANE, contents)
        assert scores == [asking.score(CRANE, [content])[0] for content in contents]
        assert asking.score(CRANE, []) == []
    assert all(type(score) is float and 0 <= score <= 1 for score in scores)
    assert len(set(scores[:6])) == 6


def test_candidates_are_spread_over_endpoints_and_requests():
    with FakeServer(TEXT_RERANKER) as one, FakeServer(TEXT_RERANKER) as other:
        ServerReranker(Choice(model=TEXT_RERANKER, urls=(one.url, other.url))).score(CRANE, texts(100))
        sizes = [len(request.body["documents"]) for server in (one, other) for request in server.requests]
    assert sizes == [25] * 4 and one.requests and other.requests


def test_who_sees_wants_pixels_and_who_hurts_is_trusted_less():
    seeing = ServerReranker(Choice(model=VL_RERANKER, urls=("http://127.0.0.1:1",)))
    blind = ServerReranker(Choice(model=TEXT_RERANKER, urls=("http://127.0.0.1:1",)))
    assert (seeing.wants_pixels(CRANE), blind.wants_pixels(PICTURE)) == (True, False)
    assert (seeing.modalities, blind.modalities) == ({"text", "image", "video"}, {"text"})
    assert (seeing.name, blind.name) == ("Qwen3-VL-Reranker-2B", "Qwen3-Reranker-0.6B")
    assert (seeing.trust.get("image"), dict(blind.trust)) == (0.5, {})


def test_a_server_without_score_is_asked_to_rerank():
    with FakeServer(VL_RERANKER) as server:
        server.paths.remove("/score")
        asking = reranker(server)
        assert len(asking.score(CRANE, [CHINESE, PICTURE])) == 2
        assert [request.path for request in server.requests] == ["/score", "/v1/rerank"]
        asking.score(CRANE, [CHINESE])
        assert server.requests[-1].path == "/v1/rerank"


def test_tei_and_infinity_are_asked_at_their_path():
    with FakeServer(PLAIN_RERANKER) as server:
        server.paths = {"/rerank"}
        asking = reranker(server, PLAIN_RERANKER)
        assert asking.score(CRANE, [CHINESE, CRANE]) == pytest.approx(
            [server.score(server.requests[-1].body["query"], text) for text in server.requests[-1].body["texts"]]
        )
        assert server.requests[-1].body["texts"] == server.requests[-1].body["documents"]
        server.paths = {"/rerank", "/info"}
        assert reranker(server, "").name == "bge-reranker-v2-m3"


def test_a_plain_server_without_any_rerank_says_so():
    with FakeServer(PLAIN_RERANKER) as server:
        server.paths = {"/v1/embeddings"}
        with pytest.raises(BackendError, match=r"/rerank refused a request \(404\)"):
            reranker(server, PLAIN_RERANKER).score(CRANE, [CHINESE])


def test_log_odds_of_a_plain_server_become_scores():
    with FakeServer(PLAIN_RERANKER) as server:
        server.fail(fake.edited(lambda entries: [{**one, "relevance_score": 4.0 * one["index"] - 4} for one in entries]))
        asking = reranker(server, PLAIN_RERANKER)
        assert asking.score(CRANE, [CHINESE, CRANE, EMPTY]) == pytest.approx([0.017986, 0.5, 0.982014], abs=1e-6)
        server.fail(fake.edited(lambda entries: [{**one, "relevance_score": 0.0} for one in entries]))
        assert asking.score(CRANE, [CHINESE]) == [0.5]


# ---- connections ----------------------------------------------------------------------------


def test_the_key_travels_in_its_header_and_stays_out_of_messages():
    with FakeServer(TEXT) as server:
        embedder(server, TEXT, api_key="secret-key").embed([CRANE], role="document")
        assert server.requests[-1].headers["Authorization"] == "Bearer secret-key"
        server.always = fake.status(401, "wrong key")
        user = server.url.replace("//", "//user:hidden@")
        with pytest.raises(BackendError) as raised:
            ServerEmbedder(Choice(model=TEXT, urls=(user,)), SHORT).embed([CRANE], role="document")
        assert "hidden" not in raised.value.what + raised.value.remedy
        assert "RAG_API_KEY" in raised.value.remedy


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with FakeServer(TEXT) as server:
        assert embedder(server, TEXT).embed([CRANE], role="document").shape == (1, 1024)


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_https_needs_a_certificate_that_is_trusted(tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    with FakeServer(TEXT, tls=(cert, key)) as server:
        trusting = embedder(server, TEXT, ca_bundle=str(cert))
        assert trusting.embed([CRANE], role="document").shape == (1, 1024)
        with pytest.raises(BackendError, match="certificate is not trusted") as raised:
            embedder(server, TEXT).embed([CRANE], role="document")
        assert "RAG_CA_BUNDLE" in raised.value.remedy


def test_a_child_process_of_a_fork_can_ask_too():
    code = f"""
import os
from rag.backends.base import Choice
from rag.backends.server import ServerEmbedder
from rag.types import Content
from tests.faults.fake_server import FakeServer
with FakeServer({TEXT!r}) as server:
    choice = Choice(model={TEXT!r}, urls=(server.url,), timeout=5.0)
    ServerEmbedder(choice).embed([Content("text", text="a")], role="query")
    child = os.fork()
    if not child:
        os._exit(ServerEmbedder(choice).embed([Content("text", text="b")], role="query").shape[1] % 251)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1024 % 251
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30, cwd=Path(__file__).parent.parent.parent)


def test_the_tables_load_nothing_heavy():
    assert EMBEDDERS["server"] == "rag.backends.server:ServerEmbedder"
    assert RERANKERS["server"] == "rag.backends.server_reranker:ServerReranker"
    code = (
        "import sys, rag.backends.server, rag.backends.server_reranker\n"
        "print([name for name in ('PIL', 'torch', 'vllm', 'faiss', 'gradio') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
