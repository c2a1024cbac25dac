"""Several models in one index: a model is added, filled from what the index holds, kept up to date, and put first."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rag
from rag.errors import BackendError, Interrupted, WrongRequest
from rag.index.files.fill_first import FILE
from rag.index.reader.open_index import open_index
from rag.index.writer.writer import writing
from rag.indexing import fill_run
from rag.indexing.lite_first import build_lite_first
from rag.indexing.space_contents import CHANGED
from rag.indexing.spaces import add_model, drop_model
from rag.types import Content, Role
from tests.e2e.conftest import CALLS, COUNTING, Calls
from tests.e2e.runs import index
from tests.unit.half_model import HalfEmbedder

HALF = "tests.e2e.test_spaces:CountingHalf"


class CountingHalf(HalfEmbedder):
    """Half of a lite vector, with its inputs counted; fails after two, or has Ctrl-C pressed, where a test says so."""

    failing: BackendError | None = None
    interrupted = False
    batch = 2

    def embed(self, contents: Sequence[Content], *, role: Role) -> Any:
        if role == "document":
            if type(self).failing is not None and CALLS.documents >= 2:
                raise type(self).failing
            if type(self).interrupted:
                signal.raise_signal(signal.SIGINT)
            CALLS.documents += len(contents)
            CALLS.seen += [content.text or content.clues for content in contents]
        return super().embed(contents, role=role)


class LookingHalf(CountingHalf):
    """The same, to which captions are nothing."""

    reads_clues = False


class Captioned(CountingHalf):
    """Another model, to which they are something."""

    fingerprint = replace(HalfEmbedder.fingerprint, model="captioned")


class ReadingHalf(CountingHalf):
    """The same, which only reads."""

    modalities = frozenset({"text"})


@pytest.fixture(autouse=True)
def _working(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountingHalf, "failing", None)
    monkeypatch.setattr(CountingHalf, "interrupted", False)
    CALLS.seen.clear()


def vectors_by_id(folder: Path, space: int = 0) -> dict[str, np.ndarray]:
    with open_index(folder) as opened, opened.snapshot() as snapshot:
        numbers, rows = snapshot.vectors_in(space, snapshot.live.numbers.tolist())
        return {one.id: row for one, row in zip(snapshot.passages(numbers), rows, strict=True)}


def shares(folder: Path) -> dict[str, int]:
    with open_index(folder) as opened:
        return {space.name: space.passages for space in opened.status().spaces}


def test_a_model_that_is_added_has_the_vectors_of_an_index_made_with_it(corpus: Path, tmp_path: Path, calls: Calls) -> None:
    made = index(corpus)
    assert calls.since() == made.embedded
    filled = add_model(backend=HALF)
    assert (filled.space, filled.vectors, filled.left_out) == ("half", made.embedded, {})
    assert calls.since() == made.embedded  # and no file was read for its words
    rag.build_index(corpus, index="alone", backend=HALF, ocr="never")
    alone, beside = vectors_by_id(Path("indexes/alone")), vectors_by_id(Path("indexes/default"), space=1)
    assert alone.keys() == beside.keys()
    for name, row in alone.items():
        np.testing.assert_allclose(beside[name], row, atol=2e-3)
    calls.since()
    again = add_model(backend=HALF)
    assert (again.vectors, calls.since()) == (0, 0)


def test_later_runs_fill_every_model_and_moved_files_cost_neither_a_call(corpus: Path, calls: Calls) -> None:
    index(corpus)
    add_model(backend=HALF)
    calls.since()
    (corpus / "new.md").write_text("# Pilots\n\nThe pilot boat Seagull leaves at dawn.\n")
    report = index(corpus)
    assert calls.since() == 2 and any("half: 1 vector made" in note for note in report.notes)
    (corpus / "new.md").rename(corpus / "moved.md")
    report = index(corpus)
    assert (report.moved, calls.since()) == (1, 0) and not any("half" in note for note in report.notes)
    folder = Path("indexes/default")
    with open_index(folder) as opened:
        status = opened.status()
        assert status.spaces[0].passages == sum(status.passages.values())


def test_a_fill_that_is_stopped_or_fails_goes_on_where_it_was(corpus: Path, calls: Calls) -> None:
    made = index(corpus, jobs=0)
    calls.since()
    CountingHalf.interrupted = True
    with pytest.raises(Interrupted, match=f"stopped after . of {made.embedded} vectors of half; what is made is committed"):
        add_model(backend=HALF, jobs=0)
    stopped = calls.since()
    assert shares(Path("indexes/default")) == {"half": stopped} and 0 < stopped < made.embedded
    CountingHalf.interrupted = False
    CALLS.documents = 2
    CountingHalf.failing = BackendError("the model is away", remedy="bring it back")
    with pytest.raises(BackendError, match="the model is away"):
        add_model(backend=HALF, jobs=0)
    report = index(corpus, jobs=0)  # the documents are not held up by a model that is away
    lacking = made.embedded - stopped
    assert any(f"half lacks {lacking} content" in note and "the model is away" in note for note in report.notes)
    CountingHalf.failing = None
    calls.since()
    assert add_model(backend=HALF, jobs=0).vectors == lacking == calls.since()


def test_what_a_search_showed_is_made_first_then_what_is_recent(corpus: Path, calls: Calls) -> None:
    for at in range(8):
        file = corpus / f"note {at}.md"
        file.write_text(f"# Note {at}\n\nThe tide table of quay number {at}, word{at}.\n")
        os.utime(file, (1_000_000_000 + at, 1_000_000_000 + at))  # older than all else
    index(corpus)
    folder = Path("indexes/default")
    with writing(folder) as writer:
        writer.spaces.add("half", HalfEmbedder.fingerprint, {"backend": json.dumps(HALF)})
        writer.commit()
    with rag.open_index() as searcher:
        assert searcher.query('"word2"')[0].document == "note 2.md"
        assert searcher.query('"word5"')[0].document == "note 5.md"
    CALLS.seen.clear()
    add_model(backend=HALF, jobs=0)
    order = [text.split("word")[1][0] if "word" in text else "-" for text in CALLS.seen]
    notes = [at for at in order if at != "-"]
    assert set(order[:2]) == {"5", "2"} and sorted(notes) == list("01234567") and not (folder / FILE).exists()


def test_a_search_is_heard_in_the_middle_of_a_fill(corpus: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(20):
        file = corpus / f"note {at}.md"
        file.write_text(f"# Note {at}\n\nThe tide table of quay number {at}, word{at}.\n")
        os.utime(file, (1_000_000_000 + at, 1_000_000_000 + at))
    index(corpus)
    monkeypatch.setattr(fill_run, "AT_ONCE", 2)
    asked: list[int] = []

    class Searched(CountingHalf):
        def embed(self, contents: Sequence[Content], *, role: Role) -> Any:
            if role == "document" and not asked:
                asked.append(CALLS.documents)
                with open_index(Path("indexes/default")) as opened:
                    with opened.snapshot() as snapshot:
                        ((number, *_),) = snapshot.containing("word3", 1)
                    opened.ask_first([number])
            return super().embed(contents, role=role)

    monkeypatch.setattr("tests.e2e.test_spaces.CountingHalf", Searched)
    CALLS.seen.clear()
    add_model(backend=HALF, jobs=0)
    place = next(at for at, text in enumerate(CALLS.seen) if text.rstrip().endswith("word3."))
    assert place <= 8 < len(CALLS.seen) - 10  # by date it would come last but three


def test_a_changed_picture_is_left_out_until_it_is_read(corpus: Path) -> None:
    from PIL import Image

    index(corpus)
    Image.new("RGB", (64, 64), "green").save(corpus / "a" / "IMG_2.png")
    assert add_model(backend=HALF).left_out == {CHANGED: 1}
    index(corpus)
    with open_index(Path("indexes/default")) as opened:
        status = opened.status()
        assert status.spaces[0].passages == sum(status.passages.values())


def test_a_model_that_only_reads_gets_the_words_of_a_picture(corpus: Path) -> None:
    (corpus / "page.md").write_text("# Fleet\n")
    index(corpus)
    filled = add_model(backend="tests.e2e.test_spaces:ReadingHalf")
    assert sum(filled.left_out.values()) == 1 and "a picture without words" in next(iter(filled.left_out))


def test_pictures_that_are_one_to_the_first_model_are_one_to_every_other(corpus: Path) -> None:
    """The first model looks at pixels alone: a model that reads captions is not told them, as the other picture has others."""
    (corpus / "b").mkdir()
    (corpus / "b" / "copy.jpg").write_bytes((corpus / "a" / "IMG_1.jpg").read_bytes())
    (corpus / "b" / "copy.jpg.txt").write_text("a red barge")
    rag.build_index(corpus, backend="tests.e2e.test_spaces:LookingHalf", ocr="never")
    CALLS.seen.clear()
    filled = add_model(backend="tests.e2e.test_spaces:Captioned")
    assert filled.left_out == {} and not any("barge" in text or "Seagull" in text for text in CALLS.seen)
    assert shares(Path("indexes/default")) == {"captioned": len(vectors_by_id(Path("indexes/default")))}


def test_pictures_are_words_to_every_model_where_the_first_does_not_see(corpus: Path) -> None:
    rag.build_index(corpus, backend="tests.e2e.test_spaces:ReadingHalf", ocr="never")
    CALLS.seen.clear()
    heard: list[str] = []
    filled = add_model(backend="tests.e2e.test_spaces:Captioned", say=heard.append)
    assert filled.left_out == {} and "pictures are known to this index by their words" in heard[0]
    assert "the pilot boat Seagull in dry dock" in CALLS.seen


def test_changing_the_model_is_add_fill_drop(corpus: Path, calls: Calls) -> None:
    index(corpus)
    with pytest.raises(WrongRequest, match="lite is the only model of the index"):
        drop_model("lite")
    add_model(backend=HALF)
    with pytest.raises(WrongRequest, match="no model called 'whole'"):
        drop_model("whole")
    assert drop_model("lite") == "lite was dropped; half is the first model of the index now"
    calls.since()
    with rag.open_index() as searcher:
        assert searcher.embedder.fingerprint.model == "half"
        assert searcher.query("pilot boat Seagull")[0].document == "a/IMG_1.jpg"
    report = rag.build_index(corpus)
    assert (report.indexed, report.unchanged, calls.since()) == (0, 5, 0)
    add_model(backend=COUNTING)
    assert shares(Path("indexes/default")).keys() == {"lite"}
    assert drop_model("lite") == "lite was dropped" and shares(Path("indexes/default")) == {}


def test_a_rebuild_keeps_the_models(corpus: Path, calls: Calls) -> None:
    index(corpus)
    add_model(backend=HALF)
    calls.since()
    report = index(corpus, rebuild=True)
    assert calls.since() == 2 * report.embedded
    with open_index(Path("indexes/default")) as opened:
        status = opened.status()
        assert status.spaces[0].passages == sum(status.passages.values())


def test_lite_at_once_and_the_model_behind(corpus: Path) -> None:
    CountingHalf.interrupted = True
    with pytest.raises(Interrupted):
        build_lite_first(corpus, backend=HALF, ocr="never", jobs=0)
    with rag.open_index(backend="lite") as searcher:
        assert searcher.query("pilot boat Seagull")[0].document == "a/IMG_1.jpg"
    CountingHalf.interrupted = False
    report = build_lite_first(corpus, backend=HALF, ocr="never", jobs=0)
    assert report.unchanged == 5 and report.notes[-1].startswith("half: ")
    assert shares(Path("indexes/default"))["half"] == len(vectors_by_id(Path("indexes/default")))


def test_the_commands(corpus: Path, rag: Any) -> None:
    assert rag("index", str(corpus), "--ocr", "never").code == 0
    added = rag("index", "--add-model", "half", "--backend", "tests.unit.half_model:HalfEmbedder")
    assert added.code == 0 and added.out.startswith("half: ") and "vectors made in" in added.out
    listed = rag("models", "--json").json
    assert [(one["name"], one["share"], one["dim"]) for one in listed] == [("lite", 1.0, 1280), ("half", 1.0, 513)]
    assert "half: half" not in rag("status").out and "and model   half, revision" in rag("status").out
    refused = rag("index", str(corpus), "--add-model", "half")
    assert refused.code == 2 and "--add-model reads no folder" in refused.err
    refused = rag("index", "--add-model", "half", "--watch")
    assert refused.code == 2 and "--add-model and --watch cannot be combined" in refused.err
    again = rag("index", "--add-model", "half", "--backend", "tests.unit.half_model:HalfEmbedder", "--json")
    assert (again.json["space"], again.json["vectors"], again.json["left_out"]) == ("half", 0, {})
    assert rag("models", "drop", "half").out == "half was dropped\n"
    assert [one["name"] for one in rag("models", "--json").json] == ["lite"]


def test_a_server_with_other_weights_fills_nothing_and_is_not_asked(corpus: Path) -> None:
    from rag.errors import AnotherModel
    from rag.index.writer.writer import writing
    from rag.models.canaries import embed_canaries

    index(corpus)
    add_model(backend=HALF)
    folder = Path("indexes/default")
    with writing(folder) as writer:
        space = writer.spaces.named("half")
        assert space is not None
        other = embed_canaries(HalfEmbedder(None))  # type: ignore[arg-type]
        turned = other["canaries"].replace("text", "picture_").replace('"picture"', '"text"').replace("picture_", "picture")
        writer.spaces.keep_settings(space, {**space.settings, "canaries": turned})
        writer.commit()
    with pytest.raises(AnotherModel):
        add_model(backend=HALF)
    (corpus / "new.md").write_text("# Ferry\n\nIt sails at noon.\n")
    assert any("half lacks 1 content" in note and "claims to be half" in note for note in index(corpus).notes)
    with rag.open_index() as searcher:
        results = searcher.search("ferry")
        assert results.hits[0].document == "new.md"
        assert any(note.startswith("half was not asked") for note in results.notes)
