"""An index in Milvus as one sees it who may see some of its roots: it answers as a folder that holds these alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rag
from rag.api.keys import KeyFile
from tests.unit.api.test_keys import VAULT, make_folders, show_nothing_hidden
from tests.unit.index.reader.test_limited import QUERIES, make_corpus, told


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    place = tmp_path_factory.mktemp("limited")
    shown, hidden = make_corpus(place)
    for folder in (hidden, shown):
        rag.build_index(folder, index=f"milvus-lite://{place}/mixed.db", ocr="never", jobs=0)
    rag.build_index(shown, index=place / "alone", ocr="never", jobs=0)
    return f"milvus-lite://{place}/mixed.db", place / "alone"


@pytest.mark.parametrize("asked", [{}, {"whole": True}, {"paths": ["file1*"]}], ids=str)
def test_it_answers_as_a_folder_of_its_roots_alone(places: tuple[str, Path], asked: dict[str, Any]) -> None:
    address, alone = places
    with rag.open_index(address, ocr="never") as everything, rag.open_index(alone, ocr="never") as expected:
        limited = everything.limited_to(["shown"])
        for words in QUERIES:
            found, truth = told(limited, words, **asked), told(expected, words, **asked)
            for what in ("notes", "good", "total"):
                assert found[what] == truth[what], (words, what)
            assert found["lexical"] == pytest.approx(truth["lexical"], abs=5e-6), words
            assert places_of(found) == pytest.approx(places_of(truth), abs=5e-6), words
        ours, theirs = limited.status(), expected.status()
        assert (ours.documents, ours.passages, list(ours.roots)) == (theirs.documents, theirs.passages, ["shown"])
        with limited.index.snapshot() as moment, expected.index.snapshot() as truth:
            asked_words = ("harbour", "zanzibar", "tide", "KeyError", "lighthousekeeper")
            assert moment.document_frequencies(asked_words) == truth.document_frequencies(asked_words)
            assert sorted(moment.document_paths()) == sorted(truth.document_paths())


def places_of(found: dict[str, Any]) -> dict[str, float]:
    return {hit["id"]: hit["score"] for hit in found["hits"]}


@pytest.mark.parametrize("indexes", [[], ["mixed"]], ids=["root", "index and root"])
def test_no_route_shows_what_is_hidden_in_milvus(tmp_path: Path, indexes: list[str]) -> None:
    shown, hidden = make_folders(tmp_path)
    places = {"mixed": f"milvus-lite://{tmp_path}/mixed.db", "other": str(tmp_path / f"indexes/{VAULT}-index")}
    for folder, index in ((hidden, "mixed"), (shown, "mixed"), (hidden, "other")):
        rag.build_index(folder, index=places[index], ocr="never", jobs=0)
    keys = KeyFile(tmp_path / "config/keys.json")
    show_nothing_hidden(places, keys, keys.add("guest", indexes, ["open"], read_only=True))
