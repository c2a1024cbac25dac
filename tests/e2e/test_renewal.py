"""An index made by earlier rules for words: it answers as it did until a run renews it, from what it holds, in one commit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rag
from rag.backends.lite.embedder import LiteEmbedder
from rag.config import load_settings
from rag.errors import IndexReplaced
from rag.index.catalog import documents
from rag.index.catalog.connection import folding_of, open_to_read, open_to_write
from rag.index.catalog.documents import rebuild_full_text
from rag.index.reader.open_index import open_index
from rag.index.writer.writer import writing
from rag.indexing.renewal import _renewing
from rag.loaders.policy import fixed_settings, policy_of
from rag.search.candidates import UNQUOTED
from rag.text.analyzer import compounds, stems

FOLDER = Path("indexes/default")


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A corpus whose index was made by revision 1 of the folding and revision 2 of the lite features."""
    monkeypatch.chdir(tmp_path)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "vi.txt").write_text("Đường Điện Biên Phủ đóng cửa.\n")
    (corpus / "sum.txt").write_text("The total comes to 12.345,60 EUR.\n")
    (corpus / "lease.txt").write_text("Der Mietvertrag liegt im Ordner und gilt.\n")
    Image.new("RGB", (80, 60), (220, 20, 20)).save(corpus / "plain.png")
    rag.build_index(corpus, ocr="never", backend="lite")
    earlier = LiteEmbedder(revision=2)
    with writing(FOLDER) as writer:
        writer.renew(earlier.fingerprint, _renewing(earlier, policy_of(fixed_settings(load_settings({"ocr": "never"})))))
    with monkeypatch.context() as patched, closing(open_to_write(FOLDER)) as connection, connection:
        patched.setattr(documents, "REVISION", 1)
        patched.setattr(documents, "stored_terms", terms_of_revision_1)
        rebuild_full_text(connection)
    yield corpus


def terms_of_revision_1(text: str) -> list[str]:
    found = list(compounds(text, 1))
    return stems([part for each in found for part in each.parts] + [each.whole for each in found if each.whole])


def documents_of(words: str) -> list[str]:
    with rag.open_index(backend="lite") as searcher:
        return [hit.document for hit in searcher.query(words)]


def notes_of(words: str) -> tuple[str, ...]:
    with rag.open_index(backend="lite") as searcher:
        return searcher.search(words).notes


def state() -> tuple[int, str, int]:
    """(folding, revision of the features, generation)."""
    with open_index(FOLDER) as index, closing(open_to_read(FOLDER)) as connection:
        return folding_of(connection), index.fingerprint.revision, index.generation


def test_until_it_is_renewed_the_old_revision_answers(old: Path) -> None:
    assert state()[:2] == (1, "2")
    with rag.open_index(backend="lite") as searcher:
        assert searcher.embedder.fingerprint.revision == "2"
    assert documents_of("Biên Phủ")[0] == "vi.txt"
    assert documents_of("red picture")[0] == "plain.png"
    assert UNQUOTED in notes_of('"duong dien"')  # the old folding kept đ, so no passage holds the phrase


def test_a_run_renews_it_in_one_commit_and_opens_no_file(old: Path) -> None:
    before = state()[2]
    opened: list[str] = []
    watching = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[0]).startswith(str(old)):
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    report = rag.build_index(old, backend="lite")
    watching.clear()
    assert (report.unchanged, report.indexed, report.embedded, opened) == (4, 0, 0, [])
    assert any("4 passages were analysed anew, and 4 vectors made anew" in note for note in report.notes)
    folding, revision, generation = state()
    assert (folding, revision) == (2, "3")
    assert generation - before <= 2  # the renewal, and what the run itself keeps
    assert documents_of('"duong dien"') == ["vi.txt"]
    assert documents_of("12345.60")[0] == "sum.txt"
    assert documents_of("Vertrag")[0] == "lease.txt"
    assert documents_of("red picture")[0] == "plain.png"
    assert rag.build_index(old, backend="lite").notes == ()


def test_a_renewed_index_is_the_one_that_is_built_anew(old: Path) -> None:
    rag.build_index(old, backend="lite")
    renewed = vectors_by_document(FOLDER)
    rag.build_index(old, backend="lite", ocr="never", index="anew")
    anew = vectors_by_document(Path("indexes/anew"))
    assert renewed.keys() == anew.keys() == {"vi.txt", "sum.txt", "lease.txt", "plain.png"}
    for document, vector in anew.items():
        np.testing.assert_allclose(renewed[document], vector, atol=2e-3)


def vectors_by_document(folder: Path) -> dict[str, np.ndarray]:
    with open_index(folder) as index, index.snapshot() as snapshot:
        numbers = snapshot.live.numbers.tolist()
        rows = snapshot.vectors(numbers)
        return {one.passage.document.path: row for one, row in zip(snapshot.passages(numbers), rows, strict=True)}


def test_an_open_reader_hears_that_the_vectors_are_others(old: Path) -> None:
    with open_index(FOLDER) as index:
        rag.build_index(old, backend="lite")
        with pytest.raises(IndexReplaced), index.snapshot():
            pass
        with pytest.raises(IndexReplaced):
            index.refresh()


def test_a_renewal_that_is_interrupted_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(LiteEmbedder, "anew", stop)
        with pytest.raises(KeyboardInterrupt):
            rag.build_index(old, backend="lite")
    assert state() == before
    assert documents_of("Biên Phủ")[0] == "vi.txt"
    rag.build_index(old, backend="lite")
    assert state()[:2] == (2, "3")
