"""What the Gradio components of the page share: their value is a JSON object, which the browser has as it is.

Knows what Gradio asks of a component; knows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gradio.components.base import Component
from gradio.events import EventListener


class JsonComponent(Component):
    """A component whose value is a dict, or None. `EXAMPLE` is such a value, for Gradio's documentation of the API."""

    EVENTS: ClassVar[list[EventListener | str]] = []
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}

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
        return dict(self.EXAMPLE)

    def example_value(self) -> dict[str, Any]:
        """A value as it is sent to the browser."""
        return dict(self.EXAMPLE)
