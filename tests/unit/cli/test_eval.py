"""`rag eval` from end to end: sets that bring documents, an index of one's own, comparisons and runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.errors import WrongRequest
from rag.indexing.build import build_index
from tests.unit.evaluation.test_sets import beir, written

DOCUMENTS = (
    '{"document": "wing.txt", "text": "the lift of a wing in a slipstream"}',
    '{"document": "shock.txt", "text": "shock waves before a blunt body"}',
    '{"document": "heat.txt", "text": "heat transfer through a boundary layer"}',
)
QUERIES = (
    '{"query": "1", "text": "lift of wings", "relevant": {"wing.txt": 1}}',
    '{"query": "2", "text": "blunt body", "relevant": {"shock.txt": 1}}',
    '{"query": "3", "text": "quantum gravity", "relevant": {"heat.txt": 1}}',
)


def ran(*words: object) -> str:
    done = CliRunner().invoke(app, ["eval", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return written(tmp_path, "small.jsonl", *DOCUMENTS, *QUERIES)


def test_a_collection_is_indexed_and_measured_stage_by_stage(collection: Path) -> None:
    table = json.loads(ran(collection, "--json"))
    assert list(table) == ["all"]
    assert list(table["all"]) == ["dense", "lexical", "fused", "reranked", "hits"]
    assert table["all"]["hits"]["queries"] == 3
    assert table["all"]["lexical"]["Success@5"] == table["all"]["hits"]["RR"] == pytest.approx(2 / 3)


def test_the_form_of_beir_from_end_to_end(tmp_path: Path) -> None:
    table = json.loads(ran(beir(tmp_path / "set"), "--json", "-m", "AP", "-m", "RR@10"))
    assert table["all"]["hits"] == {"AP": 1.0, "RR@10": 1.0, "queries": 1}


def test_an_index_is_compared_with_settings_with_another_index_and_with_kept_runs(collection: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    for name, text in (("wing.txt", "the lift of a wing"), ("shock.txt", "shock waves before a blunt body")):
        written(corpus, name, text)
    build_index(corpus, index=str(tmp_path / "indexes/mine"))
    by_settings = json.loads(ran(collection, "-i", "mine", "--against", "reranker=none", "--run", "kept", "--json"))
    assert by_settings["--against"]["lexical"]["RR"]["difference"] == 0
    by_run = json.loads(ran(collection, "-i", "mine", "--against", "kept", "--json"))
    assert by_run["--against"]["hits"]["nDCG@10"]["equal"] == 3
    written(tmp_path / "few", "shock.txt", "shock waves before a blunt body")
    build_index(tmp_path / "few", index=str(tmp_path / "indexes/less"))
    by_index = json.loads(ran(collection, "-i", "mine", "--against", "less", "--worst", 1, "--json", "-q", "--failures"))
    assert by_index["--against"]["hits"]["RR"]["better"] == 1
    assert by_index["--per-query"]["hits"]["RR"] == {"1": 1.0, "2": 1.0, "3": 0.0}
    assert by_index["--failures"] == ["3"]
    text = ran(collection, "-i", "less", "--against", "kept", "--worst", 2)
    assert "1: lift of wings" in text and "wing.txt" in text and "against kept" in text


def test_documents_that_an_index_lacks_are_told(collection: Path, tmp_path: Path) -> None:
    written(tmp_path / "corpus", "wing.txt", "the lift of a wing")
    build_index(tmp_path / "corpus", index=str(tmp_path / "indexes/mine"))
    done = CliRunner().invoke(app, ["eval", str(collection), "-i", "mine"], catch_exceptions=False)
    assert "note: 33% of the relevant documents are in mine; the others count as not found" in done.stderr


def test_a_tag_that_no_query_has_is_refused(collection: Path) -> None:
    with pytest.raises(WrongRequest, match="has no judged query with the tag 'none'"):
        ran(collection, "--only", "none")


def test_models_of_an_index_alone_and_together(collection: Path, tmp_path: Path) -> None:
    from rag.indexing.spaces import add_model

    corpus = tmp_path / "corpus"
    for name, text in (
        ("wing.txt", "the lift of a wing"),
        ("shock.txt", "shock waves before a blunt body"),
        ("heat.txt", "heat"),
    ):
        written(corpus, name, text)
    build_index(corpus, index=str(tmp_path / "indexes/mine"), backend="lite")
    with pytest.raises(WrongRequest, match="the index has one model: lite"):
        ran(collection, "-i", "mine", "--by-space")
    add_model(tmp_path / "indexes/mine", backend="tests.unit.half_model:HalfEmbedder")
    found = json.loads(ran(collection, "-i", "mine", "--by-space", "--json"))
    assert list(found["models"]) == ["lite", "half", "all"] and found["models"]["all"].keys() == {"fused", "hits"}
    assert found["models"]["lite"]["hits"]["RR"] == pytest.approx(2 / 3)
    assert list(found["--by-space"]) == ["lite", "half"] and found["--by-space"]["half"]["RR"]["p"] == 1.0
    text = ran(collection, "-i", "mine", "--by-space")
    assert "no difference that these queries can tell: nDCG@10 0.667 with all, 0.667 with lite alone (p 1.000)" in text
    only = json.loads(ran(collection, "-i", "mine", "--space", "half", "--against", "space=lite", "--json"))
    assert only["all"].keys() == {"dense", "lexical", "fused", "reranked", "hits"} and only["--against"]["hits"]["RR"]["p"] == 1.0
    both = json.loads(ran(collection, "-i", "mine", "--json"))
    assert "dense:half" in both["all"]
    with pytest.raises(WrongRequest, match="--by-space cannot be combined with --space, --worst"):
        ran(collection, "-i", "mine", "--by-space", "--space", "lite", "--worst", "3")
    with pytest.raises(WrongRequest, match="--by-space is about rankings"):
        ran(collection, "-i", "mine", "--by-space", "--ask")


def test_queries_by_a_picture_are_left_out_where_a_model_only_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    from rag.indexing.spaces import add_model

    monkeypatch.chdir(tmp_path)
    for name, text in (("wing.txt", "the lift of a wing"), ("shock.txt", "shock waves before a blunt body")):
        written(tmp_path / "corpus", name, text)
    Image.new("RGB", (64, 64), "green").save(tmp_path / "green.png")
    build_index(tmp_path / "corpus", index=str(tmp_path / "indexes/mine"), backend="lite")
    add_model(tmp_path / "indexes/mine", backend="tests.e2e.test_spaces:ReadingHalf")
    queries = written(
        tmp_path, "queries.jsonl",
        '{"id": "1", "query": "lift", "relevant": [{"document": "wing.txt", "grade": 1}]}',
        '{"id": "2", "image": "green.png", "relevant": [{"document": "shock.txt", "grade": 1}]}',
    )  # fmt: skip
    done = CliRunner().invoke(app, ["eval", str(queries), "-i", "mine", "--by-space"], catch_exceptions=False)
    assert done.exit_code == 0 and "1 query by a picture left out: a model of the index only reads" in done.output
    assert "nDCG@10 1.000 with all, 1.000 with lite alone" in done.output
