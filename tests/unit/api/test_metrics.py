"""/v1/indexes, /v1/status, /v1/rerank and /metrics over the samples."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

import rag
from rag.api.jobs import Jobs
from rag.errors import BackendError
from rag.indexing.live_run import shown_to_others
from rag.indexing.report import Progress
from rag.search.searcher import Searcher
from rag.serialization import status_json
from tests.unit.api_server import CORPUS, asking


def figures(client: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = client.get("/metrics").text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


@pytest.fixture
def fresh(library: Path) -> Iterator[TestClient]:
    with asking(library) as client:
        yield client


def test_the_list_of_indexes(api: TestClient, library: Path) -> None:
    [info] = api.get("/v1/indexes").json()
    assert (info["name"], info["exists"], info["model"], info["documents"]) == (
        "library",
        True,
        "lite",
        8,
    )
    assert info["passages"] == sum(info["kinds"].values())
    assert info["roots"] == [{"name": "corpus", "folder": str(library.parents[1] / "corpus"), "present": True}]


def test_the_status_is_that_of_the_command_line(api: TestClient, library: Path) -> None:
    with rag.open_index(str(library)) as searcher:
        expected = status_json(searcher.status())
    found = api.get("/v1/status").json()
    assert {key: found[key] for key in expected} == expected
    assert (found["skipped_count"], found["job"]) == (0, None)


def test_reranking_with_requests_of_other_vendors(api: TestClient) -> None:
    """In the format of Jina and Cohere, with fields of theirs that are ignored here."""
    asked = {
        "model": "jina-reranker-v2",
        "query": "harbour dues",
        "documents": ["a cat on a mat", "the dues of the harbour", {"text": "a harbour"}],
        "top_n": 2,
        "return_documents": True,
        "truncation": True,
    }
    answer = api.post("/v1/rerank", json=asked).json()
    assert answer["model"] == "lite"
    assert [(one["index"], one["document"]) for one in answer["results"]] == [
        (1, {"text": "the dues of the harbour"}),
        (2, {"text": "a harbour"}),
    ]
    assert 1 >= answer["results"][0]["relevance_score"] > answer["results"][1]["relevance_score"] > 0
    assert answer["usage"]["total_tokens"] > 0


def test_reranking_pictures(api: TestClient) -> None:
    gull, boat = (
        "data:image/jpeg;base64," + base64.b64encode((CORPUS / name).read_bytes()).decode()
        for name in ("photos/gull-head.jpg", "photos/IMG_2041.jpg")
    )
    answer = api.post("/v1/rerank", json={"query": {"image": gull}, "documents": [{"image": boat}, {"image": gull}]}).json()
    assert [one["index"] for one in answer["results"]] == [1, 0]
    assert answer["results"][0]["relevance_score"] > 0.9


@pytest.mark.parametrize(
    "asked",
    [
        {"query": "x", "documents": []},
        {"query": "x", "documents": ["a"] * 1_001},
        {"query": "x", "documents": ["a"], "top_n": 0},
        {"documents": ["a"]},
    ],
)
def test_an_invalid_reranking_is_refused(api: TestClient, asked: dict[str, object]) -> None:
    assert api.post("/v1/rerank", json=asked).status_code == 422


def test_an_empty_query_is_refused(api: TestClient) -> None:
    assert api.post("/v1/rerank", json={"query": " ", "documents": ["a"]}).json()["error"]["what"] == "the query is empty"


def test_the_metrics_count(fresh: TestClient) -> None:
    for _ in range(3):
        fresh.post("/v1/search", json={"text": "harbour"})
    fresh.post("/v1/search", json={"text": ""})
    found = figures(fresh)
    asked = ("method", "POST"), ("route", "/v1/search")
    assert found["rag_requests_total", (*asked, ("status", "200"))] == 3
    assert found["rag_requests_total", (*asked, ("status", "400"))] == 1
    assert found["rag_request_seconds_count", (("route", "/v1/search"),)] == 4
    assert found["rag_stage_seconds_count", (("stage", "rerank"),)] == 3
    assert found["rag_index_documents", (("index", "library"),)] == 8
    assert found["rag_index_passages", (("index", "library"), ("kind", "image"))] == 3
    assert found["rag_waiting", ()] == 0
    assert found["rag_job_running", (("index", "library"),)] == 0


def test_a_running_job_reports_its_rates_and_waiting_stages(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"documents_per_second": 2.5, "passages_per_second": 40.0, "megabytes_per_second": 3.25, "tokens_per_second": 9000.0}
    job = SimpleNamespace(
        state="running",
        progress={
            "done": 7,
            "total": 9,
            **rates,
            "seconds_left": 61.5,
            "stages": {"read": 0.1, "embed": 0.8, "write": 0.9},
            "readers": {"a": 2, "b": 1},
        },
    )
    monkeypatch.setattr(Jobs, "of", lambda *_: job)
    library = ("index", "library")
    found = figures(fresh)
    expected = {"rag_job_running": 1, "rag_job_documents_done": 7, "rag_job_documents": 9, "rag_job_seconds_left": 61.5}
    expected |= {f"rag_job_{name}": value for name, value in rates.items()}
    assert {name: found[name, (library,)] for name in expected} == expected
    waiting = {stage: found["rag_job_waiting_ratio", (library, ("stage", stage))] for stage in ("read", "embed", "write")}
    assert waiting == {"read": 0.1, "embed": 0.8, "write": 0.9}
    assert [found["rag_job_readers", (library, ("machine", machine))] for machine in ("a", "b")] == [2, 1]
    job.state = "done"
    names = {name for name, _ in figures(fresh) if name.startswith("rag_job")}
    assert names == {"rag_job_running", "rag_job_documents", "rag_job_documents_done"}


def test_a_run_that_was_started_in_a_terminal_counts_while_it_goes_on(fresh: TestClient, library: Path) -> None:
    index = ("index", "library")
    with shown_to_others(library, None) as tell:
        time.sleep(0.6)  # the file is written twice a second
        tell(Progress(3, 5, "x", documents_per_second=2.0, readers={"a": 2}))
        found = figures(fresh)
        expected = {"rag_job_running": 1, "rag_job_documents_done": 3, "rag_job_documents": 5, "rag_job_documents_per_second": 2}
        assert {name: found[name, (index,)] for name in expected} == expected
        assert found["rag_job_readers", (index, ("machine", "a"))] == 2
    assert figures(fresh)["rag_job_running", (index,)] == 0


def test_a_failing_model_is_reported_and_counted(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BackendError("http://127.0.0.1:8000 does not answer", remedy="start it: rag serve embedder")

    monkeypatch.setattr(Searcher, "search", fail)
    answer = fresh.post("/v1/search", json={"text": "harbour"})
    expected = {
        "what": "http://127.0.0.1:8000 does not answer",
        "remedy": "start it: rag serve embedder",
        "code": "backend_error",
    }
    assert (answer.status_code, answer.json()["error"]) == (503, expected)
    assert answer.headers["Retry-After"] == "1"
    assert figures(fresh)["rag_model_errors_total", (("code", "backend_error"),)] == 1


def test_a_bug_shows_no_traceback_in_the_answer(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr(Searcher, "search", fail)
    answer = fresh.post("/v1/search", json={"text": "harbour"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "bug")
    assert "secret" not in answer.text and "ZeroDivision" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
