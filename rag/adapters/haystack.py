"""Haystack: `RagRetriever`, a component over an index here or a running `rag ui`. Needs the extra `haystack`.

    from rag.adapters.haystack import RagRetriever
    documents = RagRetriever(index="team", top_k=5).run(query="harbour dues in winter")["documents"]

Knows Haystack's documents and pipelines; knows no index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from haystack import Document, component, default_from_dict, default_to_dict
from haystack.dataclasses import ByteStream
from haystack.utils import Secret, deserialize_secrets_inplace

from rag.adapters.retrieval import PICTURE_TYPE, Retrieval, Retrieved
from rag.search.options import SearchOptions
from rag.types import Kind

NO_TOKEN = Secret.from_env_var("RAG_TOKEN", strict=False)


@component
class RagRetriever:
    """Documents with the full text of each hit, its JSON as `meta`, its score, and with `pictures` its picture as `blob`."""

    def __init__(
        self,
        index: str | list[str] = "",
        url: str = "",
        token: Secret = NO_TOKEN,
        top_k: int = 10,
        kinds: Sequence[Kind] = (),
        paths: Sequence[str] = (),
        roots: Sequence[str] = (),
        pictures: bool = False,
        settings: dict[str, Any] | None = None,
    ) -> None:
        """`url`: a running `rag ui` instead of this process; `token`: its key; `settings` as for `rag.open_index`."""
        self.index, self.url, self.token, self.top_k = index, url, token, top_k
        self.kinds, self.paths, self.roots = list(kinds), list(paths), list(roots)
        self.pictures, self.settings = pictures, settings or {}
        indexes = [index] if isinstance(index, str) and index else list(index)
        options = SearchOptions(kinds=self.kinds, paths=self.paths, roots=self.roots, top_k=top_k)
        key = token.resolve_value() or "" if url else ""
        self.retrieval = Retrieval(indexes, url, str(key), options, pictures=pictures, **self.settings)

    @component.output_types(documents=list[Document])
    def run(self, query: str, top_k: int | None = None) -> dict[str, list[Document]]:
        """`{"documents": [...]}`, best first. Errors as `Retrieval.search`."""
        return {"documents": [_document(one) for one in self.retrieval.search(query, top_k)]}

    def to_dict(self) -> dict[str, Any]:
        """What a saved pipeline keeps of it; the key only by the name of its variable."""
        names = ("index", "url", "top_k", "kinds", "paths", "roots", "pictures", "settings")
        saved: dict[str, Any] = default_to_dict(self, token=self.token.to_dict(), **{name: getattr(self, name) for name in names})
        return saved

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RagRetriever:
        """The component that `to_dict` saved."""
        deserialize_secrets_inplace(data["init_parameters"], keys=["token"])
        made: RagRetriever = default_from_dict(cls, data)
        return made


def _document(found: Retrieved) -> Document:
    blob = ByteStream(found.picture, mime_type=PICTURE_TYPE) if found.picture else None
    return Document(id=found.hit.id, content=found.text, blob=blob, meta=found.metadata, score=found.hit.score)
