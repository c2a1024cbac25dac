"""The published examples of the four systems, offline and online, on tiny checkpoints, beside what this program gives.

The requests are typed from the guides of vLLM Ascend (Qwen3-VL-Embedding, Qwen3-VL-Reranker, Qwen3-Reranker), from vLLM's
examples/pooling and from the model card of Qwen3-VL-Embedding, wrapped once; the pictures are ours. Where an example leaves out
what the model was trained on, that is a test too: deploy/README.md tells its users what changes.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from rag.backends import media
from rag.backends.base import Choice
from rag.backends.families import FAMILIES
from rag.backends.prompts import template_file
from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.reranker import ServerReranker
from rag.types import Content
from tests.models import checkpoints as tiny
from tests.models import engines, oracle
from tests.models.samples import decoded, painted

SAME, NEAR = 0.9999, 1e-3
TOLD = "Represent the user's input."
TASK = "Given a web search query, retrieve relevant passages that answer the query"
SEARCH = "Given a search query, retrieve relevant candidates that answer the query."
QUERIES = ["What is the capital of China?", "Explain gravity"]
DOCUMENTS = [
    "The capital of China is Beijing.",
    "Gravity is a force that attracts two bodies towards each other. It gives weight to physical objects and is responsible for "
    "the movement of planets around the sun.",
]
BEACH = "A woman playing with her dog on a beach at sunset."
CAPTION = (
    "A woman shares a joyful moment with her golden retriever on a sun-drenched beach at sunset, as the dog offers its paw in a "
    "heartwarming display of companionship and trust."
)
PHOTO, FILM = painted(120, 160, 51), tuple(painted(64, 96, seed) for seed in range(60, 66))
PLACEHOLDER = "<|vision_start|><|image_pad|><|vision_end|>"
INPUTS = {
    "text": Content("text", text=CAPTION),
    "image": Content("image", pixels=(PHOTO,)),
    "image and text": Content("image", text=CAPTION, pixels=(PHOTO,)),
}
PREFIX = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
SUFFIX_VL = "<|im_end|>\n<|im_start|>assistant\n"


def words(text: str) -> Content:
    return Content("text", text=text)


def template(family: str) -> str:
    return template_file(FAMILIES[family]).read_text("utf-8")


def vector_of(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    vector = np.array(answer.json()["data"][0]["embedding"])
    return vector / np.linalg.norm(vector)


def scores_of(answer) -> list[float]:
    """Scores in the order of the documents, from /rerank and from /score."""
    assert answer.status_code == 200, answer.text
    told = answer.json()
    rows = sorted(told.get("results") or told["data"], key=lambda row: row["index"])
    return [row.get("relevance_score", row.get("score")) for row in rows]


def at_server(kind, served, which: str, **choice):
    """This program's model at the server of that checkpoint."""
    server = engines.answering(served(which))
    return server, kind(Choice(model=server.name, urls=(server.url,), **choice))


# ---- Qwen3-VL-Embedding -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def embedding_engine(checkpoints):
    with engines.embedding("vllm", tiny.make("vl-embedder", checkpoints), None) as made:
        yield made


@pytest.mark.parametrize("name", INPUTS)
def test_qwen3_vl_embedding_online(served, name):
    """vLLM's vision_embedding_online.py, with what the guide of the model asks for: a system turn and both flags."""
    server, ours = at_server(ServerEmbedder, served, "vl-embedder")
    content = INPUTS[name]
    parts = [*media.media_parts(content), *([{"type": "text", "text": content.text}] if content.text else [])]
    asked = {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": TOLD}]},
            {"role": "user", "content": parts},
        ],
        "encoding_format": "float",
    }
    once = vector_of(server.post("/v1/embeddings", {**asked, "add_generation_prompt": True, "add_special_tokens": True}))
    [vector] = ours.embed([content], role="document")
    assert vector @ once >= SAME
    assert vector @ vector_of(server.post("/v1/embeddings", asked)) < 0.9  # without the flags, as published


@pytest.mark.parametrize("name", INPUTS)
def test_qwen3_vl_embedding_online_as_published_is_something_else(served, name):
    """A user turn alone, and a placeholder of the picture in its text."""
    server, ours = at_server(ServerEmbedder, served, "vl-embedder")
    content = INPUTS[name]
    said = "\n".join(part for part in (PLACEHOLDER * len(content.pixels), content.text) if part)
    parts = [*media.media_parts(content), {"type": "text", "text": said}]
    published = vector_of(
        server.post("/v1/embeddings", {"messages": [{"role": "user", "content": parts}], "encoding_format": "float"})
    )
    assert ours.embed([content], role="document")[0] @ published < 0.9


def test_qwen3_vl_embedding_online_curl(served):
    """The guide's `curl` sends bare texts. This program does the same where the model is said to be a plain one."""
    server, bare = at_server(ServerEmbedder, served, "vl-embedder", family="plain-embedding")
    answer = server.post("/v1/embeddings", {"input": DOCUMENTS}).json()
    published = np.array([row["embedding"] for row in answer["data"]])
    contents = [words(text) for text in DOCUMENTS]
    assert np.einsum("nd,nd->n", bare.embed(contents, role="document"), published).min() >= SAME
    _, ours = at_server(ServerEmbedder, served, "vl-embedder")
    assert np.einsum("nd,nd->n", ours.embed(contents, role="document"), published).max() < 0.9


@pytest.mark.long
@pytest.mark.parametrize("name", INPUTS)
def test_qwen3_vl_embedding_offline(embedding_engine, name):
    """The model card's `prepare_vllm_inputs`: the chat template with a generation prompt, the pictures beside it, `LLM.embed`."""
    engine, content = embedding_engine._loaded, INPUTS[name]
    images, _ = decoded(content)
    said = [{"type": "image", "image": image} for image in images] + (
        [{"type": "text", "text": content.text}] * bool(content.text)
    )
    turns = [{"role": "system", "content": [{"type": "text", "text": TOLD}]}, {"role": "user", "content": said}]
    prompt = engine.get_tokenizer().apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    seen = {"multi_modal_data": {"image": media.picture(PHOTO)}} if images else {}
    published = np.array(engine.embed([{"prompt": prompt, **seen}], use_tqdm=False)[0].outputs.embedding)
    assert embedding_engine.embed([content], role="document")[0] @ published >= SAME


@pytest.mark.long
def test_qwen3_vl_embedding_offline_texts(embedding_engine):
    """The guide's `model.embed(queries + documents)`: bare texts, as this program sends them for a plain model."""
    queries = [f"Instruct: {TASK}\nQuery: {query}" for query in QUERIES]
    outputs = embedding_engine._loaded.embed([*queries, *DOCUMENTS], use_tqdm=False)
    published = np.array([output.outputs.embedding for output in outputs])
    bare = engines.told(embedding_engine, family="plain-embedding", query_instruction=f"Instruct: {TASK}\nQuery: ")
    asked, answered = (
        bare.embed([words(text) for text in texts], role=role) for texts, role in ((QUERIES, "query"), (DOCUMENTS, "document"))
    )
    assert np.einsum("nd,nd->n", np.vstack([asked, answered]), published).min() >= SAME


# ---- Qwen3-VL-Reranker --------------------------------------------------------------------------


TEXT_PART = {"type": "text", "text": CAPTION}
IMAGE_PART = media.media_parts(Content("image", pixels=(PHOTO,)))[0]
VIDEO_PART = media.media_parts(Content("video", pixels=FILM))[0]
BESIDE_EACH_OTHER = {  # the documents of vision_rerank_api_online.py and vision_reranker_offline.py, and the same contents here
    "string": ([CAPTION], [words(CAPTION)]),
    "text": ({"content": [TEXT_PART]}, [words(CAPTION)]),
    "image base64": ({"content": [IMAGE_PART]}, [Content("image", pixels=(PHOTO,))]),
    "video": ({"content": [VIDEO_PART]}, [Content("video", pixels=FILM)]),
    "text + image": ({"content": [TEXT_PART, IMAGE_PART]}, [INPUTS["image and text"]]),  # vLLM puts the picture first
    "list": (
        [CAPTION, {"content": [TEXT_PART]}, {"content": [IMAGE_PART]}, {"content": [TEXT_PART, IMAGE_PART]}],
        [words(CAPTION), words(CAPTION), INPUTS["image"], INPUTS["image and text"]],
    ),
}


@pytest.fixture(scope="module")
def vl_reranking_engine(checkpoints):
    with engines.reranking("vllm", tiny.make("vl-reranker", checkpoints), None) as made:
        yield made


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/score"])
@pytest.mark.parametrize("name", BESIDE_EACH_OTHER)
def test_qwen3_vl_reranker_online(served, path, name):
    """vision_rerank_api_online.py and vision_score_api_online.py."""
    server, ours = at_server(ServerReranker, served, "vl-reranker")
    documents, contents = BESIDE_EACH_OTHER[name]
    asked = {"queries" if path == "/score" else "query": BEACH, "documents": documents}
    assert ours.score(words(BEACH), contents) == pytest.approx(scores_of(server.post(path, asked)), abs=NEAR)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in BESIDE_EACH_OTHER if name != "video"])
def test_qwen3_vl_reranker_offline(vl_reranking_engine, name):
    """vision_reranker_offline.py: `LLM.score(query, documents, chat_template=…)`."""
    documents, contents = BESIDE_EACH_OTHER[name]
    outputs = vl_reranking_engine._loaded.score(BEACH, documents, chat_template=template("qwen3-vl-reranker"), use_tqdm=False)
    published = [output.outputs.score for output in outputs]
    assert vl_reranking_engine.score(words(BEACH), contents) == pytest.approx(published, abs=NEAR)


def test_qwen3_vl_reranker_online_curl(served):
    """The guide's `curl`: plain query and documents."""
    server, ours = at_server(ServerReranker, served, "vl-reranker")
    published = scores_of(server.post("/v1/rerank", {"query": QUERIES[0], "documents": DOCUMENTS}))
    assert ours.score(words(QUERIES[0]), [words(text) for text in DOCUMENTS]) == pytest.approx(published, abs=NEAR)


def test_qwen3_vl_reranker_wrapped_by_the_client_as_well(served):
    """The guide's first version: the client formats, and the server's template does so again. Many more tokens, other scores."""
    server, ours = at_server(ServerReranker, served, "vl-reranker")
    plain = server.post("/v1/rerank", {"query": QUERIES[0], "documents": DOCUMENTS})
    query = f"{PREFIX}<Instruct>: {SEARCH}\n<Query>: {QUERIES[0]}\n"
    twice = server.post("/v1/rerank", {"query": query, "documents": [f"<Document>: {text}{SUFFIX_VL}" for text in DOCUMENTS]})
    assert twice.json()["usage"]["prompt_tokens"] > 1.5 * plain.json()["usage"]["prompt_tokens"]
    once = np.array(ours.score(words(QUERIES[0]), [words(text) for text in DOCUMENTS]))
    assert np.abs(once - scores_of(twice)).max() > 10 * NEAR


# ---- Qwen3-Reranker -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reranking_engine(checkpoints):
    with engines.reranking("vllm", tiny.make("text-reranker", checkpoints), None) as made:
        yield made


def pairs(reranker) -> list[float]:
    """The score of each query with the document at its place."""
    return [reranker.score(words(query), [words(text)])[0] for query, text in zip(QUERIES, DOCUMENTS, strict=True)]


@pytest.mark.long
def test_qwen3_reranker_offline(reranking_engine):
    """vLLM's qwen3_reranker_offline.py: `LLM.score(queries, documents, chat_template=…)`."""
    outputs = reranking_engine._loaded.score(QUERIES, DOCUMENTS, chat_template=template("qwen3-reranker"), use_tqdm=False)
    assert pairs(reranking_engine) == pytest.approx([output.outputs.score for output in outputs], abs=NEAR)


@pytest.mark.long
def test_qwen3_reranker_offline_wrapped_by_the_client(reranking_engine):
    """The guide of vLLM Ascend, with its `<think>` tail, where nothing wraps again: the strings are joined as they are."""
    joined = "{{ messages[0].content }}{{ messages[1].content }}"
    query = f"{PREFIX}<Instruct>: {TASK}\n<Query>: {QUERIES[0]}\n"
    documents = [f"<Document>: {text}{SUFFIX}" for text in DOCUMENTS]
    outputs = reranking_engine._loaded.score(query, documents, chat_template=joined, use_tqdm=False)
    published = [output.outputs.score for output in outputs]
    assert reranking_engine.score(words(QUERIES[0]), [words(text) for text in DOCUMENTS]) == pytest.approx(published, abs=NEAR)


def test_qwen3_reranker_online(served):
    """vLLM's qwen3_reranker_online.py: POST /score with as many queries as documents."""
    server, ours = at_server(ServerReranker, served, "text-reranker")
    published = scores_of(server.post("/score", {"queries": QUERIES, "documents": DOCUMENTS}))
    assert pairs(ours) == pytest.approx(published, abs=NEAR)


def test_qwen3_reranker_online_wrapped_by_the_client_as_well(served):
    """The guide of vLLM Ascend at a server with a template: stop wrapping."""
    server, ours = at_server(ServerReranker, served, "text-reranker")
    query = f"{PREFIX}<Instruct>: {TASK}\n<Query>: {QUERIES[0]}\n"
    twice = scores_of(
        server.post("/v1/rerank", {"query": query, "documents": [f"<Document>: {text}{SUFFIX}" for text in DOCUMENTS]})
    )
    once = np.array(ours.score(words(QUERIES[0]), [words(text) for text in DOCUMENTS]))
    assert np.abs(once - twice).max() > 10 * NEAR


@pytest.mark.long
def test_the_reranker_on_port_8012(checkpoints, tmp_path):
    """`rag serve reranker --port 8012` with a key, asked as FastGPT asks: model, query and documents, nothing else."""
    folder = tiny.make("text-reranker", checkpoints)
    port = 8012 if engines.is_free(8012) else engines.free_port()
    with engines.serving("text-reranker", folder, tmp_path / "log", port=port, key="secret") as started:
        server = engines.answering(started)
        answer = server.post("/v1/rerank", {"query": QUERIES[0], "documents": DOCUMENTS})
        for row in answer.json()["results"]:
            assert row["document"]["text"] == DOCUMENTS[row["index"]]
        ours = ServerReranker(Choice(model=server.name, urls=(server.url,), api_key="secret"))
        assert ours.score(words(QUERIES[0]), [words(text) for text in DOCUMENTS]) == pytest.approx(scores_of(answer), abs=NEAR)
        server.key = "wrong"
        assert server.post("/v1/rerank", {"query": QUERIES[0], "documents": DOCUMENTS}).status_code == 401
        assert json.dumps("secret") not in server.log.read_text("utf-8")


# ---- what this program does beside the examples -------------------------------------------------


def test_a_text_longer_than_the_server_reads_is_cut_and_the_others_are_embedded(checkpoints, tmp_path):
    folder = tiny.make("text-embedder", checkpoints)
    with engines.serving("text-embedder", folder, tmp_path / "log", extra=("--max-model-len", "256")) as started:
        server = engines.answering(started)
        ours = ServerEmbedder(Choice(model=server.name, urls=(server.url,)))
        long = " ".join(f"crane {number}" for number in range(400))
        vectors = ours.embed([words(DOCUMENTS[0]), words(long), words(DOCUMENTS[1])], role="document")
        assert vectors[0] @ oracle.embed_text(folder, DOCUMENTS[0]) >= SAME
        assert vectors[2] @ oracle.embed_text(folder, DOCUMENTS[1]) >= SAME
        refused = server.post("/v1/embeddings", {"input": [long]})
        assert refused.status_code == 400
        assert "256" in refused.text


def test_all_frames_of_a_film_reach_a_server_of_rag_serve(served):
    """vLLM takes 32 frames of a `video/jpeg` unless told otherwise, and drops the rest without a word."""
    server = engines.answering(served("vl-embedder"))

    def tokens(count: int) -> int:
        url = "data:video/jpeg;base64," + ",".join(
            media.image_url(painted(64, 64, seed)).partition(",")[2] for seed in range(count)
        )
        said = [{"role": "user", "content": [{"type": "video_url", "video_url": {"url": url}}]}]
        return server.post("/v1/embeddings", {"messages": said}).json()["usage"]["prompt_tokens"]

    assert tokens(64) > 1.8 * tokens(32) > 3 * tokens(16)
