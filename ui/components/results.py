"""A Gradio component: one list of cards over every kind of hit. Its value is what a search found.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/results`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.events import Dependency, EventListener

from ui.components.json_component import JsonComponent
from ui.values import without_paths


class Results(JsonComponent):
    """A grid of cards: pages, pictures, video frames and texts in one ranked list.

    The value is what a search found, a dict: `query` (of the search bar), `answer` (the JSON of POST /v1/search, or None),
    `failure` (`what`, `remedy`, `code`, or None) and `settled` (no better order will follow); `found_value` makes it from an
    answer. A later value for the same query changes the order without moving cards under the pointer; one that comes after a
    "more" event has further hits, which go below those that are there.
    Thumbnails are loaded from /v1/media of the same server. With `previews` a `Viewer` stands beside the list: where it is
    seen, a click selects a hit, and a double click or Enter opens it.
    """

    EVENTS: ClassVar[list[EventListener | str]] = [
        EventListener(
            "select", doc="Triggered when a hit is opened; the event has its `id` and `index`, `words`, `alike` and `hits`."
        ),
        EventListener(
            "preview", doc="Triggered when a hit is selected, and at first for the best one; None where there is none."
        ),
        EventListener("more", doc="Triggered near the end of the list: give the hits at `cursor` of the event."),
        EventListener("retry", doc="Triggered when a failed search is to be tried again."),
        EventListener("clear", doc="Triggered when the filters are to be removed, because nothing matches them."),
    ]
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"query": {"words": "lighthouse"}, "answer": None, "failure": None, "settled": True}
    TEMPLATE_DIR = "templates/results"
    FRONTEND_DIR = "../../frontend/src/results"

    if TYPE_CHECKING:  # Gradio makes a method of every event
        select: Callable[..., Dependency]
        preview: Callable[..., Dependency]
        more: Callable[..., Dependency]
        retry: Callable[..., Dependency]
        clear: Callable[..., Dependency]

    def __init__(
        self,
        value: Mapping[str, Any] | None = None,
        *,
        previews: bool = False,
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ) -> None:
        self.previews = previews
        super().__init__(value, visible=visible, elem_id=elem_id, elem_classes=elem_classes, render=render, key=key)

    def postprocess(self, value: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The value as it is sent to the browser. The `path` of a hit becomes its `file`."""
        if value is None or value.get("answer") is None:
            return None if value is None else dict(value)
        return {**value, "answer": without_paths(value["answer"])}
