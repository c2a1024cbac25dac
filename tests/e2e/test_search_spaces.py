"""Searches in an index of several models: each is a lane, what one lacks is unknown to it, and a query may ask for some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import BackendError, WrongRequest
from rag.index.writer.writer import writing
from rag.indexing.spaces import add_model, drop_model
from rag.types import Content, Hit, Role
from tests.e2e.runs import index
from tests.unit.half_model import HalfEmbedder

HALF = "tests.e2e.test_search_spaces:Half"


class Half(HalfEmbedder):
    """Counts the queries it embeds, and fails where a test says so."""

    queries = 0
    failing = False

    def embed(self, contents: Sequence[Content], *, role: Role) -> Any:
        if role == "query":
            if type(self).failing:
                raise BackendError("the model is away", remedy="bring it back")
            type(self).queries += len(contents)
        return super().embed(contents, role=role)


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Half, "queries", 0)
    monkeypatch.setattr(Half, "failing", False)


def scored(hits: Sequence[Hit]) -> list[tuple[str, float, float, str]]:
    return [(hit.id, hit.score, hit.fused, str(hit.lanes)) for hit in hits]


def test_an_index_of_one_model_answers_as_before_one_was_added_and_dropped(corpus: Path) -> None:
    index(corpus)
    queries = ("harbour traffic", "pilot boat Seagull", "a red photo", "crane")
    with rag.open_index() as searcher:
        before = [scored(searcher.query(words)) for words in queries]
        assert all(found.space == "" for found in searcher.query("crane")[0].lanes.values())
    add_model(backend=HALF)
    with rag.open_index() as searcher:
        assert [scored(searcher.query(words, spaces=["lite"])) for words in queries] != before  # the lane has a name now
        alone = [[row[:3] for row in scored(searcher.query(words, spaces=["lite"]))] for words in queries]
    assert alone == [[row[:3] for row in found] for found in before]
    drop_model("half")
    with rag.open_index() as searcher:
        assert [scored(searcher.query(words)) for words in queries] == before


def test_every_model_is_a_lane_that_has_its_name_and_embeds_the_query_once(corpus: Path) -> None:
    index(corpus)
    add_model(backend=HALF)
    with rag.open_index() as searcher:
        results = searcher.search("harbour traffic in spring")
        best = results.hits[0]
        assert best.document == "a/report.txt" and Half.queries == 1
        assert {lane: found.space for lane, found in best.lanes.items()} == {"dense": "lite", "dense:half": "half", "lexical": ""}
        assert results.stages.keys() == {"dense", "dense:half", "lexical", "fused", "reranked"}
        only = searcher.search("harbour traffic in spring", spaces=["half"])
        assert {found.space for found in only.hits[0].lanes.values()} == {"half", ""} and Half.queries == 2
        searcher.search("harbour traffic in spring", spaces=["lite"])
        assert Half.queries == 2
        with pytest.raises(WrongRequest, match="no model called 'whole'") as refused:
            searcher.query("crane", spaces=["whole"])
        assert refused.value.remedy == "it has: lite, half"


def test_a_passage_that_a_model_lacks_is_unknown_to_it_and_not_bad(corpus: Path) -> None:
    index(corpus)
    with writing(Path("indexes/default")) as writer:
        half = HalfEmbedder(None)  # type: ignore[arg-type]
        space = writer.spaces.add("half", half.fingerprint, {"backend": f'"{HALF}"'})
        numbers = writer.spaces.missing(space)
        other = [one for one in writer.spaces.passages(numbers) if "traffic" not in one.passage.text]
        contents = [Content("text", text=one.passage.text or one.passage.caption) for one in other]
        writer.spaces.put(space, [one.number for one in other], half.embed(contents, role="document"))
        writer.commit()
    with rag.open_index() as searcher:
        best = searcher.query("harbour traffic in spring")[0]
        assert best.document == "a/report.txt" and best.lanes.keys() == {"dense", "lexical"}
        alone = searcher.query("harbour traffic in spring", spaces=["lite"])[0]
        assert best.fused == pytest.approx(alone.fused)


def test_a_model_that_is_away_is_a_note_unless_it_was_named(corpus: Path) -> None:
    index(corpus)
    add_model(backend=HALF)
    Half.failing = True
    with rag.open_index() as searcher:
        results = searcher.search("harbour traffic")
        assert results.hits[0].document == "a/report.txt" and results.hits[0].lanes.keys() == {"dense", "lexical"}
        assert "half was not asked: the model is away; bring it back" in results.notes
        with pytest.raises(BackendError, match="the model is away"):
            searcher.search("harbour traffic", spaces=["half"])


def test_the_command_line_names_the_model_of_each_lane(corpus: Path, rag: Any) -> None:
    rag("index", str(corpus), "--ocr", "never")
    rag("index", "--add-model", "half", "--backend", "tests.unit.half_model:HalfEmbedder", "-q")
    found = rag("query", "harbour traffic", "--explain", "--server", "none")
    assert "dense by lite #1" in found.out and "dense by half #1" in found.out and "lexical #1" in found.out
    hits = rag("query", "harbour traffic", "--json", "--space", "half", "--server", "none").json
    best = (hits if isinstance(hits, list) else hits["hits"])[0]
    assert best["lanes"]["dense"]["space"] == "half" and "space" not in best["lanes"]["lexical"]
    assert rag("query", "harbour", "--space", "whole", "--server", "none").code == 2


def test_a_model_that_is_named_may_be_a_further_one(corpus: Path) -> None:
    index(corpus)
    add_model(backend=HALF)
    with rag.open_index(backend=HALF) as searcher:
        assert searcher.embedder.fingerprint.model == "lite" and searcher.query("crane")[0].lanes["dense"].space == "lite"
    assert rag.build_index(corpus, backend=HALF).unchanged == 5


def test_every_model_of_several_indexes_is_a_lane_and_the_scores_are_those_of_one_index(corpus: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", {"one": tmp_path / "a" / "corpus", "two": tmp_path / "b" / "corpus"}
    for folder in (whole, *parts.values()):
        folder.mkdir(parents=True)
    for at in range(6):
        text = f"# Note {at}\n\nThe tide table of quay number {at} and its harbour traffic, word{at}.\n"
        (whole / f"{at}.md").write_text(text)
        (parts["one" if at % 2 else "two"] / f"{at}.md").write_text(text)
    for name, folder in {"whole": whole, **parts}.items():
        rag.build_index(folder, index=name, ocr="never", backend="lite")
        add_model(name, backend=HALF)
    with rag.open_index("one", "two") as together, rag.open_index("whole") as alone:
        for words in ("harbour traffic", "quay number 4", "tide word3"):
            Half.queries = 0
            results, expected = together.search(words, fold=False), alone.search(words, fold=False)
            assert Half.queries == 2  # once for each of the two searches, not once for each index
            assert {(hit.document, hit.similarity) for hit in results.hits} == {
                (hit.document, hit.similarity) for hit in expected.hits
            }
            assert results.hits[0].document == expected.hits[0].document
            assert {lane: found.space for lane, found in results.hits[0].lanes.items()} == {
                lane: found.space for lane, found in expected.hits[0].lanes.items()
            }
            dense = [score for _, score in results.stages["dense:half"]]
            assert dense == pytest.approx([score for _, score in expected.stages["dense:half"]])
        only = together.search("harbour traffic", spaces=["half"])
        assert {found.space for found in only.hits[0].lanes.values()} == {"half", ""}
        with pytest.raises(WrongRequest, match="no model called 'whole'"):
            together.search("harbour", spaces=["whole"])


def test_indexes_of_different_first_models_that_share_one_are_one_list(corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "crane.md").write_text("# Crane\n\nA crane on the quay lifts the harbour traffic signs.\n")
    (other / "report copy.txt").write_text((corpus / "a" / "report.txt").read_text())
    rag.build_index(corpus, index="one", ocr="never", backend="lite")
    add_model("one", backend=HALF)
    rag.build_index(other, index="two", ocr="never", backend=HALF)
    for names in (("one", "two"), ("two", "one")):  # the model that both have comes first
        with rag.open_index(*names) as together:
            Half.queries = 0
            results = together.search("harbour traffic", fold=False)
            assert {hit.index for hit in results.hits} == {"one", "two"} and Half.queries == 1
            lanes = {hit.document: {lane: found.space for lane, found in hit.lanes.items()} for hit in results.hits}
            assert lanes["crane.md"] == {"dense": "half", "lexical": ""}
            assert lanes["a/report.txt"] == {"dense": "half", "dense:lite": "lite", "lexical": ""}
            scores = [hit.score for hit in results.hits]
            assert scores == sorted(scores, reverse=True) and not any("rank " in hit.decided for hit in results.hits)
            folded = next(hit for hit in together.query("harbour traffic") if "report" in hit.document)
            assert len(folded.folded) == 1  # the copy in the other index
            assert together.query("crane quay", spaces=["half"])[0].document == "crane.md"
    drop_model("half", "one")
    with rag.open_index("one", "two") as together:  # nothing in common: two lists
        assert all(hit.decided.startswith("rank ") for hit in together.query("harbour traffic"))


def test_a_model_that_one_of_several_indexes_lacks_is_unknown_to_its_passages(corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "traffic.md").write_text("# Traffic\n\nHarbour traffic rose by nine percent in the summer.\n")
    for name, folder in (("one", corpus), ("two", other)):
        rag.build_index(folder, index=name, ocr="never", backend="lite")
    add_model("one", backend=HALF)
    with rag.open_index("one", "two") as together:
        found = {hit.document: hit for hit in together.query("harbour traffic in the summer", fold=False)}
        assert found["traffic.md"].lanes.keys() == {"dense", "lexical"} and found["traffic.md"].rank == 1
        assert "dense:half" in found["a/report.txt"].lanes
    assert [file.name for file in Path("indexes/two").glob("fill.first")] == []  # it has no further model to fill
