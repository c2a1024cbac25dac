"""Several models of an index in Milvus, as its users have them: added, filled behind, kept up to date, searched, put first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import BackendError, Interrupted, MovedOn, WrongRequest
from rag.index.locations import existing_room
from rag.indexing.lite_first import build_lite_first
from rag.indexing.spaces import add_model, drop_model
from rag.types import Content, Role
from tests.e2e.conftest import CALLS, COUNTING, SAMPLES, Calls
from tests.e2e.test_spaces import CountingHalf
from tests.unit.half_model import HalfEmbedder

HALF = "tests.e2e.test_spaces:CountingHalf"


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(CountingHalf, "failing", None)
    monkeypatch.setattr(CountingHalf, "interrupted", False)
    CALLS.since()


@pytest.fixture
def team(tmp_path: Path) -> str:
    return f"milvus-lite://{tmp_path}/team.db"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    from tests.unit.corpora import make_corpus

    return make_corpus(tmp_path / "corpus")
