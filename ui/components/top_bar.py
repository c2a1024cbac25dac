"""A Gradio component: the bar on top: language, colours, keys. Its value is the tab that the address names.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/top_bar`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.events import Dependency, EventListener

from ui.components.json_component import JsonComponent


class TopBar(JsonComponent):
    """Name, language, colours and the list of keys.

    The value is a dict: `tab`, which the address of the page names, `language`, "en" or "zh", and `settled`: false until the tab
    that a link names is chosen. Set it when another tab is chosen, and the address follows.
    """

    EVENTS: ClassVar[list[EventListener | str]] = [
        EventListener(
            "change", doc="Triggered at the start, and when the address names another tab: back, forward, or the key `/`."
        ),
    ]
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"tab": "search", "language": "en", "settled": True}
    TEMPLATE_DIR = "templates/top_bar"
    FRONTEND_DIR = "../../frontend/src/top_bar"

    if TYPE_CHECKING:  # Gradio makes a method of every event
        change: Callable[..., Dependency]
