"""A Gradio component: what indexes hold, and their jobs.

Knows what Gradio asks of a component; what is seen of it is in `frontend/src/index_panel`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gradio.events import Dependency, EventListener

from ui.components.json_component import JsonComponent


class IndexPanel(JsonComponent):
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
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"indexes": [], "manage": False, "failure": None}
    TEMPLATE_DIR = "templates/index_panel"
    FRONTEND_DIR = "../../frontend/src/index_panel"

    if TYPE_CHECKING:  # Gradio makes a method of every event
        start: Callable[..., Dependency]
        stop: Callable[..., Dependency]
