"""The Gradio components of the page, one a file; `ui` exports them by name. Importing this loads none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio.components.base import Component


def every_component() -> list[type[Component]]:
    """The classes of all components."""
    from ui.components.ask_box import AskBox
    from ui.components.index_panel import IndexPanel
    from ui.components.results import Results
    from ui.components.search_bar import SearchBar
    from ui.components.top_bar import TopBar
    from ui.components.viewer import Viewer

    return [AskBox, IndexPanel, Results, SearchBar, TopBar, Viewer]
