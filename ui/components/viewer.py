"""A Gradio component: an opened hit. Its value is which.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/viewer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.events import Dependency, EventListener

from ui.components.json_component import JsonComponent


class Viewer(JsonComponent):
    """The page, picture, video or text of a hit, with its neighbours and why it was found.

    The value is a dict: `id` and `index` of a passage, `words` to mark in it, `alike` (look at its near-duplicates), and
    `hits`, between
    which previous and next move: what the event `select` of `Results` carries. None closes it. What it shows is loaded from
    /v1/passages
    and /v1/media of the same server; the code for it is loaded when it is first opened.

    One that stands `beside` a list shows the hit that is selected there: what the event `preview` of `Results` carries. It is
    seen in windows of 1,200 pixels and more, unless the person hides it.
    """

    EVENTS: ClassVar[list[EventListener | str]] = [
        EventListener("change", doc="Triggered when another hit is turned to."),
        EventListener("close", doc="Triggered when a person closes the viewer."),
        EventListener(
            "like",
            doc="Triggered by *More like this* and *Less like this* (`less`); the event has the `id` and `index` of the passage.",
        ),
    ]
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"id": "1f", "index": "default", "words": "", "alike": False, "hits": []}
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
        beside: bool = False,
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ) -> None:
        self.beside = beside
        super().__init__(value, visible=visible, elem_id=elem_id, elem_classes=elem_classes, render=render, key=key)
