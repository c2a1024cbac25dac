"""One index and one ranked list over text, PDFs, images, screenshots and videos.

    import rag
    rag.build_index("~/Documents")
    for hit in rag.open_index().query("harbour at night"):
        print(hit.score, hit.path, hit.locator)

Knows the public names and where each lives, and nothing else: importing this loads no model, no FAISS and no decoder; a name is
imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.client import Client, connect
    from rag.config import Settings, load_settings
    from rag.errors import RagError
    from rag.indexing.build import build_index
    from rag.indexing.remove import remove_documents
    from rag.indexing.report import Report
    from rag.indexing.spaces import add_model, drop_model
    from rag.search.federated import open_index
    from rag.search.searcher import Searcher
    from rag.serialization import hit_json
    from rag.types import Filters, Hit

__version__ = "0.1.0"
_HOMES = {
    "Client": "rag.client",
    "Filters": "rag.types",
    "Hit": "rag.types",
    "RagError": "rag.errors",
    "Report": "rag.indexing.report",
    "Searcher": "rag.search.searcher",
    "Settings": "rag.config",
    "add_model": "rag.indexing.spaces",
    "build_index": "rag.indexing.build",
    "connect": "rag.client",
    "drop_model": "rag.indexing.spaces",
    "hit_json": "rag.serialization",
    "load_settings": "rag.config",
    "open_index": "rag.search.federated",
    "remove_documents": "rag.indexing.remove",
}
__all__ = [
    "Client",
    "Filters",
    "Hit",
    "RagError",
    "Report",
    "Searcher",
    "Settings",
    "add_model",
    "build_index",
    "connect",
    "drop_model",
    "hit_json",
    "load_settings",
    "open_index",
    "remove_documents",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'rag' has no attribute {name!r}")
