"""`rag key` on a terminal: a key is printed once, listed without its words, and ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.api.keys import KeyFile
from rag.cli.app import app_of


def test_a_key_is_made_listed_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_KEYS", str(tmp_path / "keys.json"))
    run = CliRunner()
    app = app_of(["key", "status"])
    made = run.invoke(app, ["key", "add", "board", "--read-only", "--index", "team", "--root", "minutes"])
    key = made.stdout.strip()
    found = KeyFile(tmp_path / "keys.json").find(key)
    assert (made.exit_code, found and found.roots) == (0, ("minutes",))
    listed = run.invoke(app, ["key", "list"])
    assert listed.stdout.startswith("board: reads; index team, root minutes; made 20")
    assert key not in listed.stdout
    [one] = json.loads(run.invoke(app, ["key", "list", "--json"]).stdout)
    assert (one["name"], one["indexes"], one["roots"], one["read_only"]) == ("board", ["team"], ["minutes"], True)
    assert run.invoke(app, ["key", "rm", "board"]).exit_code == 0
    assert KeyFile(tmp_path / "keys.json").find(key) is None
    assert run.invoke(app, ["key", "rm", "board"]).exit_code != 0
    assert run.invoke(app, ["key", "add", "board", "--index", "team"]).exit_code != 0
    assert run.invoke(app, ["key", "list", "board"]).exit_code != 0
