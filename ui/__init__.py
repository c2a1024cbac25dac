"""The web page of `rag ui`, and its parts for other Gradio applications: `from ui import Results, search_page`.

Importing it loads nothing: a name loads its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ui.blocks import search_page
    from ui.components.ask_box import AskBox
    from ui.components.index_panel import IndexPanel
    from ui.components.results import Results
    from ui.components.search_bar import SearchBar
    from ui.components.top_bar import TopBar
    from ui.components.viewer import Viewer
    from ui.connection import Connection, in_process, over_http
    from ui.values import chat_messages, found_value

_HOMES = {
    "AskBox": "ui.components.ask_box",
    "Connection": "ui.connection",
    "IndexPanel": "ui.components.index_panel",
    "Results": "ui.components.results",
    "SearchBar": "ui.components.search_bar",
    "TopBar": "ui.components.top_bar",
    "Viewer": "ui.components.viewer",
    "chat_messages": "ui.values",
    "found_value": "ui.values",
    "in_process": "ui.connection",
    "over_http": "ui.connection",
    "search_page": "ui.blocks",
}
__all__ = [
    "AskBox",
    "Connection",
    "IndexPanel",
    "Results",
    "SearchBar",
    "TopBar",
    "Viewer",
    "chat_messages",
    "found_value",
    "in_process",
    "over_http",
    "search_page",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ui' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
