"""`rag index --format jsonl`, as a program that follows a run reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import SAMPLES, Ran


def test_every_line_is_an_event_and_the_last_is_the_report(corpus: Path, rag: Callable[..., Ran]) -> None:
    (corpus / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    ran = rag("index", str(corpus), "--format", "jsonl", "--strict")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert [event["event"] for event in events[:-1]] == ["progress"] * (len(events) - 1)
    last, report = events[-2:]
    assert (last["done"], last["total"]) == (6, 6)
    assert set(last) >= {"path", "passages", "passages_per_second", "megabytes_per_second", "seconds_left", "stages"}
    assert (report["event"], report["indexed"]) == ("report", 5)
    assert [one["document"] for one in report["skipped"]] == ["broken.pdf"]
    assert ran.code == 5
    assert len(events) >= 2


def test_quiet_prints_only_the_report(corpus: Path, rag: Callable[..., Ran]) -> None:
    ran = rag("index", str(corpus), "--format", "jsonl", "--quiet")
    assert [json.loads(line)["event"] for line in ran.out.splitlines()] == ["report"]


def test_an_unknown_format_is_refused_before_anything_is_written(corpus: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    ran = rag("index", str(corpus), "--format", "xml")
    assert (ran.code, "text, json, jsonl" in ran.err) == (2, True)
    assert not (tmp_path / "indexes").exists()


def test_other_kinds_can_be_indexed_later(corpus: Path, rag: Callable[..., Ran]) -> None:
    first = rag("index", str(corpus), "--kinds", "text", "--json").json
    assert (first["indexed"], first["ignored"]["of a kind not asked for"]) == (3, 2)
    assert rag("index", "--kinds", "image", "--jobs", "1", "--max-memory", "2G", "--json").json["indexed"] == 2
    assert rag("index", "--json").json["unchanged"] == 5
    assert "the kinds are: text, page" in rag("index", "--kinds", "sound").err


def test_the_content_of_a_file_decides_its_kind(corpus: Path, rag: Callable[..., Ran]) -> None:
    (corpus / "scan.jpg").write_bytes((SAMPLES / "corpus/文档/港口安全手册.pdf").read_bytes())
    first = rag("index", str(corpus), "--kinds", "image", "--json").json
    assert (first["indexed"], first["ignored"]["of a kind not asked for"], first["passages"]) == (2, 4, {"image": 2})
    assert rag("index", "--kinds", "page,image", "--json").json["indexed"] == 1
