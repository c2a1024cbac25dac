"""The text side of the small tier with real weights, multilingual-e5-small in 4 bits, on the samples' paraphrases.

The picture side has tiny random weights here, which say nothing: so pictures are asked for by the words that are in them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import rag
from rag.backends.base import Choice
from rag.backends.small.background import Background
from rag.backends.small.embedder import SmallEmbedder
from rag.backends.small.encoders import TextEncoder
from rag.index.reader.open_index import open_index
from rag.types import Content
from tests.models import real_text_weights, small_files

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def tier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("real")
    made, _, _ = small_files.make(place)
    for file in (made / "text").iterdir():
        file.unlink()
    (made / "text").rmdir()
    return real_text_weights.make(made)


def test_it_knows_what_texts_mean_in_two_languages(tier: Path) -> None:
    encoder = TextEncoder(tier / "text")
    asked = encoder.embed(["how to keep food fresh", "如何保持食物新鲜"], "query: ")
    told = encoder.embed(["Store milk in the refrigerator.", "The train leaves at noon.", "牛奶要放在冰箱里。"], "passage: ")
    near = asked @ told.T
    assert (near[:, 0] > near[:, 1]).all() and (near[:, 2] > near[:, 1]).all()


def test_paraphrases_are_found(tier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Background, "ratio", 0.0)
    rag.build_index(SAMPLES / "corpus", index="samples", model=f"small:{tier}")
    asked = [json.loads(line) for line in (SAMPLES / "queries.jsonl").read_text("utf-8").splitlines()]
    asked = [one for one in asked if "paraphrase" in one["tags"]]
    embedder = SmallEmbedder(Choice(model=f"small:{tier}"))
    queries = embedder.embed([Content("text", text=one["query"]) for one in asked], role="query")
    with open_index(Path("indexes/samples")) as index, index.snapshot() as snapshot:
        assert index.fingerprint == embedder.fingerprint
        numbers = snapshot.live.numbers.tolist()
        documents = [one.passage.document.path for one in snapshot.passages(numbers)]
        near = queries @ snapshot.vectors(numbers).T
    found = []
    for one, row in zip(asked, near, strict=True):
        best = list(dict.fromkeys(documents[at] for at in np.argsort(-row)))[:5]
        found.append(bool(set(best) & {each["document"] for each in one["relevant"]}))
    assert (len(found), np.mean(found) >= 0.7) == (7, True)
