"""Indexes and other models: one that does not match, and one that is text-only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import EmbedderMismatch, WrongRequest, WrongSetting
from rag.types import Content, Role
from tests.e2e.conftest import CountingEmbedder
from tests.e2e.runs import index


def test_another_model_and_other_reading_settings_are_refused(corpus: Path) -> None:
    index(corpus)
    with pytest.raises(WrongSetting, match="was made with frame_seconds"):
        index(corpus, frame_seconds=9.0)
    assert index(corpus, frame_seconds=9.0, rebuild=True).indexed == 5
    with pytest.raises(EmbedderMismatch, match="was made with lite"):
        rag.build_index(corpus, backend="tests.e2e.test_other_models:OtherEmbedder")
    with pytest.raises(EmbedderMismatch), rag.open_index(backend="tests.e2e.test_other_models:OtherEmbedder") as searcher:
        searcher.query("harbour")


class OtherEmbedder:
    """An embedder that is never called: only its fingerprint is compared."""

    from rag.types import Fingerprint

    fingerprint = Fingerprint("other", "1", 64, "", "none")
    modalities = frozenset({"text"})
    reads_clues = False
    batch = 8

    def __init__(self, choice: object) -> None:
        """Takes any choice."""

    def embed(self, contents: object, *, role: str) -> object:
        raise AssertionError("an index of another model must be refused before a vector is made")


class TextOnlyEmbedder(CountingEmbedder):
    """A text-only model."""

    modalities = frozenset({"text"})

    def embed(self, contents: Sequence[Content], *, role: Role) -> Any:
        assert all(content.modality == "text" and not content.pixels for content in contents)
        return super().embed(contents, role=role)


def test_a_text_only_model_gets_the_text_of_a_picture(corpus: Path) -> None:
    (corpus / "page.md").write_text("# Fleet\n")
    report = rag.build_index(corpus, backend="tests.e2e.test_other_models:TextOnlyEmbedder", ocr="never")
    assert [(str(one.document), one.reason) for one in report.skipped] == [
        ("corpus/a/IMG_2.png", "a picture without words, for a model that only reads: lite")
    ]
    with rag.open_index() as searcher:
        assert searcher.query("pilot boat Seagull")[0].document == "a/IMG_1.jpg"
        results = searcher.search("pilot boat Seagull", image=corpus / "a/IMG_2.png")
        assert results.hits[0].document == "a/IMG_1.jpg"
        assert results.notes == ("lite is text-only: of the picture, only the text in it counts",)
        with pytest.raises(WrongRequest, match="is text-only, and the picture contains no text"):
            searcher.search(image=corpus / "a/IMG_2.png")
