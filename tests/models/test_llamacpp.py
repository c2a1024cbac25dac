"""Qwen3 through llama.cpp: the vectors and scores of the published format, from GGUFs of the tiny checkpoints."""

from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from unicodedata import normalize

import numpy as np
import pytest

from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.reranker import ServerReranker
from rag.errors import BackendError, ContentRefused
from rag.types import Content, Fingerprint
from tests.models import checkpoints as tiny
from tests.models import gguf_files, oracle
from tests.models.llama_servers import EXACT, llama
from tests.models.samples import CONTENTS, decoded, painted

TOLD = {"document": "Represent the user's input.", "query": "Retrieve images or text relevant to the user's query."}
JUDGING = "Given a search query, retrieve relevant candidates that answer the query."
WEB = "Given a web search query, retrieve relevant passages that answer the query"
FILMS = ("video", "video and text")
SEEN = {
    **{name: content for name, content in CONTENTS.items() if name not in FILMS},
    "decomposed": Content("text", text=normalize("NFD", "Café über Zürich, Ἀθῆναι")),
    "two pictures": Content("image", text="before and after", pixels=(painted(50, 40, 5), painted(333, 517, 6))),
    "smaller than a token": Content("image", pixels=(painted(10, 20, 7),)),
    "odd sides": Content("image", pixels=(painted(101, 331, 8),)),
    "a marker": Content("text", text="<__media__> and <__media_xjPe3uyUEQeKUYUTLDkZyYWoxK3Ec8wz__>"),
}
TEXTS = {name: content for name, content in SEEN.items() if content.modality == "text"}
SAME = {"exact": 0.999999, "default": 0.9998}  # cosine
NEAR_VL, NEAR_TEXT = {"exact": 3e-3, "default": 1e-2}, {"exact": 2e-4, "default": 1e-3}  # scores
MARKED = "‹__media__› and <__media_xjPe3uyUEQeKUYUTLDkZyYWoxK3Ec8wz__>"  # as it is read


@pytest.fixture(scope="session")
def gguf(checkpoints, tmp_path_factory):
    """`gguf("vl-embedder")`: the file of that checkpoint, with its mmproj beside it."""

    @cache
    def file(which, kind="F32", appends=None):
        return gguf_files.convert(tiny.make(which, checkpoints), tmp_path_factory.mktemp("gguf"), kind, appends=appends)

    return file


@pytest.fixture(scope="module")
def serve(gguf, tmp_path_factory):
    """`serve("vl-embedder", "exact")`: the one server of it, while this module runs: together they take 3.5 GB."""
    with ExitStack() as stack:

        @cache
        def start(which, how):
            log = tmp_path_factory.mktemp(which) / "log"
            return stack.enter_context(llama(gguf(which), log, *(EXACT if how == "exact" else ())))

        yield start


@pytest.fixture(scope="module", params=["exact", "default"])
def how(request):
    return request.param


@pytest.fixture(scope="module")
def right(checkpoints):
    folder = tiny.make("vl-embedder", checkpoints)

    @cache
    def vector(name, instruction, dim=0):
        images, _ = decoded(SEEN[name])
        text = MARKED if name == "a marker" else SEEN[name].text
        return oracle.embed_vl(folder, instruction, text, images, dim=dim)

    return vector


# ---- Qwen3-VL-Embedding ---------------------------------------------------------------------------


@pytest.mark.parametrize("role", TOLD)
def test_a_vl_vector_is_that_of_the_published_format(serve, right, how, role):
    names = [name for name in SEEN if role == "document" or name not in ("long", "large")]  # which take seconds
    vectors = ServerEmbedder(serve("vl-embedder", how).choice()).embed([SEEN[name] for name in names], role=role)
    cosines = {name: float(vector @ right(name, TOLD[role])) for name, vector in zip(names, vectors, strict=True)}
    assert min(cosines.values()) >= SAME[how], cosines


def test_short_vectors_are_cut_first_and_brought_to_length_after(serve, right):
    embedder = ServerEmbedder(serve("vl-embedder", "exact").choice(dim=64))
    for vector, name in zip(embedder.embed([SEEN["text"], SEEN["image"]], role="document"), ["text", "image"], strict=True):
        assert vector.shape == (64,)
        assert vector @ right(name, TOLD["document"], 64) >= SAME["exact"]


def test_the_fingerprint_holds_the_types_of_weights_and_mmproj(serve, gguf, right, tmp_path):
    made = ServerEmbedder(serve("vl-embedder", "exact").choice())
    assert made.fingerprint == Fingerprint(
        "Qwen3-VL-Embedding-tiny-F32",
        "GGUF F32, mmproj F32",
        tiny.HIDDEN,
        TOLD["document"],
        "qwen3-vl prompts 1, ≤ 1310720 pixels",
    )
    with llama(gguf("vl-embedder", "Q8_0"), tmp_path / "log") as server:
        quantised = ServerEmbedder(server.choice())
        assert quantised.fingerprint.revision == "GGUF Q8_0, mmproj F32"
        vectors = quantised.embed([SEEN["text"], SEEN["image and text"]], role="document")
    assert 0.99 < min(vectors[0] @ right("text", TOLD["document"]), vectors[1] @ right("image and text", TOLD["document"])) < 1


def test_a_video_is_refused_with_the_reason_and_costs_no_other_content(serve, right):
    embedder = ServerEmbedder(serve("vl-embedder", "exact").choice())
    with pytest.raises(ContentRefused) as raised:
        embedder.embed([CONTENTS["text"], CONTENTS["video"], CONTENTS["image"]], role="document")
    assert list(raised.value.reasons) == [1]
    assert "4 frames a second" in raised.value.reasons[1]
    for vector, name in zip(raised.value.others, ["text", "image"], strict=True):
        assert vector @ right(name, TOLD["document"]) >= SAME["exact"]


def test_a_server_that_was_started_again_with_another_marker_is_asked_with_it(gguf, right, tmp_path):
    with llama(gguf("vl-embedder"), tmp_path / "log", *EXACT) as first:
        embedder = ServerEmbedder(first.choice())
        port = int(first.url.rpartition(":")[2])
        assert embedder.embed([SEEN["image"]], role="document")[0] @ right("image", TOLD["document"]) >= SAME["exact"]
    with llama(gguf("vl-embedder"), tmp_path / "log", *EXACT, port=port):
        assert embedder.embed([SEEN["image"]], role="document")[0] @ right("image", TOLD["document"]) >= SAME["exact"]


def test_a_gguf_that_appends_no_end_gets_it_written(gguf, right, tmp_path):
    with llama(gguf("vl-embedder", appends=False), tmp_path / "log", *EXACT) as server:
        vectors = ServerEmbedder(server.choice()).embed([SEEN["text"], SEEN["image"]], role="document")
    assert vectors[0] @ right("text", TOLD["document"]) >= SAME["exact"]
    assert vectors[1] @ right("image", TOLD["document"]) >= SAME["exact"]


def test_a_text_longer_than_a_slot_is_cut(gguf, checkpoints, tmp_path):
    with llama(gguf("text-embedder"), tmp_path / "log", length=256) as server:
        long = Content("text", text="the crane of the harbour " * 200)
        [vector] = ServerEmbedder(server.choice()).embed([long], role="document")
    whole = oracle.embed_text(tiny.make("text-embedder", checkpoints), long.text)
    assert 0 < vector @ whole < 0.9999


def test_a_picture_without_a_mmproj_is_an_error(gguf, tmp_path):
    with llama(gguf("vl-embedder"), tmp_path / "log", "--mmproj", "") as server:
        embedder = ServerEmbedder(server.choice(model=server.name))
        with pytest.raises(BackendError, match="no mmproj is loaded"):
            embedder.embed([SEEN["image"]], role="document")


def test_the_name_of_the_original_is_refused_because_its_vectors_are_others(serve):
    server = serve("text-embedder", "exact")
    with pytest.raises(BackendError) as raised:
        ServerEmbedder(server.choice(model="Qwen3-Embedding-tiny", family="qwen3")).embed([SEEN["text"]], role="query")
    assert "serves Qwen3-Embedding-tiny-F32, not Qwen3-Embedding-tiny" in raised.value.what


# ---- Qwen3-Embedding ------------------------------------------------------------------------------


def test_a_text_vector_is_that_of_the_published_format(serve, checkpoints, how):
    embedder = ServerEmbedder(serve("text-embedder", how).choice())
    folder = tiny.make("text-embedder", checkpoints)
    assert embedder.fingerprint.revision == "GGUF F32"
    for role, before in {"document": "", "query": f"Instruct: {WEB}\nQuery:"}.items():
        texts = {
            name: one for name, one in TEXTS.items() if name not in ("empty", "a marker") and (name, role) != ("long", "query")
        }
        for vector, content in zip(embedder.embed(list(texts.values()), role=role), texts.values(), strict=True):
            assert vector @ oracle.embed_text(folder, before + content.text) >= 0.9999


# ---- rerankers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["text", "image and text"])
def test_a_vl_score_is_that_of_the_published_format(serve, checkpoints, how, query):
    folder = tiny.make("vl-reranker", checkpoints)
    names = [name for name in SEEN if name not in ("long", "a marker") and (query == "text" or name != "large")]
    scores = ServerReranker(serve("vl-reranker", how).choice()).score(SEEN[query], [SEEN[name] for name in names])

    def side(name):
        images, _ = decoded(SEEN[name])
        return oracle.IMAGE * len(images) + normalize("NFC", SEEN[name].text) or "NULL", images

    asked, shown = side(query)
    expected = [oracle.score_vl(folder, JUDGING, asked, side(name)[0], [*shown, *side(name)[1]]) for name in names]
    assert scores == pytest.approx(expected, abs=NEAR_VL[how])
    assert max(expected) - min(expected) > 0.1


def test_a_text_score_is_that_of_the_published_format(serve, checkpoints, how):
    folder = tiny.make("text-reranker", checkpoints)
    texts = {name: one for name, one in TEXTS.items() if name not in ("a marker", "long")}
    reranker = ServerReranker(serve("text-reranker", how).choice())
    scores = reranker.score(SEEN["chinese"], list(texts.values()))
    expected = [oracle.score_text(folder, WEB, SEEN["chinese"].text, one.text) for one in texts.values()]
    assert scores == pytest.approx(expected, abs=NEAR_TEXT[how])
    own = ServerReranker(serve("text-reranker", how).choice(rerank_instruction="Find the harbour"))
    [score] = own.score(SEEN["chinese"], [SEEN["text"]])
    told = oracle.score_text(folder, "Find the harbour", SEEN["chinese"].text, SEEN["text"].text)
    assert score == pytest.approx(told, abs=NEAR_TEXT[how])


def test_a_reranker_refuses_videos_with_the_reason(serve):
    reranker = ServerReranker(serve("vl-reranker", "exact").choice())
    with pytest.raises(ContentRefused) as raised:
        reranker.score(SEEN["text"], [CONTENTS["video"], CONTENTS["text"]])
    assert list(raised.value.reasons) == [0]
    assert len(raised.value.others) == 1
    with pytest.raises(BackendError, match="4 frames a second"):
        reranker.score(CONTENTS["video"], [CONTENTS["text"]])


def test_a_reranker_needs_the_gguf_that_the_server_runs(serve, gguf, monkeypatch):
    server = serve("text-reranker", "exact")
    monkeypatch.setattr("rag.backends.server.llamacpp.reranking.LOCAL", ())  # as if it ran on another machine
    with pytest.raises(BackendError, match="the file is not on this machine"):
        ServerReranker(server.choice()).score(SEEN["text"], [SEEN["chinese"]])
    named = ServerReranker(server.choice(model=str(gguf("text-reranker"))))
    assert 0 < named.score(SEEN["text"], [SEEN["chinese"]])[0] < 1
    with pytest.raises(BackendError, match="serves Qwen3-Reranker-tiny-F32, not"):
        ServerReranker(server.choice(model=str(gguf("vl-reranker")))).score(SEEN["text"], [SEEN["chinese"]])


@pytest.mark.parametrize("kind", ["F16", "Q8_0"])
def test_the_two_rows_are_read_from_quantised_weights(gguf, checkpoints, tmp_path, kind):
    with llama(gguf("text-reranker", kind), tmp_path / "log") as server:
        [score] = ServerReranker(server.choice()).score(SEEN["text"], [SEEN["chinese"]])
    folder = tiny.make("text-reranker", checkpoints)
    assert score == pytest.approx(oracle.score_text(folder, WEB, SEEN["text"].text, SEEN["chinese"].text), abs=0.03)


def test_the_key_is_asked_for(serve):
    server = serve("text-embedder", "exact")
    with pytest.raises(BackendError, match="Invalid API Key"):
        ServerEmbedder(replace(server.choice(), api_key="another")).embed([SEEN["text"]], role="query")


def test_the_formats_tell_apart(right):
    """The proof is worth something: another content or role gives another vector."""
    vectors = np.stack([right(name, TOLD["document"]) for name in SEEN])
    assert (vectors @ vectors.T - np.eye(len(vectors))).max() < 0.999
