"""Folders, an embedder that counts, and the command line as a process. Knows the public interface only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag.backends.lite.embedder import LiteEmbedder
from rag.types import Content, Role

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)


@dataclass
class Calls:
    """Counts the inputs that the model got."""

    documents: int = 0
    seen: list[str] = field(default_factory=list)

    def since(self) -> int:
        """Inputs since the last look."""
        count, self.documents = self.documents, 0
        return count


CALLS = Calls()


class CountingEmbedder(LiteEmbedder):
    """The lite embedder, with its inputs counted; used as tests.e2e.conftest:CountingEmbedder."""

    def embed(self, contents: Sequence[Content], *, role: Role) -> Any:
        if role == "document":
            CALLS.documents += len(contents)
        return super().embed(contents, role=role)


@pytest.fixture
def calls() -> Calls:
    CALLS.since()
    return CALLS


COUNTING = "tests.e2e.conftest:CountingEmbedder"


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def rag(tmp_path: Path) -> Callable[..., Ran]:
    """Runs `rag` as a process in the test's folder."""

    def run(*words: str, input: str | None = None, **environment: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "rag.cli", *words],
            cwd=tmp_path,
            input=input,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SAMPLES.parent), **environment},
            timeout=300,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A small folder: two texts, a picture with a caption, a Markdown file that shows it."""
    from PIL import Image

    folder = tmp_path / "corpus"
    (folder / "a").mkdir(parents=True)
    (folder / "a/report.txt").write_text("Harbour traffic rose by nine percent in the spring.\n")
    (folder / "a/minutes.txt").write_text("The committee discussed the new crane and its foundation.\n")
    Image.new("RGB", (640, 480), (200, 30, 30)).save(folder / "a/IMG_1.jpg")
    (folder / "a/IMG_1.jpg.txt").write_text("the pilot boat Seagull in dry dock")
    (folder / "page.md").write_text("# Fleet\n\n![a tug called Heron](a/IMG_2.png)\n")
    Image.new("RGB", (640, 480), (30, 30, 200)).save(folder / "a/IMG_2.png")
    return folder
