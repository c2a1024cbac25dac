"""The requests of the `server` backend, compared with golden files."""

import json
import re
from pathlib import Path

import pytest

from tests.faults.fake_server import FakeServer
from tests.unit.server_models import (
    CAPTIONED,
    CHINESE,
    CRANE,
    EMPTY,
    FILM,
    PICTURE,
    PLAIN,
    PLAIN_RERANKER,
    TEXT,
    TEXT_RERANKER,
    UNSEEN,
    VL,
    VL_RERANKER,
    embedder,
    reranker,
)

GOLDEN = Path(__file__).parents[3] / "models/golden/requests"


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
def test_an_embedding_request_equals_its_golden_file(name, model, contents, role, more):
    with FakeServer(model, dim=2048 if model == VL else 1024) as server:
        embedder(server, model, **more).embed(contents, role=role)
        assert recorded(server) == (GOLDEN / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize(("name", "model", "query", "contents", "more"), [(name, *case) for name, case in RERANKS.items()])
def test_a_rerank_request_equals_its_golden_file(name, model, query, contents, more):
    with FakeServer(model) as server:
        reranker(server, model, **more).score(query, contents)
        assert recorded(server) == (GOLDEN / f"{name}.json").read_text("utf-8")
