"""Later runs: what changed is read, what did not is not opened, and nothing is lost by accident."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import EmbedderMismatch, WrongRequest, WrongSetting
from rag.index.moment import Moment
from rag.types import Content, Document, Role
from tests.e2e.conftest import COUNTING, Calls, CountingEmbedder
from tests.e2e.runs import found, index


def test_an_unchanged_folder_costs_no_model_call_and_opens_no_file(corpus: Path, calls: Calls) -> None:
    first = index(corpus)
    assert (first.indexed, calls.since()) == (5, first.embedded)
    opened: list[str] = []
    watching = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[0]).startswith(str(corpus)):
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    again = index(corpus)
    watching.clear()
    assert (again.unchanged, again.indexed, calls.since(), opened) == (5, 0, 0, [])


def test_a_changed_file_is_read_again_and_its_old_words_are_gone(corpus: Path, calls: Calls) -> None:
    index(corpus)
    calls.since()
    (corpus / "a/report.txt").write_text("Ferry tickets become cheaper in autumn.\n")
    assert (index(corpus).indexed, calls.since()) == (1, 1)
    assert found("ferry tickets")[0] == "a/report.txt"
    with rag.open_index(backend=COUNTING) as searcher:
        assert all("Harbour traffic" not in hit.snippet for hit in searcher.query("harbour traffic"))


def test_a_moved_and_a_copied_file_cost_no_model_call(corpus: Path, calls: Calls) -> None:
    index(corpus)
    calls.since()
    (corpus / "b").mkdir()
    (corpus / "a/report.txt").rename(corpus / "b/renamed.txt")
    report = index(corpus)
    assert (report.moved, report.reused, report.removed, calls.since()) == (1, 0, 0, 0)
    assert found("harbour traffic")[0] == "b/renamed.txt"
    assert "a/report.txt" not in found("harbour traffic")
    shutil.copy(corpus / "b/renamed.txt", corpus / "b/copy.txt")
    report = index(corpus)
    assert (report.moved, report.reused, calls.since()) == (0, 1, 0)
    assert set(found("harbour traffic", fold=False)[:2]) == {"b/copy.txt", "b/renamed.txt"}
    assert "b/renamed.txt" not in found("harbour traffic")  # under its copy, which comes first by its path


def test_a_touched_file_costs_no_model_call(corpus: Path, calls: Calls) -> None:
    index(corpus)
    calls.since()
    os.utime(corpus / "a/report.txt", (1, 1))
    report = index(corpus)
    assert (report.reused, report.indexed, calls.since()) == (1, 0, 0)
    assert index(corpus).unchanged == 5


def test_a_deleted_file_is_forgotten(corpus: Path) -> None:
    index(corpus)
    (corpus / "a/report.txt").unlink()
    assert index(corpus).removed == 1
    assert "a/report.txt" not in found("harbour traffic")


def test_a_hit_whose_file_is_gone_is_not_shown(corpus: Path) -> None:
    index(corpus)
    (corpus / "a/report.txt").unlink()
    with rag.open_index(backend=COUNTING) as searcher:
        results = searcher.search("harbour traffic")
    assert "a/report.txt" not in [hit.document for hit in results.hits]
    assert "gone" in results.notes[0]


def test_a_part_indexed_alone_touches_nothing_else(corpus: Path) -> None:
    index(corpus)
    (corpus / "page.md").unlink()
    (corpus / "a/new.txt").write_text("A lighthouse keeper's diary.\n")
    report = index(corpus / "a")
    assert (report.indexed, report.removed, report.unchanged) == (1, 0, 4)
    assert found("lighthouse keeper")[0] == "a/new.txt"
    with rag.open_index(backend=COUNTING) as searcher:
        assert searcher.status().documents == 6


def test_an_emptied_root_wipes_nothing(corpus: Path, tmp_path: Path) -> None:
    index(corpus)
    corpus.rename(tmp_path / "elsewhere")
    with pytest.raises(WrongRequest, match="no such folder"):
        index(corpus)
    report = index()
    assert (report.removed, "is not there" in report.notes[0]) == (0, True)
    corpus.mkdir()
    report = index(corpus)
    assert (report.removed, "which are kept" in report.notes[0]) == (0, True)
    corpus.rmdir()
    (tmp_path / "elsewhere").rename(corpus)
    assert index(corpus).unchanged == 5


def test_a_folder_that_cannot_be_read_loses_nothing(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(corpus)
    real = os.scandir

    def refusing(path: str) -> object:
        if str(path).rstrip("/").endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = index(corpus)
    assert report.removed == 0
    assert [(str(one.document), one.reason) for one in report.skipped] == [
        ("corpus/a", "the folder cannot be read: Permission denied")
    ]


def test_several_roots_in_one_index(corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "recipe.txt").write_text("Soup of leeks and potatoes.\n")
    index(corpus)
    index(other)
    assert found("soup of leeks")[0] == "recipe.txt"
    assert found("harbour traffic soup", roots=["other"]) == ["recipe.txt"]
    assert found("harbour traffic", roots=["other"]) == []
    with pytest.raises(WrongRequest, match="no root is called 'nowhere'"):
        found("x", roots=["nowhere"])
    assert index().unchanged == 6


def test_a_folder_above_a_known_root_takes_it_over_without_a_model_call(corpus: Path, calls: Calls) -> None:
    (corpus / "page.md").write_text("# Fleet without a picture\n")
    index(corpus / "a")
    calls.since()
    report = index(corpus)
    assert calls.since() == report.indexed == 1
    with rag.open_index(backend=COUNTING) as searcher:
        assert list(searcher.status().roots) == ["corpus"]
        assert searcher.status().documents == 5


def test_forgetting_documents_folders_and_roots(corpus: Path) -> None:
    index(corpus)
    assert rag.remove_documents(str(corpus / "a/report.txt")) == 1
    assert rag.remove_documents("a") == 3
    assert found("crane") != ["a/minutes.txt"]
    assert rag.remove_documents(str(corpus)) == 1
    with pytest.raises(WrongRequest, match="holds nothing called"):
        rag.remove_documents("nothing.txt")
    assert index(corpus).reused + index(corpus).unchanged >= 5


def test_the_caption_of_a_picture_follows_its_sources(corpus: Path, calls: Calls) -> None:
    index(corpus)
    assert found("pilot boat Seagull")[0] == "a/IMG_1.jpg"
    assert found("tug called Heron", kinds=["image"])[0] == "a/IMG_2.png"
    calls.since()
    (corpus / "page.md").write_text("# Fleet\n\n![an icebreaker called Walrus](a/IMG_2.png)\n")
    index(corpus)
    assert calls.since() == 2
    with rag.open_index(backend=COUNTING) as searcher:
        best = searcher.query("icebreaker Walrus", kinds=["image"])[0]
        assert (best.document, best.snippet) == ("a/IMG_2.png", "an icebreaker called Walrus")
    (corpus / "a/IMG_1.jpg.txt").unlink()
    (corpus / "page.md").unlink()
    index(corpus)
    with rag.open_index(backend=COUNTING, reranker="none") as searcher:
        assert {hit.snippet for hit in searcher.query("boat", kinds=["image"])} == {""}


def test_another_model_and_another_reading_are_refused(corpus: Path) -> None:
    index(corpus)
    with pytest.raises(WrongSetting, match="was made with frame_seconds"):
        index(corpus, frame_seconds=9.0)
    assert index(corpus, frame_seconds=9.0, rebuild=True).indexed == 5
    with pytest.raises(EmbedderMismatch, match="was made with lite"):
        rag.build_index(corpus, backend="tests.e2e.test_incremental:OtherEmbedder")
    with pytest.raises(EmbedderMismatch), rag.open_index(backend="tests.e2e.test_incremental:OtherEmbedder") as searcher:
        searcher.query("harbour")


class OtherEmbedder:
    """An embedder that was never asked: its fingerprint alone is compared."""

    from rag.types import Fingerprint

    fingerprint = Fingerprint("other", "1", 64, "", "none")
    modalities = frozenset({"text"})
    reads_clues = False
    batch = 8

    def __init__(self, choice: object) -> None:
        """Takes any choice."""

    def embed(self, contents: object, *, role: str) -> object:
        raise AssertionError("an index of another model must be refused before a vector is made")


def test_an_interrupted_run_goes_on_where_it_stopped(corpus: Path, calls: Calls) -> None:
    for number in range(40):
        (corpus / f"n{number:02}.txt").write_text(f"note number {number} on the subject of buoy {number}\n")
    stops = iter(range(20))

    def tell(seen: object) -> None:
        if next(stops, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(rag.RagError, match="stopped after") as caught:
        index(corpus, tell=tell)
    assert caught.value.remedy == "run the same command to go on"
    before = calls.since()
    assert 0 < before < 45
    report = index(corpus)
    assert calls.since() == 45 - before
    assert report.unchanged + report.reused == before  # reused: a picture whose caption was not committed with it
    assert found("note on buoy 39")[0] == "n39.txt"


def test_a_query_during_which_another_thread_moves_on_is_of_one_commit(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(corpus)
    with rag.open_index(backend=COUNTING, reranker="none") as searcher:
        reader = searcher.index
        read, moves = Moment.passages, iter(range(1))

        def passages(moment: Moment, numbers: Sequence[int]) -> Any:
            if next(moves, None) is not None:
                for file in corpus.rglob("*.txt"):
                    file.write_text(file.read_text() + "And a lighthouse.\n")
                index(corpus)
                with ThreadPoolExecutor() as pool:
                    assert pool.submit(reader.refresh).result()
            return read(moment, numbers)

        monkeypatch.setattr(Moment, "passages", passages)
        before = searcher.search("harbour", paths=["*.txt"])
        assert before.hits and not any("lighthouse" in words for words in before.texts().values())
        after = searcher.search("harbour", paths=["*.txt"])
        assert after.hits and all("lighthouse" in words for words in after.texts().values())
        assert before.generations["default"] < after.generations["default"] == reader.generation


class TextOnlyEmbedder(CountingEmbedder):
    """A model that only reads."""

    modalities = frozenset({"text"})

    def embed(self, contents: Sequence[Content], *, role: Role) -> Any:
        assert all(content.modality == "text" and not content.pixels for content in contents)
        return super().embed(contents, role=role)


def test_a_model_that_only_reads_is_given_the_words_of_a_picture(corpus: Path) -> None:
    (corpus / "page.md").write_text("# Fleet\n")
    report = rag.build_index(corpus, backend="tests.e2e.test_incremental:TextOnlyEmbedder", ocr="never")
    assert [(str(one.document), one.reason) for one in report.skipped] == [
        ("corpus/a/IMG_2.png", "a picture without words, for a model that only reads: lite")
    ]
    with rag.open_index() as searcher:
        assert searcher.query("pilot boat Seagull")[0].document == "a/IMG_1.jpg"
        results = searcher.search("pilot boat Seagull", image=corpus / "a/IMG_2.png")
        assert results.hits[0].document == "a/IMG_1.jpg"
        assert results.notes == ("lite only reads: the picture counts by its words alone",)
        with pytest.raises(WrongRequest, match="only reads, and no words are in the picture"):
            searcher.search(image=corpus / "a/IMG_2.png")


# ---- what documents say of pictures ------------------------------------------------------------


def caption(name: str) -> str:
    with rag.open_index(backend=COUNTING, reranker="none") as searcher:
        return next(hit.snippet for hit in searcher.query("boat", kinds=["image"]) if hit.document == name)


def test_a_caption_arrives_although_the_run_was_stopped_before_its_picture(corpus: Path) -> None:
    index(corpus)
    (corpus / "page.md").write_text("![an icebreaker called Walrus](a/IMG_2.png)\n")

    def tell(seen: Any) -> None:
        if seen.path == "a/IMG_2.png":
            raise KeyboardInterrupt

    with pytest.raises(rag.RagError, match="stopped after 1 doc"):
        index(corpus, tell=tell)
    assert caption("a/IMG_2.png") == "a tug called Heron"
    assert (index(corpus).indexed, caption("a/IMG_2.png")) == (1, "an icebreaker called Walrus")


def test_a_part_does_not_reach_the_pictures_it_shows_elsewhere(corpus: Path) -> None:
    from PIL import Image

    (corpus / "b").mkdir()
    (corpus / "b/page.md").write_text("![the Heron at night](../a/IMG_2.png) ![new](../a/IMG_3.png)\n")
    Image.new("RGB", (64, 48), (9, 200, 9)).save(corpus / "a/IMG_3.png")
    index(corpus / "a")
    assert caption("IMG_2.png") == ""
    index(corpus)
    assert caption("a/IMG_2.png") == "the Heron at night a tug called Heron"
    (corpus / "b/page.md").write_text("![the Heron at dawn](../a/IMG_2.png)\n")
    report = index(corpus / "b")
    assert (report.indexed, report.unchanged, caption("a/IMG_2.png")) == (1, 0, "the Heron at night a tug called Heron")
    report = index(corpus)
    assert (report.indexed, report.reused, report.unchanged) == (1, 1, 5)  # the third had no caption once
    assert caption("a/IMG_2.png") == "the Heron at dawn a tug called Heron"


def test_a_picture_that_is_no_document_is_not_indexed_because_one_shows_it(corpus: Path, tmp_path: Path) -> None:
    for folder in (corpus / ".hidden", tmp_path / "outside"):
        folder.mkdir()
        shutil.copy(corpus / "a/IMG_2.png", folder / "secret.png")
    (corpus / "link").symlink_to(tmp_path / "outside")
    index(corpus)
    (corpus / "page.md").write_text("![one](.hidden/secret.png) ![two](link/secret.png)\n")
    index(corpus)
    with rag.open_index(backend=COUNTING) as searcher:
        assert searcher.status().documents == 5


# ---- counts --------------------------------------------------------------------------------------


def test_each_document_is_counted_once_and_where_it_belongs(corpus: Path, calls: Calls) -> None:
    for name in ("one", "two"):
        (corpus / f"{name}.txt").write_text("The same words twice over.\n")
    index(corpus)
    calls.since()
    for name in ("one", "two"):
        (corpus / f"{name}.txt").rename(corpus / f"new-{name}.txt")
    report = index(corpus)
    assert (report.moved, report.reused, report.removed, calls.since()) == (2, 0, 0, 0)
    (corpus / "new-one.txt").unlink()
    os.utime(corpus / "new-two.txt", (1, 1))
    report = index(corpus)
    assert (report.moved, report.reused, report.removed) == (0, 1, 1)
    (corpus / "page.md").write_text("![a tug called Egret](a/IMG_2.png)\n")
    report = index(corpus)
    assert (report.indexed, report.unchanged) == (2, 4)


def test_the_same_bytes_under_another_suffix_are_read_another_way(corpus: Path) -> None:
    (corpus / "ships.txt").write_text("ship,length\nHeron,31\n")
    index(corpus)
    (corpus / "ships.txt").rename(corpus / "ships.csv")
    index(corpus)
    with rag.open_index(backend=COUNTING) as searcher:
        assert searcher.query("Heron length", paths=["ships.csv"])[0].context.heading == "ship,length"


def test_what_the_system_refused_is_tried_again(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.identity import content_digest

    def refused(document: Document) -> bytes:
        if document.id.path == "a/report.txt":
            raise PermissionError(13, "Permission denied")
        return content_digest(document)

    with monkeypatch.context() as patch:
        patch.setattr("rag.decoding.work.content_digest", refused)
        assert [one.reason for one in index(corpus).skipped] == ["cannot be opened: Permission denied"]
        assert len(index(corpus).skipped) == 1
    report = index(corpus)
    assert (report.indexed, report.unchanged, report.skipped) == (1, 4, ())


def test_a_file_that_goes_while_it_is_looked_at_is_no_skipped_one(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanishing(seen: Any) -> None:
        (corpus / "a/report.txt").unlink(missing_ok=True)
        (corpus / "a/IMG_1.jpg.txt").unlink(missing_ok=True)

    report = index(corpus, tell=vanishing)
    assert (report.indexed, [(one.document.path, one.reason) for one in report.skipped]) == (
        4,
        [("a/IMG_1.jpg.txt", "as a caption: cannot be opened: No such file or directory")],
    )


# ---- roots ---------------------------------------------------------------------------------------
