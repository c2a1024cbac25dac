"""The examples of docs/python.md run, in their order, in one folder, and print what they say.

Knows how the page is written; knows nothing of what the examples do.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.contracts.test_structures import build, opened_rows

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs/python.md").read_text("utf-8")
ADDRESS = "http://127.0.0.1:7860"
SERVED = "indexes/harbour"  # the index that the examples of the client ask
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def file_named(block: str) -> str:
    """The name of the file that a block is, from its first line `# name.py`; "" for a block that is run."""
    found = re.match(r"# (\w+\.py)\n", block)
    return found.group(1) if found else ""


def printed_by(block: str) -> list[str]:
    """What the block says it prints, line by line."""
    return re.findall(r"# → (.*)", block)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder beside the samples, as the place to run in and to import from."""
    (tmp_path / "samples").symlink_to(TOP / "samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    """The address of a `rag ui` over an index that the examples have yet to make."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    words = ["ui", "--no-page", "--no-open", "--port", str(port), "--index", SERVED]
    environment = {**os.environ, "PYTHONPATH": str(TOP), "XDG_RUNTIME_DIR": str(folder)}
    process = subprocess.Popen([sys.executable, "-m", "rag.cli", *words], cwd=folder, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 120
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        yield address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=5).is_success
    except httpx.HTTPError:
        return False


def test_the_examples_print_what_they_say(folder: Path, server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(BLOCKS) >= 10 and ADDRESS in PAGE
    names: dict[str, Any] = {"__name__": "examples"}
    for number, block in enumerate(BLOCKS, start=1):
        if file := file_named(block):
            (folder / file).write_text(block, "utf-8")
            continue
        exec(compile(block.replace(ADDRESS, server), f"docs/python.md, example {number}", "exec"), names)
        assert capsys.readouterr().out.splitlines() == printed_by(block), f"docs/python.md, example {number}"


def test_the_structure_of_the_page_agrees_with_exact_search(tmp_path: Path) -> None:
    """The example above searches a small index, and those are searched exactly."""
    names: dict[str, Any] = {"__name__": "plain"}
    exec(next(block for block in BLOCKS if file_named(block) == "plain.py"), names)
    rows = np.random.default_rng(7).standard_normal((300, 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    exact = build("exact", tmp_path, rows)
    plain = names["PlainStructure"](opened_rows(tmp_path, rows))
    for within in (None, np.arange(300) % 7 == 0):
        scores, found = plain.nearest(rows[:5], 10, within)
        true_scores, true_found = exact.nearest(rows[:5], 10, within)
        np.testing.assert_allclose(scores, true_scores, atol=1e-3)
        assert (found == true_found).all() and len(plain) == 300


def test_every_public_name_is_described() -> None:
    import rag

    for name in rag.__all__:
        assert f"`{name}`" in PAGE or f"rag.{name}" in PAGE, f"docs/python.md does not name {name}"


def test_every_search_option_is_described() -> None:
    from dataclasses import fields

    from rag.search.options import SearchOptions

    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert {field.name for field in fields(SearchOptions)} <= named
