"""What ignore files leave out is said by rule, and can be had: in the report, before a run, and afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Ran
from tests.unit.corpus.test_git_index import index_of

RULE = "excluded by repo/.gitignore:2 (*.log)"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git/index").write_bytes(index_of(b"kept.log"))
    for name in ("a.txt", "kept.log", "left.log", "also.log", "private.txt"):
        (folder / name).write_text(f"words of {name}\n")
    (folder / ".gitignore").write_text("# logs\n*.log\n")
    (folder / ".ragignore").write_text("private.txt\n")
    return folder


def test_the_report_the_plan_and_the_status_name_the_rules(repo: Path, rag: Callable[..., Ran]) -> None:
    expected = {RULE: 2, "excluded by repo/.ragignore:1 (private.txt)": 1, "hidden": 3}
    assert rag("index", str(repo), "--dry-run", "--json").json["ignored"] == expected
    said = rag("index", str(repo)).out
    assert f"ignored: 2 {RULE}\n" in said and "rag index --no-ignore" in said
    assert rag("status", "--json").json["ignored"] == expected
    assert f"left out    2 {RULE}\n" in rag("status").out
    assert rag("status", "--json").json["suffixes"] == {".log": 1, ".txt": 1}


def test_no_ignore_reads_it_and_is_kept_until_changed(repo: Path, rag: Callable[..., Ran]) -> None:
    rag("index", str(repo))
    report = rag("index", "--no-ignore", "--json").json
    assert (report["indexed"], report["unchanged"], report["removed"]) == (2, 2, 0)
    again = rag("index", "--json").json
    assert (again["unchanged"], again["removed"], RULE in again["ignored"]) == (4, 0, False)
    generation = rag("status", "--json").json["generation"]
    assert rag("index", "--rebuild", "--json").json["indexed"] == 4
    assert rag("index", "--json").json["unchanged"] == 4
    assert rag("index", "--ignore", "--json").json["removed"] == 2
    assert rag("status", "--json").json["ignored"][RULE] == 2
    assert generation > 0


def test_a_run_that_changes_nothing_commits_nothing(repo: Path, rag: Callable[..., Ran]) -> None:
    rag("index", str(repo))
    before = rag("status", "--json").json["generation"]
    rag("index")
    rag("index", str(repo / "a.txt"))
    assert rag("status", "--json").json["generation"] == before
    assert rag("status", "--json").json["ignored"][RULE] == 2


def test_a_setting_says_it_too(repo: Path, rag: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_IGNORE", "")
    assert rag("index", str(repo), "--json").json["indexed"] == 5
    monkeypatch.setenv("RAG_IGNORE", "svnignore")
    assert "RAG_IGNORE" in rag("index", str(repo)).err


def test_a_damaged_list_is_a_note(repo: Path, rag: Callable[..., Ran]) -> None:
    (repo / ".git/index").write_bytes(b"DIRC" + bytes(60))
    report = json.loads(rag("index", str(repo), "--json").out)
    assert report["indexed"] == 1 and "its version is 0" in report["notes"][0]
