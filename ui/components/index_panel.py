"""A Gradio component: what indexes hold, and their jobs.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/index_panel`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.components.base import Component
from gradio.events import Dependency, EventListener


class IndexPanel(Component):
    """What each index holds, what was skipped and why, and how its job stands.

    The value is a dict: `indexes`, a list of `facts` (GET /v1/indexes), `status` (GET /v1/status, or None) and `job` (GET
    /v1/index/jobs/ID, or None), `manage` (GET /v1/access: whether the visitor may start and stop jobs, choose folders and
    upload), and `failure` (`what`, `remedy`, `code`, or None). Folders and uploads are asked for at /v1/… of the same server.
    """

    EVENTS: ClassVar[list[EventListener | str]] = [
        EventListener(
            "start", doc="Triggered when an index is to be updated: the event has `index` and `root` (None: all), or a `folder`."
        ),
        EventListener("stop", doc="Triggered when a job is to be stopped; the event has its `id`."),
    ]
    TEMPLATE_DIR = "templates/index_panel"
    FRONTEND_DIR = "../../frontend/src/index_panel"

    if TYPE_CHECKING:  # Gradio makes a method of every event
        start: Callable[..., Dependency]
        stop: Callable[..., Dependency]

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
        return {"indexes": [], "manage": False, "failure": None}

    def example_value(self) -> dict[str, Any]:
        """A value as it is sent to the browser."""
        return self.example_payload()
