"""The Haystack component, in process and over HTTP, in a pipeline that is saved and loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from haystack import Pipeline
from haystack.components.builders import PromptBuilder

from rag.adapters.haystack import RagRetriever


@pytest.mark.parametrize("over_http", [False, True])
def test_documents_have_content_score_meta_and_pictures(index: Path, server: str, over_http: bool) -> None:
    where = {"url": server} if over_http else {"index": str(index)}
    [first] = RagRetriever(**where).run("when does the ferry sail", top_k=1)["documents"]
    assert "08:15" in first.content and first.meta["document"] == "ferry.md" and 0 < first.score <= 1
    sign, *_ = RagRetriever(**where, kinds=["image", "screenshot"], pictures=True).run("lost seal")["documents"]
    assert sign.blob.mime_type == "image/jpeg" and sign.blob.data.startswith(b"\xff\xd8")


def test_it_runs_in_a_pipeline_that_is_saved_and_loaded(index: Path) -> None:
    pipeline = Pipeline()
    pipeline.add_component("retriever", RagRetriever(index=str(index), top_k=1, kinds=["text"]))
    template = "{% for one in documents %}{{ one.content }}{% endfor %} {{ question }}"
    pipeline.add_component("prompt", PromptBuilder(template=template, required_variables="*"))
    pipeline.connect("retriever.documents", "prompt.documents")
    asked = {"retriever": {"query": "harbour dues"}, "prompt": {"question": "how much?"}}
    saved = pipeline.dumps()
    for one in (pipeline, Pipeline.loads(saved, allowed_modules=["rag.adapters.haystack"])):
        assert one.run(asked)["prompt"]["prompt"] == "Harbour dues were raised by nine percent in the winter. how much?"
    assert "RAG_TOKEN" in saved
