"""A Gradio component: an opened hit. Its value is which.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/viewer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.components.base import Component
from gradio.events import Dependency, EventListener


class Viewer(Component):
    """The page, picture, video or text of a hit, with its neighbours and why it was found.

    The value is a dict: `id` and `index` of a passage, `words` to mark in it, `alike` (look at its near-duplicates), and
    `hits`, between
    which previous and next move: what the event `select` of `Results` carries. None closes it. What it shows is loaded from
    /v1/passages
    and /v1/media of the same server; the code for it is loaded when it is first opened.
    """

    EVENTS: ClassVar[list[EventListener | str]] = [
        EventListener("change", doc="Triggered when another hit is turned to."),
        EventListener("close", doc="Triggered when a person closes the viewer."),
        EventListener("like", doc="Triggered by *More like this*; the event has the `id` and `index` of the passage."),
    ]
    TEMPLATE_DIR = "templates/viewer"
    FRONTEND_DIR = "../../frontend/src/viewer"

    if TYPE_CHECKING:  # Gradio makes a method of every event
        change: Callable[..., Dependency]
        close: Callable[..., Dependency]
        like: Callable[..., Dependency]

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
        return {"id": "1f", "index": "default", "words": "", "alike": False, "hits": []}

    def example_value(self) -> dict[str, Any]:
        """A value as it is sent to the browser."""
        return self.example_payload()
