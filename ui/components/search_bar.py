"""A Gradio component: the box for words and pictures, with filters. Its value is a query.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/search_bar`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.events import Dependency, EventListener

from ui.components.json_component import JsonComponent


class SearchBar(JsonComponent):
    """Words, pictures, or both, with filters by kind, folder, date and index.

    The value is a query, a dict: `words`, `like` (the id of a passage or ""), the lists `pictures` (data URLs, at most five,
    asked as one), `less` (ids of passages that results are to be less like), `kinds`, `paths`, `roots` and `indexes`, the days
    `after` and `before` ("" or 2026-03-14; `before` is exclusive), `sort`, and `number`, which grows with every change. The
    address of the page says the same, so a query can be bookmarked. Pictures are scaled down in the browser and travel with the
    query: they are never uploaded as files.

    `indexes` is what GET /v1/indexes says, `manage` what GET /v1/access says: where nothing is indexed yet, folders and files
    can be chosen. `facets` are the counts beside the filters, of the query with that number:
    `{"number": …, "counts": …, "dated": …}`.
    """

    EVENTS: ClassVar[list[EventListener | str]] = [
        EventListener("change", doc="Triggered when the query changes, also while a person types."),
        EventListener("submit", doc="Triggered when Enter is pressed in the box."),
        EventListener("start", doc="Triggered when a folder is to be indexed; the event has `index` and `folder`."),
    ]
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"words": "lighthouse"}
    TEMPLATE_DIR = "templates/search_bar"
    FRONTEND_DIR = "../../frontend/src/search_bar"

    if TYPE_CHECKING:  # Gradio makes a method of every event
        change: Callable[..., Dependency]
        submit: Callable[..., Dependency]
        start: Callable[..., Dependency]

    def __init__(
        self,
        value: Mapping[str, Any] | None = None,
        *,
        indexes: Sequence[Mapping[str, Any]] | None = None,
        facets: Mapping[str, Any] | None = None,
        manage: bool = False,
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ) -> None:
        self.indexes = indexes
        self.facets = facets
        self.manage = manage
        super().__init__(value, visible=visible, elem_id=elem_id, elem_classes=elem_classes, render=render, key=key)
