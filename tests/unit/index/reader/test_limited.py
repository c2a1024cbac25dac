"""An index as one sees it who may see some of its roots: what it finds and tells is what an index of these alone does."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import NoSuchPassage, WrongRequest
from rag.types import Filters

WORDS = (
    "harbour",
    "crane",
    "ferry",
    "lighthouse",
    "buoy",
    "tide",
    "Mietvertrag",
    "Vertrag",
    "und",
    "nicht",
    "oder",
    "KeyError",
    "ISO",
)
WORDS += ("9001", "潮汐表", "straße")
HIDDEN = ("zanzibar", "craane", "lighthousekeeper", "Kaufvertrag", "9002", "harbour")
QUERIES = (
    "harbour crane",
    "harbour harbour tide",
    "zanzibra lighthuose",  # the first is one letter from a word that only the other root holds
    "craanes crane",
    "light* harb*",
    "Vertrag",
    '"crane tide" -buoy',
    '"zanzibar tide"',
    "ISO 9001 9002",
    "KeyError key error",
    "潮汐表 of the tide",
    "zanzibar",
)


def text_of(number: int, words: tuple[str, ...]) -> str:
    chance = random.Random(number)
    return " ".join(chance.choice(words) for _ in range(chance.randrange(3, 40))) + f" unique{number}\n"


def make_corpus(place: Path, documents: int = 40) -> tuple[Path, Path]:
    """Two folders that share words; some are in the second one only."""
    shown, hidden = place / "shown", place / "vault"
    for folder in (shown, hidden):
        folder.mkdir()
    for number in range(documents):
        (shown / f"file{number}.txt").write_text(text_of(number, WORDS))
        (hidden / f"secret{number}.txt").write_text(text_of(1_000 + number, (*HIDDEN, *WORDS[:6])))
    return shown, hidden


def told(searcher: rag.Searcher, words: str, **asked: Any) -> dict[str, Any]:
    """Hits, scores of every stage and notes."""
    results = searcher.search(words, **{"top_k": 100, "candidates": 200} | asked)
    hits = [rag.hit_json(hit) | {"index": "", "lanes": scores_of(hit), "ranks": ""} for hit in results.hits]
    with searcher.index.snapshot() as moment:
        paths = {one.number: one.path for one in moment.outlines([number for number, _ in results.stages["lexical"]])}
    lexical = {paths[number]: round(score, 6) for number, score in results.stages["lexical"]}
    return {"hits": hits, "lexical": lexical, "notes": results.notes, "good": results.good, "total": results.total}


def scores_of(hit: rag.Hit) -> dict[str, float]:
    return {lane: round(seen.score, 6) for lane, seen in hit.lanes.items()}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An index of both folders, where the hidden one came first, and one of the shown folder alone."""
    place = tmp_path_factory.mktemp("limited")
    shown, hidden = make_corpus(place)
    rag.build_index(hidden, index=place / "mixed", ocr="never", jobs=0)
    rag.build_index(shown, index=place / "mixed", ocr="never", jobs=0)
    rag.build_index(shown, index=place / "alone", ocr="never", jobs=0)
    return place / "mixed", place / "alone"


@pytest.mark.parametrize("asked", [{}, {"whole": True}, {"paths": ["file1*"]}], ids=str)
@pytest.mark.parametrize("words", QUERIES)
def test_it_answers_as_an_index_of_its_roots_alone(places: tuple[Path, Path], words: str, asked: dict[str, Any]) -> None:
    mixed, alone = places
    with rag.open_index(mixed, ocr="never") as everything, rag.open_index(alone, ocr="never") as expected:
        limited = everything.limited_to(["shown", "no-such-root"])
        for _ in range(2):  # the second time from what was counted
            assert told(limited, words, **asked) == told(expected, words, **asked)


def test_a_filter_alone_tells_of_other_roots(places: tuple[Path, Path]) -> None:
    """Which is why a key is more than a filter: a user who may see all has the rarity of words in all."""
    mixed, alone = places
    with rag.open_index(mixed, ocr="never") as everything, rag.open_index(alone, ocr="never") as expected:
        filtered, truth = told(everything, "zanzibra crane", roots=["shown"]), told(expected, "zanzibra crane")
        assert "zanzibar" in str(filtered["notes"]) and "zanzibar" not in str(truth["notes"])
        assert filtered["lexical"] != truth["lexical"]


def test_what_it_tells_beside_hits_is_of_its_roots(places: tuple[Path, Path]) -> None:
    mixed, alone = places
    with rag.open_index(mixed) as everything, rag.open_index(alone) as expected:
        limited = everything.limited_to(["shown"])
        hidden = everything.query("zanzibar")[0].id
        assert everything.holds(hidden) and not limited.holds(hidden)
        with pytest.raises(NoSuchPassage):
            limited.content_of(hidden, "")
        with pytest.raises(WrongRequest) as error:
            limited.query("tide", roots=["vault"])
        assert error.value.remedy == "the roots are: shown"
        assert list(limited.roots()) == ["shown"] and limited.index.remarks() == ()
        ours, theirs = limited.status(), expected.status()
        for name in ("documents", "suffixes", "folders", "passages", "skipped", "unread", "ignored", "roots"):
            assert getattr(ours, name) == getattr(theirs, name), name
        with limited.index.snapshot() as moment, expected.index.snapshot() as truth:
            words = ("harbour", "zanzibar", "tide", "KeyError", "lighthousekeeper")
            assert moment.document_frequencies(words) == truth.document_frequencies(words)
            assert moment.frequencies("harbour tide zanzibar") == truth.frequencies("harbour tide zanzibar")
            assert sorted(moment.document_paths()) == sorted(truth.document_paths())
            assert len(moment.everything()) == len(truth.everything()) == 40
            assert len(moment.matching(Filters(roots=("vault",)))) == 0
            assert moment.status_of(["vault"]).documents == 0


def test_no_root_leaves_nothing(places: tuple[Path, Path]) -> None:
    with rag.open_index(places[0]) as everything:
        limited = everything.limited_to(["no-such-root"])
        assert limited.query("harbour tide") == [] and limited.status().documents == 0


def test_several_limited_ones_are_searched_as_one(places: tuple[Path, Path]) -> None:
    from rag.search.federated import FederatedSearcher

    mixed, alone = places
    with rag.open_index(mixed) as everything, rag.open_index(alone) as other:
        both = FederatedSearcher([everything.limited_to(["shown"]), other])
        for words in ("harbour crane", "zanzibra tide", "Vertrag"):
            results = both.search(words, top_k=100, fold=False)
            assert {hit.root for hit in results.hits} == {"shown"} and "zanzibar" not in str(results.notes)
            scores = {name: [round(hit.score, 6) for hit in results.hits if hit.index == name] for name in ("mixed", "alone")}
            assert scores["mixed"] == scores["alone"]
