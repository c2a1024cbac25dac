"""A Gradio component: the bar on top: language, colours, keys. Its value is the tab that the address names.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/top_bar`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.components.base import Component
from gradio.events import Dependency, EventListener


class TopBar(Component):
    """Name, language, colours and the list of keys.

    The value is a dict: `tab`, which the address of the page names, `language`, "en" or "zh", and `settled`: false until the tab
    that a link names is chosen. Set it when another tab is chosen, and the address follows.
    """

    EVENTS: ClassVar[list[EventListener | str]] = [
        EventListener(
            "change", doc="Triggered at the start, and when the address names another tab: back, forward, or the key `/`."
        ),
    ]
    TEMPLATE_DIR = "templates/top_bar"
    FRONTEND_DIR = "../../frontend/src/top_bar"

    if TYPE_CHECKING:  # Gradio makes a method of every event
        change: Callable[..., Dependency]

    def __init__(
        self,
        value: Mapping[str, Any] | None = None,
        *,
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ) -> None:
        super().__init__(value, visible=visible, elem_id=elem_id, elem_classes=elem_classes, render=render, key=key)

    def preprocess(self, payload: dict[str, Any] | None) -> dict[str, Any] | None:
        """The value as the browser has it."""
        return payload

    def postprocess(self, value: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The value as it is sent to the browser."""
        return None if value is None else dict(value)

    def api_info(self) -> dict[str, Any]:
        """The value as JSON schema."""
        return {"type": "object"}

    def example_payload(self) -> dict[str, Any]:
        """A value as it comes from the browser."""
        return {"tab": "search", "language": "en", "settled": True}

    def example_value(self) -> dict[str, Any]:
        """A value as it is sent to the browser."""
        return self.example_payload()
