"""Queries that name something, on a real index with the lite models: a file, an identifier, a kind, an emoji."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from rag.search.boosts import holds_identifier, names_file, requested_kind
from rag.search.searcher import Searcher
from rag.text.emoji import spelled
from rag.types import Context, DocumentId, Kind, Passage, Slide, Whole

FILES = {
    "LICENSE.md": "# Terms\n\nYou may copy this work. The terms of the licence hold for every copy of it.\n",
    "README.md": "The license allows all use. License, license: see the license, and ask the license board of licenses.\n",
    "src/errors.py": "def lookup(table, name):\n    raise KeyError(name)\n",
    "notes/keys.md": "# Key error\n\nA key error comes of a wrong key: key error one, two key errors, errors of keys.\n",
    "parking.txt": "The lorry RE16 TGK stands at berth 4.\n",
    "plates.txt": "Plates: RE16 ABC, KL16 TGK. The RE16 series, the TGK series; RE16 and then TGK; TGK, RE16.\n",
    "invoice.txt": "Invoice INV-4421, harbour dues.\n",
    "invoices.txt": "Invoices INV-4420 and 4421 EUR; INV 4419, INV-4422; 4421 boxes of INV paper; invoices INV, 4421.\n",
    "🚀 plan.md": "We go live on Friday.\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("named")
    for path, text in FILES.items():
        file = place / "corpus" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    rag.build_index(place / "corpus", index=str(place / "index"))
    return place


@pytest.fixture(scope="module")
def searcher(place: Path) -> Searcher:
    return rag.open_index(str(place / "index"))


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("license", "LICENSE.md"),
        ("readme.md", "README.md"),
        ("notes/keys.md", "notes/keys.md"),
        ("🚀", "🚀 plan.md"),
        ("rocket", "🚀 plan.md"),
    ],
)
def test_the_file_of_that_name_comes_first(searcher: Searcher, query: str, first: str) -> None:
    assert searcher.query(query)[0].document == first


@pytest.mark.parametrize(
    ("query", "first"), [("KeyError", "src/errors.py"), ("RE16 TGK", "parking.txt"), ("INV-4421", "invoice.txt")]
)
def test_the_exact_identifier_comes_before_its_parts(searcher: Searcher, query: str, first: str) -> None:
    best, second = searcher.query(query, fold=False)[:2]
    assert (best.document, best.score > second.score) == (first, True)


def test_a_boosted_score_says_so(searcher: Searcher) -> None:
    named, other = searcher.query("license")[:2]
    assert (named.fused, other.fused) > (0, 0)
    assert (named.score, named.decided) == (pytest.approx((1 + named.fused) / 2), "fused, leads: the query is the file's name")
    assert (other.score, other.decided) == (pytest.approx(other.fused / 2), "fused, below what the query names")


def test_a_score_of_the_reranker_that_was_boosted_says_so(place: Path) -> None:
    with rag.open_index(str(place / "index"), reranker="lite") as reranking:
        named, other = reranking.query("license")[:2]
    assert named.rerank_score is not None
    assert named.score == pytest.approx((1 + named.rerank_score) / 2)
    assert named.decided == "rerank_score, boosted: the query is the file's name"
    assert (other.score, other.decided) == (other.rerank_score, "rerank_score")


@pytest.mark.parametrize(
    ("words", "text", "held"),
    [
        ("RE16 TGK", "The lorry re16  TGK stands here", True),
        ("RE16 TGK", "RE16, TGK", False),
        ("RE16 TGK", "XRE16 TGKs", False),
        ("RE16", "RE16", False),
        ("a lorry", "a lorry", False),
        ("what is in berth 4 of the harbour", "what is in berth 4 of the harbour", False),
    ],
)
def test_an_identifier_stands_in_a_text_as_it_is_asked_for(words: str, text: str, held: bool) -> None:
    assert holds_identifier(words, text) is held


@pytest.mark.parametrize(
    ("words", "path", "named"),
    [
        ("license", "LICENSE", True),
        ("vpn setup", "notes/it/vpn-setup.md", True),
        ("it/vpn-setup.md", "notes/it/vpn-setup.md", True),
        ("setup.md", "notes/it/vpn-setup.md", False),
        ("md", "a.md", False),
        ("ab", "ab.md", False),
        ("vpn setup at home", "notes/it/vpn-setup.md", False),
        ("notes", "notes/it/vpn-setup.md", False),
        ("", "notes/it/vpn-setup.md", False),
        ("说明", "文档/说明.txt", False),
        ("渡轮时刻", "文档/渡轮时刻.txt", True),
    ],
)
def test_only_a_whole_name_names_a_file(words: str, path: str, named: bool) -> None:
    assert names_file(words, path) == named


@pytest.mark.parametrize(
    ("words", "kind", "requested"),
    [
        ("screenshot of the vpn", "screenshot", "screenshot"),
        ("vpn 截图", "screenshot", "screenshot"),
        ("a video of a ferry", "frame", "video"),
        ("screenshot of the vpn", "image", ""),
        ("film stars", "text", ""),
    ],
)
def test_a_kind_is_requested_by_its_name(words: str, kind: Kind, requested: str) -> None:
    assert requested_kind(words, Passage(DocumentId("r", "a"), 0, Whole(), kind, "image")) == requested


def test_slides_are_requested_by_their_name() -> None:
    slide = Passage(DocumentId("r", "a.pptx"), 0, Slide(2), "text", "text", context=Context())
    assert (requested_kind("the slide about dues", slide), requested_kind("dues", slide)) == ("slide", "")


def test_emoji_are_spelled_out_and_other_text_is_unchanged() -> None:
    assert spelled("🚀 plan") == "🚀 rocket  plan"
    assert spelled("plan ü 北京 ©") == "plan ü 北京 ©"
