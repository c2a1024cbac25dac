"""LangChain: `RagRetriever`, a `BaseRetriever` over an index here or a running `rag ui`. Needs the extra `langchain`.

    from rag.adapters.langchain import RagRetriever
    documents = RagRetriever(index="team", k=5).invoke("harbour dues in winter")

Knows LangChain's documents; knows no index.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from rag.adapters.retrieval import PICTURE_TYPE, Retrieval, Retrieved
from rag.search.options import SearchOptions
from rag.types import Kind


class RagRetriever(BaseRetriever):
    """Documents with the full text of each hit; their metadata is the JSON of the hit, with `source`, and with `pictures` a
    `picture`: a data URL, as chat models take it.
    """

    index: str | list[str] = ""  # names or folders; several are searched as one
    url: str = ""  # a running `rag ui` instead of this process
    token: str = ""
    k: int = 10
    kinds: Sequence[Kind] = ()
    paths: Sequence[str] = ()
    roots: Sequence[str] = ()
    after: str | None = None
    before: str | None = None
    pictures: bool = False
    settings: dict[str, Any] = {}  # as for `rag.open_index`  # noqa: RUF012 (a field of pydantic, copied for each instance)

    @cached_property
    def retrieval(self) -> Retrieval:
        """What searches; opened by the first question."""
        indexes = [self.index] if isinstance(self.index, str) and self.index else list(self.index)
        options = SearchOptions(
            kinds=self.kinds, paths=self.paths, roots=self.roots, after=self.after, before=self.before, top_k=self.k
        )
        return Retrieval(indexes, self.url, self.token, options, pictures=self.pictures, **self.settings)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        return [_document(one) for one in self.retrieval.search(query, k)]


def _document(found: Retrieved) -> Document:
    picture = found.picture
    shown = {"picture": f"data:{PICTURE_TYPE};base64,{b64encode(picture).decode('ascii')}"} if picture else {}
    return Document(page_content=found.text, metadata=found.metadata | shown, id=found.hit.id)
