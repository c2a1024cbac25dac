"""Generated requests from the OpenAPI description: no status 500, and every response matches the description."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS

from rag.api.app import create_app
from rag.api.library import IndexLibrary
from rag.config import load_settings
from tests.unit.answers.chat_server import Script, chatting

HOST = "127.0.0.1:7860"
KEPT = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
GENEROUS = settings(max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def described(library: Path) -> Iterator[schemathesis.BaseSchema]:
    """The routes of an application over the samples, with a chat model that answers by script."""
    with chatting(Script(reply=lambda _: "It says so. [1]")) as url:
        app = create_app(IndexLibrary([str(library)], load_settings({"ocr": "never", "answer_url": url})))
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers={"Host": HOST})
        schema.config.update(base_url=f"http://{HOST}")
        yield schema


def test_every_answer_is_as_described(described: schemathesis.BaseSchema) -> None:
    asked = []
    for found in described.get_all_operations():
        operation = found.ok()

        @GENEROUS
        @given(case=operation.as_strategy())
        def try_it(case: schemathesis.Case) -> None:
            case.validate_response(case.call(headers={"Host": HOST}), checks=CHECKS.get_by_names(KEPT))

        try_it()
        asked.append(operation.path)
    assert {
        "/v1/search",
        "/v1/ask",
        "/v1/rerank",
        "/v1/status",
        "/v1/passages/{id}",
        "/v1/media/{id}",
        "/healthz",
        "/readyz",
        "/metrics",
    } <= set(asked)
