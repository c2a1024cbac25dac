"""Each fault of a model server is retried or refused; nothing wrong ever comes out of the `server` backend."""

import json
import math
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import rag
from rag.backends import exchange
from rag.backends.base import Choice
from rag.backends.families import FAMILIES
from rag.backends.http import Patience
from rag.backends.media import image_url
from rag.backends.prompts import rerank_prompt
from rag.backends.server import ServerEmbedder
from rag.backends.server_reranker import ServerReranker
from rag.errors import AnotherModel, BackendError, ContentRefused, WrongSetting
from rag.types import Content
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer

MODEL = "Qwen/Qwen3-Embedding-0.6B"
RERANKER = "Qwen/Qwen3-Reranker-0.6B"
TEXTS = [Content("text", text=f"passage {number}") for number in range(4)]
QUERY = Content("text", text="harbour")
AMPLE = 20.0  # seconds for an answer: none of a sound server is late, however busy the machine
SHORT = Patience(total=3.0, unseen=0.5, first=0.01, longest=0.05, told=0.3)


@pytest.fixture
def server():
    with FakeServer(MODEL) as running:
        yield running


@pytest.fixture
def ranker():
    with FakeServer(RERANKER) as running:
        yield running


def embedder(*servers, timeout=AMPLE, patience=SHORT, **more):
    return ServerEmbedder(Choice(model=MODEL, urls=tuple(one.url for one in servers), timeout=timeout, **more), patience)


def reranker(*servers, model=RERANKER, **more):
    return ServerReranker(Choice(model=model, urls=tuple(one.url for one in servers), timeout=AMPLE, **more), SHORT)


def truth(server, contents=TEXTS):
    return np.stack([server.vector(content.text) for content in contents])


RETRIED = {
    "429": fake.status(429, Retry_After="0"),
    "429 with a date": fake.status(429, Retry_After="Sat, 01 Jan 2000 00:00:00 GMT"),
    "500": fake.status(500),
    "502": fake.status(502),
    "503": fake.status(503, Retry_After="soon"),
    "504": fake.status(504),
    "reset in the middle": fake.reset,
    "hung up": fake.hang_up,
    "truncated": fake.truncated,
    "half a JSON": fake.half_json,
}


@pytest.mark.parametrize("fault", RETRIED.values(), ids=RETRIED)
def test_what_may_pass_is_tried_again(server, ranker, fault):
    server.fail(fault, fault)
    np.testing.assert_allclose(embedder(server).embed(TEXTS, role="document"), truth(server), atol=1e-6)
    assert len(server.requests) == 3
    ranker.fail(fault, fault)
    scores = reranker(ranker).score(QUERY, TEXTS)
    assert scores == pytest.approx([ranker.score("harbour", content.text) for content in TEXTS])
    assert len(ranker.requests) == 3


@pytest.mark.parametrize("fault", [fake.drip(5), fake.silent(5)], ids=["slow drip", "silence"])
def test_no_answer_in_time_is_tried_again(server, fault):
    server.fail(fault)
    np.testing.assert_allclose(embedder(server, timeout=0.3).embed(TEXTS, role="document"), truth(server), atol=1e-6)
    assert len(server.requests) >= 2  # on a busy machine a sound answer may be late too


@pytest.mark.parametrize(
    "fault", [fake.status(503), fake.status(500), fake.reset, fake.drip(5)], ids=["503", "500", "reset", "drip"]
)
def test_what_does_not_pass_is_given_up(server, fault):
    server.always = fault
    asking = embedder(server, timeout=0.2, patience=Patience(total=0.4, first=0.01, longest=0.05))
    with pytest.raises(BackendError, match=r"attempts in") as raised:
        asking.embed(TEXTS, role="document")
    assert server.url in raised.value.what
    assert "RAG_TIMEOUT" in raised.value.remedy
    assert 2 <= len(server.requests) <= 40


def test_retry_after_is_honoured_and_bounded(server):
    server.fail(fake.status(429, Retry_After="3600"))
    began = time.monotonic()
    embedder(server).embed(TEXTS, role="document")
    assert 0.3 <= time.monotonic() - began < 600  # `told` of SHORT, not an hour
    assert len(server.requests) == 2


WRONG_VECTORS = {
    "NaN": (fake.vector_of([math.nan] * 1024), "not finite"),
    "infinite": (fake.vector_of([math.inf, *[0.1] * 1023]), "not finite"),
    "zero": (fake.vector_of([0.0] * 1024), "length zero"),
    "one shorter than the others": (fake.vector_of([1.0] * 512), "512, 1024 numbers, not 1024"),
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


@pytest.mark.parametrize(("fault", "says"), WRONG_VECTORS.values(), ids=WRONG_VECTORS)
def test_a_wrong_answer_is_refused_at_once(server, fault, says):
    server.always = fault
    with pytest.raises(BackendError) as raised:
        embedder(server).embed(TEXTS, role="document")
    assert says in raised.value.what
    assert server.url in raised.value.what
    assert raised.value.what.isprintable() and len(raised.value.what) < 500
    assert raised.value.remedy
    assert len(server.requests) <= 2  # what a server says against its input is tried with a harmless one


def test_vectors_are_put_in_order_by_their_index(server):
    server.fail(fake.edited(lambda entries: entries[::-1]))
    np.testing.assert_allclose(embedder(server).embed(TEXTS, role="document"), truth(server), atol=1e-6)


WRONG_SCORES = {
    "NaN": (fake.edited(lambda entries: [{**one, "relevance_score": math.nan} for one in entries]), "nan as a score"),
    "a word": (fake.edited(lambda entries: [{**one, "relevance_score": "high"} for one in entries]), "high as a score"),
    "true": (fake.edited(lambda entries: [{**one, "relevance_score": True} for one in entries]), "True as a score"),
    "no score": (fake.edited(lambda entries: [{"index": one["index"]} for one in entries]), "None as a score"),
    "too few": (fake.edited(lambda entries: entries[:2]), "2 scores for 4 inputs"),
    "too many": (fake.edited(lambda entries: entries * 2), "8 scores for 4 inputs"),
    "duplicated index": (fake.edited(lambda entries: [{**one, "index": 0} for one in entries]), "index"),
    "outside 0…1": (fake.edited(lambda entries: [{**one, "relevance_score": 3.5} for one in entries]), "not within 0 … 1"),
    "error in a 200": (fake.instead({"object": "error", "message": "busy"}), "busy"),
    "html": (fake.html, "not JSON"),
    "400": (fake.status(400, "no reranker here"), "no reranker here"),
}


@pytest.mark.parametrize(("fault", "says"), WRONG_SCORES.values(), ids=WRONG_SCORES)
def test_wrong_scores_are_refused_at_once(ranker, fault, says):
    ranker.always = fault
    with pytest.raises(BackendError) as raised:
        reranker(ranker).score(QUERY, TEXTS)
    assert says in raised.value.what and ranker.url in raised.value.what and raised.value.remedy
    assert len(ranker.requests) <= 2


def test_a_redirect_is_not_followed(server, ranker):
    server.fail(fake.redirect(f"{ranker.url}/v1/embeddings"))
    with pytest.raises(BackendError, match="redirects"):
        embedder(server, api_key="secret").embed(TEXTS, role="document")
    assert (ranker.requests, ranker.looks) == ([], 0)


def test_an_endless_answer_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(exchange, "BODY_BYTES", 1_000_000)
    server.always = fake.endless
    with pytest.raises(BackendError, match="more than 1 MB"):
        embedder(server).embed(TEXTS, role="document")


def test_a_server_that_restarts_is_waited_for(server):
    asking = embedder(server)
    asking.embed(TEXTS, role="document")
    back = server.restart_after(0.8)
    np.testing.assert_allclose(asking.embed(TEXTS, role="document"), truth(server), atol=1e-6)
    back.join()


def test_a_server_that_restarts_with_another_model_is_refused(server):
    asking = embedder(server)
    asking.embed(TEXTS, role="document")
    server.model = server.root = "Qwen/Qwen3-Embedding-8B"
    back = server.restart_after(0.2)
    with pytest.raises(BackendError, match=r"serves Qwen/Qwen3-Embedding-8B, not Qwen/Qwen3-Embedding-0\.6B"):
        asking.embed(TEXTS, role="document")
    back.join()


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def test_a_server_that_never_was_is_not_waited_for_long():
    patience = Patience(total=3600.0, unseen=0.5, first=0.01, longest=0.05)
    asking = ServerEmbedder(Choice(model=MODEL, urls=(f"http://127.0.0.1:{closed_port()}",)), patience)
    began = time.monotonic()
    with pytest.raises(BackendError, match="cannot be connected to: Connection refused") as raised:
        asking.embed(TEXTS, role="document")
    assert time.monotonic() - began < 600  # `unseen`, not an hour
    assert "start it" in raised.value.remedy


def test_a_name_that_is_none_says_so():
    with pytest.raises(BackendError, match=r"cannot be connected to: .*(known|resol|associated)"):
        ServerEmbedder(Choice(model=MODEL, urls=("http://nowhere.invalid:8000",)), SHORT).embed(TEXTS, role="document")


def test_one_dead_endpoint_of_two_costs_nothing_but_its_share(server):
    dead = f"http://127.0.0.1:{closed_port()}"
    many = [Content("text", text=f"passage {number}") for number in range(200)]
    asking = ServerEmbedder(Choice(model=MODEL, urls=(dead, server.url), in_flight=2, timeout=AMPLE), SHORT)
    np.testing.assert_allclose(asking.embed(many, role="document"), truth(server, many), atol=1e-6)
    assert len(server.requests) == 7


def test_an_endpoint_that_dies_is_left_out_and_taken_back(server):
    with FakeServer(MODEL) as other:
        many = [Content("text", text=f"passage {number}") for number in range(400)]
        asking = embedder(server, other, in_flight=1)
        asking.embed(many, role="document")
        assert server.requests and other.requests
        other.stop()
        np.testing.assert_allclose(asking.embed(many, role="document"), truth(server, many), atol=1e-6)
        other.start()
        before = len(other.requests)
        deadline = time.monotonic() + 60
        while len(other.requests) == before and time.monotonic() < deadline:
            asking.embed(many, role="document")
        assert len(other.requests) > before


def test_no_more_requests_at_once_than_allowed(server):
    server.always = fake.edited(lambda entries: (time.sleep(0.02), entries)[1])
    many = [Content("text", text=f"passage {number}") for number in range(640)]
    asking = embedder(server, in_flight=3)
    threads = [threading.Thread(target=asking.embed, args=(many,), kwargs={"role": "document"}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.most_at_once == 3
    assert len(server.requests) == 60


def crowded(running, most, refused):
    """More than `most()` requests at once are refused; notes each refusal."""

    def answer(handler, body):
        with running._lock:
            is_one_too_many = running._at_once > most()
        if is_one_too_many:
            refused.append(body)
            return fake.status(429)(handler, body)
        time.sleep(0.03)
        return fake.reply(handler, running.right("/v1/embeddings", body))

    return answer


def test_a_server_that_takes_fewer_at_once_is_given_fewer_and_more_when_it_takes_more(server):
    most, refused, rooms = [3], [], []
    server.always = crowded(server, lambda: (rooms.append(endpoint.window.room), most[0])[1], refused)
    many = [Content("text", text=f"passage {number}") for number in range(32 * 100)]
    asking = embedder(server, in_flight=16)
    (endpoint,) = asking._endpoints._all
    np.testing.assert_allclose(asking.embed(many, role="document"), truth(server, many), atol=1e-6)
    assert len(refused) < 150  # without a window the 13 that are too many are refused again and again
    assert not refused or min(rooms) <= 11
    most[0] = 1_000
    for _ in range(3):
        asking.embed(many, role="document")
    assert endpoint.window.room == 16


def test_the_endpoint_that_takes_more_is_given_more(server):
    refused = []
    with FakeServer(MODEL) as other:
        server.always = crowded(server, lambda: 1_000, [])
        other.always = crowded(other, lambda: 1, refused)
        many = [Content("text", text=f"passage {number}") for number in range(32 * 100)]
        asking = embedder(server, other, in_flight=8)
        np.testing.assert_allclose(asking.embed(many, role="document"), truth(server, many), atol=1e-6)
        assert asking._endpoints._all[0].window.room == 8
        assert len(server.requests) + len(other.requests) == 100 + len(refused)
        assert len(other.requests) - len(refused) <= len(server.requests)


@pytest.mark.parametrize("code", [413, 422, 400])
def test_a_batch_that_is_too_much_is_halved(server, code):
    def at_most_two(handler, body):
        if len(body["input"]) > 2:
            return fake.status(code, "batch size 4 > maximum allowed batch size 2")(handler, body)
        return fake.reply(handler, server.right("/v1/embeddings", body))

    server.always = at_most_two
    np.testing.assert_allclose(embedder(server).embed(TEXTS, role="document"), truth(server), atol=1e-6)
    assert [len(request.body["input"]) for request in server.requests] == [4, 1, 2, 2]


LONG = "maximum context length is 8192 tokens"


def refusing(*words, path="/v1/embeddings", code=400, message=LONG):
    """A fault of requests that hold one of the words."""

    def fault(handler, body):
        if any(word in json.dumps(body) for word in words):
            return fake.status(code, message)(handler, body)
        return fake.reply(handler, handler.fake.right(path, body))

    return fault


@pytest.mark.parametrize(("code", "message"), [(400, LONG), (422, "no such letter"), (413, "")])
def test_the_texts_a_server_does_not_take_are_found_and_the_others_have_their_vectors(server, code, message):
    many = [Content("text", text=f"passage <{number}>") for number in range(64)]
    server.always = refusing("<7>", "<40>", code=code, message=message)
    with pytest.raises(ContentRefused) as raised:
        embedder(server).embed(many, role="document")
    assert set(raised.value.reasons) == {7, 40}
    assert message in raised.value.reasons[7] and message in raised.value.what
    kept = [content for number, content in enumerate(many) if number not in (7, 40)]
    np.testing.assert_allclose(raised.value.others, truth(server, kept), atol=1e-6)
    asked = [request for request in server.requests if request.path == "/v1/embeddings"]
    assert len(asked) == 2 + 1 + 2 * 2 * 5  # the batches, a harmless text, both halves of 32, 16, 8, 4 and 2 texts


def test_a_picture_a_server_does_not_take_is_told_from_one_that_takes_none():
    seen = [Content("image", pixels=(np.full((32, 32, 3), shade, np.uint8),)) for shade in (0, 90, 250)]
    second = image_url(seen[1].pixels[0])
    with FakeServer("Qwen/Qwen3-VL-Embedding-2B", dim=2048) as server:
        asking = ServerEmbedder(Choice(model=server.model, urls=(server.url,)), SHORT)
        server.always = refusing(second, message="cannot identify image file")
        with pytest.raises(ContentRefused) as raised:
            asking.embed(seen, role="document")
        assert dict(raised.value.reasons) == {1: "the model server refuses it (cannot identify image file)"}
        assert raised.value.others.shape == (2, 2048)
        server.always = refusing("image_url", message="At most 0 image(s) may be provided")
        with pytest.raises(BackendError, match="At most 0 image") as raised:
            asking.embed([TEXTS[0], *seen], role="document")
        assert not isinstance(raised.value, ContentRefused)


def test_a_text_at_which_a_server_fails_each_time_is_found_and_costs_only_itself(server):
    server.always = refusing("passage 2", code=500, message="list index out of range")
    with pytest.raises(ContentRefused, match=r"answered 500: list index out of range \(3 attempts in") as raised:
        embedder(server).embed(TEXTS, role="document")
    assert dict(raised.value.reasons) == {2: "the model server refuses it (list index out of range)"}
    np.testing.assert_allclose(raised.value.others, truth(server, [TEXTS[0], TEXTS[1], TEXTS[3]]), atol=1e-6)


def test_a_server_that_fails_at_everything_ends_the_call(server):
    server.always = refusing("length", "passage", code=500, message="engine is dead")
    with pytest.raises(BackendError, match=r"answered 500: engine is dead \(3 attempts in") as raised:
        embedder(server).embed(TEXTS, role="document")
    assert not isinstance(raised.value, ContentRefused)


def test_one_text_that_is_too_long_says_so(server):
    server.always = refusing("passage 3")
    with pytest.raises(ContentRefused, match="maximum context length is 8192") as raised:
        embedder(server).embed(TEXTS[3:], role="query")
    assert "RAG_PASSAGE_CHARACTERS" in raised.value.remedy
    assert len(raised.value.others) == 0


def test_pairs_a_reranker_does_not_take_are_found_and_the_others_have_their_scores(ranker):
    ranker.always = refusing("passage 2", path="/v1/rerank")
    with pytest.raises(ContentRefused) as raised:
        reranker(ranker).score(QUERY, TEXTS)
    assert set(raised.value.reasons) == {2}
    kept = [content for number, content in enumerate(TEXTS) if number != 2]
    assert raised.value.others == pytest.approx([ranker.score("harbour", content.text) for content in kept])


def counting(longest, letters=1):
    """A server that counts one token for so many letters and takes no prompt longer than that."""

    def fault(handler, body):
        count = (
            -(-len(body["prompt"]) // letters) if "prompt" in body else max(-(-len(text) // letters) for text in body["input"])
        )
        if "prompt" in body:
            return fake.reply(handler, {"count": count, "max_model_len": longest, "tokens": []})
        if count > longest:
            return fake.status(400, f"maximum context length is {longest} tokens")(handler, body)
        return fake.reply(handler, handler.fake.right("/v1/embeddings", body))

    return fault


@pytest.mark.parametrize("letters", [1, 4], ids=["expected", "found by its refusal"])
def test_a_text_longer_than_the_model_reads_is_cut_where_the_server_counts(server, caplog, letters):
    server.paths.add("/tokenize")
    server.models = {"data": [{"id": MODEL, "max_model_len": 100}]}
    server.always = counting(100, letters)
    long = Content("text", text="b" * 250 * letters)
    found = embedder(server).embed([TEXTS[0], long, TEXTS[1]], role="document")
    cut = Content("text", text="b" * 100 * letters)
    np.testing.assert_allclose(found, truth(server, [TEXTS[0], cut, TEXTS[1]]), atol=1e-6)
    assert caplog.records[0].getMessage().startswith("a text is longer than the 100 tokens")


def test_a_text_longer_than_the_model_reads_is_refused_where_the_server_does_not_count(server):
    server.models = {"data": [{"id": MODEL, "max_model_len": 100}]}
    server.always = counting(100)
    with pytest.raises(ContentRefused) as raised:
        embedder(server).embed([TEXTS[0], Content("text", text="b" * 250)], role="document")
    assert set(raised.value.reasons) == {1}


def counting_pairs(longest):
    """A reranker that takes no pair of more letters than that."""

    def fault(handler, body):
        if "prompt" in body:
            return fake.reply(handler, {"count": len(body["prompt"]), "max_model_len": longest, "tokens": []})
        asked = Content("text", text=body["query"])
        family = FAMILIES["qwen3-reranker"]
        if any(len(rerank_prompt(family, asked, Content("text", text=one), "")) > longest for one in body["documents"]):
            return fake.status(400, f"maximum context length is {longest} tokens")(handler, body)
        return fake.reply(handler, handler.fake.right("/v1/rerank", body))

    return fault


def test_a_document_longer_than_a_reranker_reads_is_cut_where_the_server_counts(ranker, caplog):
    ranker.paths.add("/tokenize")
    ranker.models = {"data": [{"id": RERANKER, "max_model_len": 500}]}
    ranker.always = counting_pairs(500)
    frame = len(rerank_prompt(FAMILIES["qwen3-reranker"], QUERY, Content("text"), ""))
    found = reranker(ranker).score(QUERY, [TEXTS[0], Content("text", text="b" * 900), TEXTS[1]])
    kept = ["b" * (500 - frame), TEXTS[0].text, TEXTS[1].text]
    cut, first, last = (ranker.score(QUERY.text, text) for text in kept)
    assert found == pytest.approx([first, cut, last])
    assert caplog.records[0].getMessage().startswith("a text is longer than the 500 tokens")


def test_ctrl_c_ends_a_request_at_once(server):
    server.always = fake.silent(60)
    code = f"""
import signal
from rag.backends.base import Choice
from rag.backends.server import ServerEmbedder
from rag.types import Content
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with Ctrl-C ignored
try:
    ServerEmbedder(Choice(model={MODEL!r}, urls=({server.url!r},))).embed([Content("text", text="a")], role="query")
except KeyboardInterrupt:
    print("stopped")
"""
    asking = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    while not server.requests and asking.poll() is None:
        time.sleep(0.01)
    asking.send_signal(signal.SIGINT)
    assert asking.communicate(timeout=20)[0] == "stopped\n"  # the request alone would take 60 s
    assert asking.returncode == 0


def test_connections_are_kept_and_closed_with_their_embedder(server):
    asking = embedder(server, in_flight=2)
    for _ in range(20):
        asking.embed(TEXTS, role="document")
    assert server.accepted <= 2
    del asking
    deadline = time.monotonic() + 10
    while server.open_connections and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.open_connections == 0


def test_waiting_is_said_once(server, caplog):
    asking = embedder(server)
    server.fail(fake.status(503), fake.status(503), fake.status(503))
    asking.embed(TEXTS, role="document")
    said = [record.getMessage() for record in caplog.records if record.name == "rag.server"]
    assert said == [f"{server.url} answered 503: out of order; trying again for up to 3 s"]


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://host", "http://", "http://host:port"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(WrongSetting) as raised:
        ServerEmbedder(Choice(model=MODEL, urls=(url,)))
    assert "http://HOST:PORT" in raised.value.remedy


def test_a_key_or_certificates_that_cannot_be_used_are_refused(tmp_path):
    with pytest.raises(WrongSetting, match="API key"):
        ServerEmbedder(Choice(model=MODEL, urls=("http://127.0.0.1:1",), api_key="key\nHost: other"))
    with pytest.raises(WrongSetting, match=r"missing\.pem"):
        ServerEmbedder(Choice(model=MODEL, urls=("https://127.0.0.1:1",), ca_bundle=str(tmp_path / "missing.pem")))
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(WrongSetting, match=r"empty\.pem"):
        ServerEmbedder(Choice(model=MODEL, urls=("https://127.0.0.1:1",), ca_bundle=str(tmp_path / "empty.pem")))


# ---- through the whole write path -----------------------------------------------------------


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(12):
        (folder / f"note {number}.txt").write_text(f"Note number {number} about the harbour.")
    return folder


@pytest.fixture
def indexed(corpus, monkeypatch):
    """`rag index` of the corpus through a server, with the short patience, into an index of that name."""
    monkeypatch.setattr(ServerEmbedder.__init__, "__defaults__", (Choice(), SHORT))

    def index(server, name="index"):
        where = str(corpus.parent / name)
        (corpus.parent / "empty").mkdir(exist_ok=True)
        if not (corpus.parent / name).exists():  # proofs and canaries, before anything goes wrong
            kept, server.faults = server.faults, type(server.faults)()
            always, server.always = server.always, None
            rag.build_index(corpus.parent / "empty", index=where, backend="server", model=MODEL, url=(server.url,), timeout=1.0)
            server.faults, server.always = kept, always
        report = rag.build_index(corpus, index=where, backend="server", model=MODEL, url=(server.url,), timeout=1.0)
        with rag.open_index(where, reranker="none") as opened:
            return report, {hit.document: hit.similarity for hit in opened.query("harbour", top_k=50, fold=False)}

    return index


NEVER_STORED = ["NaN", "zero", "too few", "too many", "duplicated index", "empty", "error in a 200", "html"]


@pytest.mark.parametrize("fault", [WRONG_VECTORS[name][0] for name in NEVER_STORED], ids=NEVER_STORED)
def test_nothing_wrong_is_ever_stored(server, indexed, fault):
    _, truth = indexed(server, "healthy")
    server.fail(None)  # for the canaries of the new index
    server.always = fault
    with pytest.raises(BackendError):
        indexed(server)
    server.always = None
    report, found = indexed(server)
    assert report.embedded == 12
    assert found == pytest.approx(truth, abs=1e-4) and len(found) == 12


def test_what_the_server_does_not_take_is_skipped_with_its_reason_and_tried_again(server, indexed, corpus):
    (corpus / "part.txt").write_text("A good passage of the part.\n\n" * 100 + "SECRET at its end")
    (corpus / "whole.txt").write_text("SECRET of one passage")
    (corpus / "copy.txt").write_text("SECRET of one passage")
    indexed(server, "canaries")
    server.always = refusing("SECRET")
    for _ in range(2):  # the second run reads them again, and only them
        report, found = indexed(server)
        skipped = {one.document.path: one.reason for one in report.skipped}
        assert skipped.keys() == {"part.txt", "whole.txt", "copy.txt"}
        assert skipped["whole.txt"] == f"the model server refuses it ({LONG})"
        assert skipped["part.txt"].startswith("lines ") and LONG in skipped["part.txt"]
        assert {name for name in found if "note" not in name} == {"part.txt"} and len(found) == 13
    assert (report.unchanged, report.indexed, report.reused, report.embedded) == (12, 1, 0, 0)
    server.always = None
    report, found = indexed(server)
    assert (report.skipped, report.indexed + report.reused, len(found)) == ((), 3, 15)
    assert indexed(server)[0].unchanged == 15


def test_a_candidate_the_reranker_does_not_take_is_scored_by_the_first_stage(server, ranker, indexed, corpus):
    indexed(server)
    ranker.always = refusing("number 3", path="/v1/rerank")
    told = {"reranker": "server", "reranker_url": (ranker.url,), "reranker_model": RERANKER, "url": (server.url,)}
    with rag.open_index(str(corpus.parent / "index"), **told) as opened:
        found = opened.search("harbour", top_k=50)
    unjudged = [hit for hit in found.hits if hit.rerank_score is None]
    assert [hit.document for hit in unjudged] == ["note 3.txt"]
    assert (unjudged[0].score, len(found.hits)) == (unjudged[0].fused, 12)
    assert any(note.startswith("1 of 12 candidates have the score of the first stage") and LONG in note for note in found.notes)


def test_a_server_that_restarts_during_an_index_run_costs_nothing(server, indexed):
    _, truth = indexed(server, "healthy")
    restarted = []

    def killed(handler, body):
        restarted.append(server.restart_after(0.5))

    server.fail(None, killed)
    report, found = indexed(server)
    restarted[0].join()
    assert (report.embedded, report.skipped) == (12, ())
    assert found == pytest.approx(truth, abs=1e-4) and len(found) == 12


def test_a_server_back_with_other_weights_under_the_same_name_is_noticed(server, indexed, corpus):
    indexed(server)
    (corpus / "new.txt").write_text("A new note.")
    server.weights = "others"
    with pytest.raises(AnotherModel):
        indexed(server)
