"""Questions for somebody who waits, through real worker processes: what is answered, and what becomes of those that die."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rag.decoding import idle_workers
from rag.decoding.ask_pool import AskPool
from rag.decoding.messages import ReadRange, Rules
from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.types import Content, Document, DocumentId, Passage, Whole

RULES = Rules(Limits(), "never", captions=False, key="")


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture, and no worker process of an earlier test."""
    monkeypatch.setattr(idle_workers, "_spares", [])
    Image.new("RGB", (30, 20), (200, 30, 40)).save(tmp_path / "p.png")
    return tmp_path / "p.png"


def job(file: Path, loader: str = "picture") -> ReadRange:
    document = Document(DocumentId("r", file.name), file)
    return ReadRange(document, RULES, loader, (Passage(document.id, 0, Whole(), "image", "image"),))


@pytest.mark.parametrize("count", [0, 1])
def test_a_passage_is_read_in_a_worker_or_here(picture: Path, count: int) -> None:
    [part] = AskPool(count).read(job(picture))
    assert isinstance(part.outcome, Content)
    np.testing.assert_array_equal(part.outcome.pixels[0], np.full((20, 30, 3), (200, 30, 40), np.uint8))
    assert len(idle_workers._spares) == count


def test_an_open_file_is_read_whatever_lies_under_its_name_now(picture: Path) -> None:
    with picture.open("rb") as opened:
        picture.rename(picture.with_name("moved.png"))
        picture.write_text("something else")
        found, _ = AskPool(1).call(
            "rag.loaders.questions:picture_size", picture, {"limits": Limits()}, descriptors=(opened.fileno(),)
        )
    assert found == {"family": "picture", "width": 30, "height": 20}


def test_what_cannot_be_read_is_said_and_costs_no_worker(picture: Path) -> None:
    broken = picture.with_name("broken.png")
    broken.write_bytes(picture.read_bytes()[:40])
    pool = AskPool(1)
    with pytest.raises(UnreadableDocument, match=r"damaged|truncated|cannot"):
        pool.read(job(broken))
    [(before, _)] = idle_workers._spares
    assert pool.read(job(picture))
    assert [process for process, _ in idle_workers._spares] == [before]


@pytest.mark.parametrize(
    ("plugin", "seconds", "reason"),
    [
        ("Segfault", 60, "its reader crashed"),
        ("Exit", 60, "its reader ended with 7"),
        ("Hang", 0.5, r"waited 0\.5 s|could not go on for 0\.5 s"),
    ],
)
def test_a_worker_that_dies_or_hangs_is_replaced(picture: Path, plugin: str, seconds: float, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        AskPool(1, seconds).read(job(picture, f"tests.unit.bad_loaders:{plugin}"))
    assert not idle_workers._spares
    assert len(AskPool(1).read(job(picture))) == 1


def test_an_idle_worker_that_was_killed_is_not_asked(picture: Path) -> None:
    pool = AskPool(1)
    pool.read(job(picture))
    [(process, _)] = idle_workers._spares
    os.kill(process._process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process._process.pid, os.WEXITED | os.WNOWAIT)
    assert len(pool.read(job(picture))) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_holds_no_key(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_TOKEN", "a-key-of-the-server")
    AskPool(1).read(job(picture))
    [(process, _)] = idle_workers._spares
    assert b"RAG_" not in Path(f"/proc/{process._process.pid}/environ").read_bytes()
