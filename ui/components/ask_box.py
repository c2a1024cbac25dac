"""A Gradio component: the box for questions, with the sources of the answers. Its value are the messages for a chat.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/ask_box`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.events import Dependency, EventListener

from ui.components.json_component import JsonComponent


class AskBox(JsonComponent):
    """A box for questions, filters, and the numbered sources of an answer as cards.

    It reads the answer from /v1/ask of the same server while it is written, so that leaving the page or *Stop* ends the work of
    the model. The value is a dict: `messages`, the conversation so far for a `gr.Chatbot`, and `number`, which grows with every
    change. Give the number back as `shown` when the messages are in the chat; an event whose number does not come back is
    triggered again. None begins a new conversation. The question, the indexes and the filters are in the address of the page.

    `indexes` is what GET /v1/indexes says.
    """

    EVENTS: ClassVar[list[EventListener | str]] = [
        EventListener("change", doc="Triggered while an answer is written, and when it is complete."),
        EventListener(
            "select", doc="Triggered when a source is opened; the event has its `id` and `index`, `words`, `alike` and `hits`."
        ),
    ]
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"number": 1, "messages": [{"role": "user", "content": "When does the ferry sail?"}]}
    TEMPLATE_DIR = "templates/ask_box"
    FRONTEND_DIR = "../../frontend/src/ask_box"

    if TYPE_CHECKING:  # Gradio makes a method of every event
        change: Callable[..., Dependency]
        select: Callable[..., Dependency]

    def __init__(
        self,
        value: Mapping[str, Any] | None = None,
        *,
        indexes: Sequence[Mapping[str, Any]] | None = None,
        shown: int | None = None,
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ) -> None:
        self.indexes = indexes
        self.shown = shown
        super().__init__(value, visible=visible, elem_id=elem_id, elem_classes=elem_classes, render=render, key=key)
