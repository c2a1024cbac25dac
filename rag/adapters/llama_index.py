"""LlamaIndex: `RagRetriever`, a `BaseRetriever` over an index here or a running `rag ui`. Needs the extra `llamaindex`.

    from rag.adapters.llama_index import RagRetriever
    nodes = RagRetriever(index="team", top_k=5).retrieve("harbour dues in winter")

Knows LlamaIndex's nodes; knows no index.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import ImageNode, NodeWithScore, QueryBundle, TextNode

from rag.adapters.retrieval import PICTURE_TYPE, Retrieval, Retrieved
from rag.search.options import SearchOptions
from rag.types import Kind

FOR_PEOPLE = ("source", "kind", "document")  # of the metadata, what an embedder or a chat model should read


class RagRetriever(BaseRetriever):
    """Text nodes with the full text of each hit and, with `pictures`, image nodes; the score is the hit's, 0…1."""

    def __init__(
        self,
        index: str | Sequence[str] = "",
        *,
        url: str = "",
        token: str = "",
        top_k: int = 10,
        kinds: Sequence[Kind] = (),
        paths: Sequence[str] = (),
        roots: Sequence[str] = (),
        after: str | None = None,
        before: str | None = None,
        pictures: bool = False,
        callback_manager: CallbackManager | None = None,
        **settings: Any,
    ) -> None:
        """`url`: a running `rag ui` instead of this process; `settings` as for `rag.open_index`."""
        super().__init__(callback_manager=callback_manager)
        indexes = [index] if isinstance(index, str) and index else list(index)
        options = SearchOptions(kinds=kinds, paths=paths, roots=roots, after=after, before=before, top_k=top_k)
        self.retrieval = Retrieval(indexes, url, token, options, pictures=pictures, **settings)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self.retrieval.search(query_bundle.query_str)
        return [NodeWithScore(node=_node(one), score=one.hit.score) for one in found]


def _node(found: Retrieved) -> TextNode:
    metadata = found.metadata
    unread = [key for key in metadata if key not in FOR_PEOPLE]
    told: dict[str, Any] = {
        "id_": found.hit.id,
        "text": found.text,
        "metadata": metadata,
        "excluded_llm_metadata_keys": unread,
        "excluded_embed_metadata_keys": unread,
    }
    if found.picture is None:
        return TextNode(**told)
    return ImageNode(**told, image=b64encode(found.picture).decode("ascii"), image_mimetype=PICTURE_TYPE)
