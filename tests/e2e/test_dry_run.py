"""`rag index --dry-run`: what would be done, and nothing is done."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from rag.errors import IndexNotFound, WrongRequest
from rag.indexing.plan import plan_index
from rag.indexing.progress import FILE, keep_rate, read_rate
from tests.e2e.conftest import COUNTING


def everything(folder: Path) -> dict[str, bytes]:
    """The bytes of every file except the shared memory of SQLite."""
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file() and not file.name.endswith("-shm")}


def test_before_the_first_run_everything_is_new_and_nothing_is_written(corpus: Path) -> None:
    before = everything(Path.cwd())
    plan = plan_index(corpus)
    assert (plan.new, plan.changed, plan.gone, plan.unchanged) == ({"text": 3, "picture": 2}, {}, 0, 0)
    assert (plan.passages, plan.unknown, plan.seconds) == (5, {"text": 3}, None)
    assert everything(Path.cwd()) == before
    with pytest.raises(IndexNotFound):
        plan_index()


def test_later_it_says_what_is_new_changed_and_gone_and_how_long_it_will_take(corpus: Path) -> None:
    index = Path("indexes/default")
    report = rag.build_index(corpus, backend=COUNTING, ocr="never")
    assert read_rate(index) is None  # too short to tell anything
    keep_rate(index, 400, 100.0)
    (corpus / "a/report.txt").write_text("Ferry tickets become cheaper.\n")
    (corpus / "film.mp4").write_bytes(b"no film")
    (corpus / "new.txt").write_text("new\n")
    (corpus / "a/IMG_2.png").unlink()
    before = everything(Path.cwd())
    plan = plan_index(corpus)
    assert (plan.new, plan.changed, plan.gone) == ({"video": 1, "text": 1}, {"text": 1}, 1)
    assert plan.unchanged == report.indexed - 2
    assert (plan.unknown, plan.seconds) == ({"video": 1}, None)
    (corpus / "film.mp4").unlink()
    plan = plan_index()
    assert (plan.passages, plan.seconds) == (2, 0.5)
    before.pop(str(Path.cwd() / corpus / "film.mp4"))
    assert everything(Path.cwd()) == before


def test_an_unreadable_rate_is_none(tmp_path: Path) -> None:
    for text in ("", "[]", "{}", '{"passages": 0, "seconds": 1}', '{"passages": 5, "seconds": "x"}'):
        (tmp_path / FILE).write_text(text)
        assert read_rate(tmp_path) is None


def test_wrong_requests_are_refused(corpus: Path) -> None:
    with pytest.raises(WrongRequest, match="no such folder"):
        plan_index("nowhere")
    with pytest.raises(WrongRequest, match="no kind"):
        plan_index(corpus, kinds=["moving"])  # type: ignore[list-item]
