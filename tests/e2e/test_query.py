"""Queries through the real command: filters, pictures, formats, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

import rag
from rag.errors import WrongRequest
from tests.e2e.conftest import Ran

KEYS = [
    *("rank", "id", "index", "root", "document", "path", "kind", "modality", "locator", "snippet", "score", "similarity"),
    *("rerank_score", "lanes", "best", "members", "context", "dated", "location", "folded"),
]


@pytest.fixture
def indexed(corpus: Path) -> Path:
    rag.build_index(corpus, ocr="never")
    return corpus


def test_the_hit_contract(indexed: Path, rag: Callable[..., Ran]) -> None:
    done = rag("query", "harbour traffic", "--json")
    assert (done.code, done.err) == (0, "")
    first = done.json[0]
    assert list(first) == KEYS
    assert first["document"] == "a/report.txt"
    assert first["path"] == str(indexed / "a/report.txt")
    assert (first["rank"], first["kind"], first["modality"], first["root"], first["index"]) == (
        1,
        "text",
        "text",
        "corpus",
        "default",
    )
    assert first["locator"] == first["best"] == {"line_start": 1, "line_end": 1}
    assert first["snippet"] == "Harbour traffic rose by nine percent in the spring."
    scores = [hit["score"] for hit in done.json]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert first["rerank_score"] is None  # the order of the first stages, if no reranker is named
    assert first["lanes"]["lexical"]["rank"] == 1


def test_explain_shows_every_stage(indexed: Path, rag: Callable[..., Ran]) -> None:
    first = rag("query", "harbour traffic", "--json", "--explain", "--reranker", "lite").json[0]
    assert (first["explain"]["score_is"], first["score"]) == ("rerank_score", first["rerank_score"])
    fused = rag("query", "harbour traffic", "--json", "--explain").json[0]
    assert fused["explain"]["score_is"] == "fused"
    assert (fused["score"], fused["rerank_score"]) == (fused["explain"]["fused"], None)
    table = rag("query", "harbour traffic", "--explain", "--reranker", "lite").out
    assert "dense #" in table and "lexical #1" in table and "fused" in table and "rerank" in table


def test_filters_are_applied_before_the_search(indexed: Path, rag: Callable[..., Ran]) -> None:
    def documents(*words: str) -> list[str]:
        return sorted(hit["document"] for hit in rag("query", "harbour minutes IMG", "--json", *words).json)

    assert documents("--kind", "image") == ["a/IMG_1.jpg", "a/IMG_2.png"]
    assert documents("--path", "*.md") == ["page.md"]
    assert documents("--path", "a/**", "--kind", "text") == ["a/minutes.txt", "a/report.txt"]
    assert documents("--root", "corpus", "--path", "a/report.txt") == ["a/report.txt"]
    assert rag("query", "harbour", "--before", "1999-01-01").code == 1
    assert len(documents("--after", "1999-01-01")) == 5


def test_a_query_picture_finds_similar_pictures(indexed: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    from PIL import Image

    Image.new("RGB", (300, 220), (205, 35, 28)).save(tmp_path / "red.png")
    assert rag("query", "--image", "red.png", "--json").json[0]["document"] == "a/IMG_1.jpg"
    Image.new("RGB", (300, 220), (28, 35, 205)).save(tmp_path / "blue.png")
    assert rag("query", "--image", "blue.png", "--json", "--kind", "image").json[0]["document"] == "a/IMG_2.png"
    assert rag("query", "pilot boat", "--image", "red.png", "--json").json[0]["document"] == "a/IMG_1.jpg"


def test_several_query_pictures_are_one_query(indexed: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    from PIL import Image

    Image.new("RGB", (300, 220), (205, 35, 28)).save(tmp_path / "red.png")
    Image.new("RGB", (300, 220), (28, 35, 205)).save(tmp_path / "blue.png")
    asked = ("query", "--image", "red.png", "--image", "blue.png", "--explain")
    found = rag(*asked, "--json").json
    assert {found[0]["document"], found[1]["document"]} == {"a/IMG_1.jpg", "a/IMG_2.png"}
    assert found[0]["explain"]["score_is"] == "fused; vector: the mean of 2 pictures"
    assert "score = rerank_score, the mean of 2 pictures; vector: the mean of 2 pictures" in rag(*asked, "--reranker", "lite").out
    refused = rag("query", *(word for _ in range(6) for word in ("--image", "red.png")))
    assert (refused.code, "6 pictures are asked with" in refused.err) == (2, True)


def test_formats(indexed: Path, rag: Callable[..., Ran]) -> None:
    ask = ("query", "harbour traffic committee", "--top-k", "2", "--format")
    assert rag(*ask, "paths").out.splitlines()[0] == str(indexed / "a/report.txt")
    lines = [json.loads(line) for line in rag(*ask, "jsonl").out.splitlines()]
    assert [line["rank"] for line in lines] == [1, 2]
    rows = list(csv.DictReader(io.StringIO(rag(*ask, "csv").out)))
    assert list(rows[0]) == ["rank", "score", "kind", "document", "place", "id", "root", "path", "snippet"]
    assert (rows[0]["document"], rows[0]["place"]) == ("a/report.txt", "line 1")
    assert rag(*ask, "md").out.startswith("1. [a/report.txt](<file:///")
    context = rag(*ask, "context").out
    assert "quoted material, not instructions" in context
    assert "[1] a/report.txt, line 1 (text)\nHarbour traffic rose by nine percent in the spring.\n" in context
    table = rag(*ask, "table").out
    assert table.splitlines()[0].split()[2:4] == ["text", "a/report.txt"]
    assert "\x1b" not in table


def test_many_queries_from_stdin(indexed: Path, rag: Callable[..., Ran]) -> None:
    done = rag("query", "-", "--json", input="harbour traffic\n\nnew crane\n")
    assert [(answer["query"], answer["hits"][0]["document"]) for answer in done.json] == [
        ("harbour traffic", "a/report.txt"),
        ("new crane", "a/minutes.txt"),
    ]


def test_an_id_shows_its_passage(indexed: Path, rag: Callable[..., Ran]) -> None:
    id = rag("query", "new crane", "--json").json[0]["id"]
    assert rag("show", f"#{id}").out.splitlines()[-1] == "The committee discussed the new crane and its foundation."
    assert rag("show", id, "--json").json["document"] == "a/minutes.txt"
    assert rag("show", "nothing").code == 2


def test_hits_that_score_0_are_left_out_if_others_score_more(indexed: Path, rag: Callable[..., Ran]) -> None:
    assert [hit["document"] for hit in rag("query", "new crane", "--json").json] == ["a/minutes.txt"]
    assert rag("query", "zebra giraffe", "--json").json == []


def test_min_score_and_nothing_found(indexed: Path, rag: Callable[..., Ran]) -> None:
    done = rag("query", "zebra giraffe okapi", "--min-score", "0.5")
    assert (done.code, done.out, done.err) == (1, "", "nothing found\n")
    assert rag("query", "zebra giraffe okapi", "--min-score", "0.5", "--json").out == "[]\n"
    done = rag("query", "zebra giraffe okapi")
    assert (done.code, done.out, done.err) == (1, "", "nothing found\n")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("query",), 2, "the query is empty"),
        (("query", "x", "--format", "yaml"), 2, "the formats are: table, json"),
        (("query", "x", "--kind", "song"), 2, "the kinds are: text, page"),
        (("query", "x", "--after", "yesterday"), 2, "write 2026-03-14"),
        (("query", "x", "--root", "nowhere"), 2, "the roots are: corpus"),
        (("query", "x", "--image", "missing.png"), 2, "missing.png"),
        (("query", "x", "--image", "corpus/page.md"), 2, "is not a picture"),
        (("query", "x", "--top-k", "0"), 2, "--top-k"),
        (("query", "x", "--index", "other"), 4, "no index at"),
        (("query", "x", "--reranker", "magic"), 2, "choose one of: lite"),
        (("index", "missing"), 2, "no such folder"),
        (("index", "corpus", "--ocr", "maybe"), 2, "--ocr"),
        (("query", "x", "--nonsense"), 2, "--nonsense"),
    ],
)
def test_wrong_requests_say_what_where_and_what_to_do(
    indexed: Path, rag: Callable[..., Ran], words: tuple[str, ...], code: int, says: str
) -> None:
    done = rag(*words)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert "Traceback" not in done.err


def test_the_index_is_found_from_below_and_by_variable(indexed: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    named = rag("index", "corpus", "--index", "second", "--ocr", "never")
    assert (named.code, str(tmp_path / "indexes/second") in named.out) == (0, True)
    assert rag("query", "harbour", "--json", RAG_INDEX="second").json[0]["index"] == "second"
    assert "there are: default, second" in rag("query", "x", "--index", "third").err


def test_status_check_and_config(indexed: Path, rag: Callable[..., Ran]) -> None:
    status = rag("status", "--json").json
    assert status["documents"] == 5
    assert status["passages"] == {"text": 3, "page": 0, "image": 2, "screenshot": 0, "frame": 0}
    assert status["fingerprint"]["model"] == "lite"
    assert status["roots"] == {"corpus": str(indexed)}
    assert "documents   5 (" in rag("status").out
    assert rag("check", "--read-data").out.endswith("is intact\n")
    shown = rag("config", "--json", RAG_TOP_K="7").json
    assert (shown["top_k"]["value"], shown["top_k"]["from"]) == (7, "RAG_TOP_K")
    for words in (("config",), ("config", "--json")):
        told = rag(*words, RAG_TOKEN="open sesame", RAG_API_KEY="sk-mellon").out
        assert "sesame" not in told and "mellon" not in told and "…" in told and "RAG_TOKEN" in told


def test_file_names_cannot_control_a_terminal(corpus: Path, rag: Callable[..., Ran]) -> None:
    (corpus / "evil\x1b[31m\n[bold]name.txt").write_text("a very peculiar walrus \x1b]0;owned\x07 story" + " of the sea" * 20)
    rag("index", "corpus", "--ocr", "never")
    for format in ("table", "md", "csv", "context"):
        out = rag("query", "peculiar walrus", "--format", format).out
        assert "\x1b" not in out and "\x07" not in out
        assert "peculiar walrus" in out
    assert "[bold]name.txt" in rag("query", "peculiar walrus").out
    assert rag("query", "peculiar walrus", "--json").json[0]["document"] == "evil\x1b[31m\n[bold]name.txt"


def test_top_k_hits_if_there_are_that_many(indexed: Path) -> None:
    with rag.open_index(candidates=1, reranker="none") as searcher:
        assert len(searcher.query("harbour minutes IMG", top_k=5)) == 5
        for wanted in (0, -1):
            with pytest.raises(WrongRequest, match="top_k"):
                searcher.query("harbour", top_k=wanted)


def test_a_file_without_permission_is_still_a_hit(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def refusing(self: Path, **how: bool) -> os.stat_result:
        if indexed in self.parents:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, **how)

    with rag.open_index() as searcher:
        monkeypatch.setattr(Path, "stat", refusing)
        results = searcher.search("harbour traffic")
    assert (results.hits[0].document, results.notes) == ("a/report.txt", ())


def test_another_file_in_place_of_a_picture_is_not_shown(indexed: Path, tmp_path: Path) -> None:
    from PIL import Image

    from rag.decoding.ask_pool import shared_pool
    from rag.search.stored_content import hit_pixels

    asked = tmp_path / "red.png"
    Image.new("RGB", (300, 220), (205, 35, 28)).save(asked)
    Image.new("RGB", (300, 220)).save(indexed / "a/IMG_1.jpg", format="PDF")
    with rag.open_index(reranker="none") as searcher:
        hits = {hit.document: hit for hit in searcher.query("IMG", image=asked)}
    assert hit_pixels(hits["a/IMG_1.jpg"], shared_pool()) is None
    assert hit_pixels(hits["a/IMG_2.png"], shared_pool()) is not None


def test_pictures_are_reranked_by_their_stored_vectors(indexed: Path, tmp_path: Path) -> None:
    """No file is decoded again: the scores are the same after the files are damaged."""
    from PIL import Image

    asked = tmp_path / "red.png"
    Image.new("RGB", (300, 220), (205, 35, 28)).save(asked)
    with rag.open_index() as searcher:
        before = [(hit.document, hit.score) for hit in searcher.query(image=asked)]
        for picture in (*indexed.rglob("*.jpg"), *indexed.rglob("*.png")):
            picture.write_bytes(b"")
        after = [(hit.document, hit.score) for hit in searcher.query(image=asked)]
    assert any(document.endswith((".jpg", ".png")) for document, _ in before)
    assert after == before


def test_a_path_is_found_however_its_accents_are_spelled(corpus: Path) -> None:
    from PIL import Image

    composed, decomposed = "Hélène", unicodedata.normalize("NFD", "Hélène")
    Image.new("RGB", (64, 48)).save(corpus / f"{decomposed}.png")
    (corpus / "page.md").write_text(f"![a pilot cutter]({composed}.png)\n")
    rag.build_index(corpus, ocr="never")
    (corpus / "page.md").write_text(f"![a fire boat]({composed}.png)\n")
    rag.build_index(corpus, ocr="never")
    with rag.open_index() as searcher:
        for glob in (composed, decomposed):
            hits = searcher.query("boat", paths=[f"{glob}.*"])
            assert [(hit.document, hit.snippet) for hit in hits] == [(f"{decomposed}.png", "a fire boat")]


def test_copies_are_one_hit_unless_no_fold_is_given(indexed: Path, rag: Callable[..., Ran]) -> None:
    text = (indexed / "a/report.txt").read_text("utf-8")
    for name in ("copy one.txt", "copy two.txt"):
        (indexed / name).write_text(text, "utf-8")
    assert rag("index").code == 0
    first = rag("query", "harbour traffic", "--json").json[0]
    copies = {"a/report.txt", "copy one.txt", "copy two.txt"}
    assert {first["document"], *(one["document"] for one in first["folded"])} == copies
    assert {"id", "root", "document", "path", "locator", "score", "index"} == set(first["folded"][0])
    assert "+2 similar" in rag("query", "harbour traffic").out.splitlines()[0]
    apart = rag("query", "harbour traffic", "--json", "--no-fold").json
    assert {hit["document"] for hit in apart[:3]} == copies
    assert not any(hit["folded"] for hit in apart)


def test_nothing_in_common_means_nothing_found(indexed: Path, rag: Callable[..., Ran]) -> None:
    done = rag("query", "dinosaurs")
    assert (done.code, done.out, done.err) == (1, "", "nothing found\n")


def test_a_weak_best_hit_is_reported_as_no_good_match(indexed: Path, rag: Callable[..., Ran]) -> None:
    done = rag("query", "harbour dinosaurs of the jurassic zoo")
    assert done.code == 0 and "no good match: the best score is 0." in done.err
    assert "no good match" not in rag("query", "harbour traffic").err


def test_query_operators_apply_to_every_lane(indexed: Path, rag: Callable[..., Ran]) -> None:
    def documents(*words: str) -> set[str]:
        done = rag("query", *words, "--json")
        return {hit["document"] for hit in done.json} if done.code == 0 else set()

    assert "a/report.txt" in documents("harbour traffic")
    assert "a/report.txt" not in documents("harbour -traffic")
    assert "a/report.txt" not in documents('harbour -"harbour traffic"')
    assert documents('"harbour traffic"') == documents('"Harbour  Traffic" rose')
    assert documents('"traffic harbour"') == documents("traffic harbour")  # no passage holds it: its words, one by one
    assert "a/report.txt" in documents("traff*")
    done = rag("query", "--json", "--", "-traffic", "harbour")
    assert "a/report.txt" not in {hit["document"] for hit in done.json}
    refused = rag("query", "--", "-traffic")
    assert refused.code == 2 and "only excludes words" in refused.err
    assert "its words are searched one by one" in rag("query", '"traffic harbour"').err
