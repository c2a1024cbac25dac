"""The LangChain retriever, in process and over HTTP, by LangChain's own tests and by ours."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_tests.integration_tests import RetrieversIntegrationTests

from rag.adapters.langchain import RagRetriever


class TestAsLangchainTestsIt(RetrieversIntegrationTests):
    """LangChain's standard tests of a retriever."""

    @pytest.fixture(autouse=True)
    def opened(self, index: Path) -> None:
        self.where = str(index)

    @property
    def retriever_constructor(self) -> type[RagRetriever]:
        return RagRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"index": self.where}

    @property
    def retriever_query_example(self) -> str:
        return "harbour"


@pytest.mark.parametrize("over_http", [False, True])
def test_documents_have_text_metadata_and_pictures(index: Path, server: str, over_http: bool) -> None:
    where = {"url": server} if over_http else {"index": str(index)}
    retriever = RagRetriever(**where, k=2, pictures=True)
    first, *_ = retriever.invoke("when does the ferry sail")
    assert "08:15" in first.page_content and first.metadata["document"] == "ferry.md" and "picture" not in first.metadata
    assert first.metadata["source"].startswith(first.metadata["path"]) and first.id == first.metadata["id"]
    sign, *_ = RagRetriever(**where, kinds=["image", "screenshot"], pictures=True).invoke("lost seal")
    kind, _, data = sign.metadata["picture"].partition(";base64,")
    assert sign.page_content == "A sign about a lost seal in the harbour" and kind == "data:image/jpeg"
    assert base64.b64decode(data).startswith(b"\xff\xd8")


def test_it_is_a_link_of_a_chain(index: Path) -> None:
    chain = RagRetriever(index=str(index), k=1) | RunnableLambda(lambda documents: documents[0].metadata["document"])
    assert chain.invoke("harbour dues") == "dues.txt"
