"""The LlamaIndex retriever, in process and over HTTP, and in a query engine of LlamaIndex."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import ImageNode, MetadataMode, TextNode

from rag.adapters.llama_index import RagRetriever


@pytest.mark.parametrize("over_http", [False, True])
def test_nodes_have_text_score_and_pictures(index: Path, server: str, over_http: bool) -> None:
    where = {"url": server} if over_http else {"index": str(index)}
    first, *_ = RagRetriever(**where, top_k=2).retrieve("when does the ferry sail")
    assert isinstance(first.node, TextNode) and "08:15" in first.text and 0 < (first.score or 0) <= 1
    assert first.metadata["document"] == "ferry.md"
    read = first.node.get_content(MetadataMode.LLM)
    assert "source: " in read and "lanes" not in read
    sign, *_ = RagRetriever(**where, kinds=["image", "screenshot"], pictures=True).retrieve("lost seal")
    assert isinstance(sign.node, ImageNode) and sign.node.image_mimetype == "image/jpeg"
    assert base64.b64decode(sign.node.image or "").startswith(b"\xff\xd8")


def test_it_answers_in_a_query_engine(index: Path) -> None:
    engine = RetrieverQueryEngine(
        RagRetriever(str(index), top_k=1), get_response_synthesizer(llm=MockLLM(), response_mode="compact")
    )
    answer = engine.query("harbour dues")
    assert [one.metadata["document"] for one in answer.source_nodes] == ["dues.txt"] and "nine percent" in str(answer)
