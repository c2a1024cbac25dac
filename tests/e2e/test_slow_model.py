"""A new index whose model is slow: lite stands in until the model has everything, then the index is that of the model alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.backends.base import EmbedderCapabilities
from rag.config import load_settings
from rag.errors import BackendError, Interrupted
from rag.index.catalog.index_folder import fingerprint_of, settings_of, spaces_of
from rag.index.folder_room import FolderRoom
from rag.indexing import slow_model
from rag.indexing.lite_first import build_searchable, watch_searchable
from rag.indexing.slow_model import count_passages, rate_of, seconds_needed
from rag.indexing.stand_in import stand_in_for
from rag.types import Content, Role
from tests.unit.half_model import HalfEmbedder

FOLDER = Path("indexes/default")
SLOW = "tests.e2e.test_slow_model:Slow"


class Slow(HalfEmbedder):
    """Half, of which an estimate says that it takes long; fails where a test says so."""

    fingerprint = replace(HalfEmbedder.fingerprint, model="slow")
    capabilities = EmbedderCapabilities(concurrent_calls=1)
    batch = 4
    failing = False
    calls = 0

    def embed(self, contents: Sequence[Content], *, role: Role) -> Any:
        type(self).calls += 1
        if type(self).failing and type(self).calls > 2 and role == "document":
            raise BackendError("the model is away", remedy="bring it back")
        return super().embed(contents, role=role)


class ReadingSlow(Slow):
    """The same, which only reads."""

    modalities = frozenset({"text"})


class Loaded(Slow):
    """One whose weights this process loads: it is not called to see how fast it is."""

    def load(self) -> None:
        """Nothing."""


@pytest.fixture
def many(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of more than a few documents, and a person of little patience."""
    for at in range(70):
        (corpus / f"note {at}.md").write_text(f"# Note {at}\n\nThe tide table of quay number {at}.\n")
    monkeypatch.setattr("rag.indexing.lite_first.PATIENCE", 1e-9)
    monkeypatch.setattr(Slow, "failing", False)
    monkeypatch.setattr(Slow, "calls", 0)
    return corpus


def test_lite_stands_in_and_goes_when_the_model_has_everything(many: Path) -> None:
    heard: list[str] = []
    report = build_searchable(many, backend=SLOW, ocr="never", jobs=0, say=heard.append)
    assert any("lite makes all searchable first" in said for said in heard)
    assert report.indexed == 75 and report.notes[-1] == "lite has stood in for slow, which is the model of the index now"
    assert fingerprint_of(FOLDER).model == "slow" and spaces_of(FOLDER) == () and settings_of(FOLDER)["stand_in"] == '""'
    with rag.open_index() as searcher:
        best = searcher.query("pilot boat Seagull")[0]
        assert best.document == "a/IMG_1.jpg" and best.lanes["dense"].space == ""
    calls = Slow.calls
    again = build_searchable(many, backend=SLOW, ocr="never", jobs=0)
    assert (again.indexed, again.unchanged, Slow.calls) == (0, 75, calls)


def test_a_model_that_fails_leaves_an_index_that_is_searched_and_the_next_run_ends_it(many: Path) -> None:
    Slow.failing = True
    with pytest.raises(BackendError, match="the model is away"):
        build_searchable(many, backend=SLOW, ocr="never", jobs=0)
    assert fingerprint_of(FOLDER).model == "lite"
    with rag.open_index() as searcher:
        assert searcher.query("pilot boat Seagull")[0].document == "a/IMG_1.jpg"
    Slow.failing = False
    report = rag.build_index(jobs=0)
    assert report.notes[-1].startswith("lite has stood in for slow") and fingerprint_of(FOLDER).model == "slow"


def test_a_run_that_is_stopped_while_lite_reads_goes_on_with_the_same_command(many: Path, monkeypatch: Any) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise Interrupted("stopped", remedy="go on")

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr("rag.indexing.lite_first.build_index", stopped)
        build_searchable(many, backend=SLOW, ocr="never", jobs=0)
    assert fingerprint_of(FOLDER).model == "lite" and stand_in_for(FolderRoom(FOLDER)) == "slow" and spaces_of(FOLDER) == ()
    rag.build_index(many, ocr="never", jobs=0)  # the model is not named: nothing to fill yet
    assert stand_in_for(FolderRoom(FOLDER)) == "slow"
    report = build_searchable(many, backend=SLOW, ocr="never", jobs=0)
    assert report.unchanged == 75 and fingerprint_of(FOLDER).model == "slow" and stand_in_for(FolderRoom(FOLDER)) == ""


def test_folders_that_are_followed_are_searchable_with_lite_until_the_model_has_everything(many: Path) -> None:
    heard: list[str] = []
    reports: list[rag.Report] = []
    stop, changed = threading.Event(), threading.Event()

    def hear(said: str) -> None:
        heard.append(said)
        if said.startswith("following"):
            (many / "late.md").write_text("# Late\n\nThe ferry waits for the fog to lift.\n")
        if said.startswith("lite has stood in for slow") and changed.is_set():
            stop.set()

    def see(report: rag.Report) -> None:
        if not reports:
            assert fingerprint_of(FOLDER).model == "lite" and stand_in_for(FolderRoom(FOLDER)) == "slow"
        reports.append(report)
        changed.set() if len(reports) > 1 else None
        if fingerprint_of(FOLDER).model == "slow" and changed.is_set():
            stop.set()

    watch_searchable(many, seen=see, say=hear, stop=stop, backend=SLOW, ocr="never", jobs=0)
    assert [report.indexed for report in reports] == [75, 1]
    assert fingerprint_of(FOLDER).model == "slow" and spaces_of(FOLDER) == () and stand_in_for(FolderRoom(FOLDER)) == ""
    with rag.open_index() as searcher:
        assert searcher.query("ferry waits for the fog")[0].document == "late.md"


def test_a_model_that_is_dropped_is_not_stood_in_for(many: Path) -> None:
    Slow.failing = True
    with pytest.raises(BackendError):
        build_searchable(many, backend=SLOW, ocr="never", jobs=0)
    rag.drop_model("slow")
    assert stand_in_for(FolderRoom(FOLDER)) == "" and fingerprint_of(FOLDER).model == "lite"


def test_both_stay_where_the_model_cannot_have_everything(many: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64), "green").save(many / "green.png")
    report = build_searchable(many, backend="tests.e2e.test_slow_model:ReadingSlow", ocr="never", clues="ocr", jobs=0)
    assert "lite stays beside slow, which lacks" in report.notes[-1]
    assert fingerprint_of(FOLDER).model == "lite" and [space.name for space in spaces_of(FOLDER)] == ["slow"]


def test_a_fast_model_a_small_folder_and_lite_itself_are_indexed_as_ever(corpus: Path, many: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("rag.indexing.lite_first.PATIENCE", 1e9)
    build_searchable(many, backend=SLOW, index="fast", ocr="never", jobs=0)
    assert fingerprint_of(Path("indexes/fast")).model == "slow" and "stand_in" not in settings_of(Path("indexes/fast"))
    monkeypatch.setattr("rag.indexing.lite_first.PATIENCE", 1e-9)
    build_searchable(many / "a", backend=SLOW, index="small", ocr="never", jobs=0)
    assert fingerprint_of(Path("indexes/small")).model == "slow"
    build_searchable(many, backend="lite", index="lite", ocr="never", jobs=0)
    assert spaces_of(Path("indexes/lite")) == ()


def test_the_command_decides_and_can_be_told(many: Path, rag: Any, monkeypatch: Any) -> None:
    words = ("index", str(many), "--ocr", "never", "--jobs", "0", "--backend", SLOW)
    assert rag(*words, "--no-lite-first", "--index", "alone").code == 0
    assert rag(*words, "--lite-first", "--index", "both").code == 0
    assert [one["name"] for one in rag("models", "--json", "--index", "both").json] == ["lite", "slow"]
    assert [one["name"] for one in rag("models", "--json", "--index", "alone").json] == ["slow"]


def test_the_estimate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "big.txt").write_text("x" * 200_000)
    for at in range(9):
        (tmp_path / f"{at}.png").write_bytes(b"no picture, which is not looked at")
    settings = load_settings({"index": str(tmp_path / "index")})
    assert count_passages([tmp_path], settings) == 100 + 9
    assert seconds_needed([tmp_path], settings, Loaded(None), accelerated=False) == 109 / 5.0  # type: ignore[arg-type]
    assert seconds_needed([tmp_path], settings, Loaded(None), accelerated=True) == 0.0  # type: ignore[arg-type]
    monkeypatch.setattr(slow_model, "FEW", 110)
    assert seconds_needed([tmp_path], settings, Loaded(None), accelerated=False) == 0.0  # type: ignore[arg-type]
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    assert rate_of(Slow(None)) == 4 / 2.0  # type: ignore[arg-type]
