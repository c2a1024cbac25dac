"""The whole list: what follows the ranked candidates, how it is counted, ordered and cut into pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import rag
from rag.errors import WrongRequest
from rag.search.listing import name_key
from rag.search.searcher import Searcher

MINUTES = 130


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """130 minutes that name the harbour, two texts that do not, and one document of three sections that do."""
    folder = tmp_path_factory.mktemp("archive")
    for year in range(MINUTES):
        more = " The harbour was dredged." if year % 10 == 0 else ""
        text = f"Minutes {year}. Item {year * 7} of the harbour board, motion {year * 13} by member {year * 3}.{more}\n"
        path = folder / "corpus" / ("early" if year < 30 else "late") / f"minutes-{year}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "corpus/orchard.txt").write_text("Apples and pears.\n")
    (folder / "corpus/hill.txt").write_text("A hill with sheep.\n")
    sections = "\n\n".join(f"# Part {n}\n\nThe harbour wall, stretch {n}. " + f"word{n} " * 300 for n in range(3))
    (folder / "corpus/wall.md").write_text(sections)
    rag.build_index(folder / "corpus", index=folder / "index")
    with rag.open_index(str(folder / "index")) as opened:
        yield opened


def pages(searcher: Searcher, size: int = 24, **asked: object) -> list[list[str]]:
    found: list[list[str]] = []
    while not found or len(found[-1]) == size:
        hits = searcher.search("harbour", whole=True, top_k=size, offset=size * len(found), fold=False, **asked).hits
        assert [hit.rank for hit in hits] == list(range(size * len(found) + 1, size * len(found) + len(hits) + 1))
        found.append([hit.document for hit in hits])
    return found


def test_the_list_holds_every_match_once_and_is_counted(archive: Searcher) -> None:
    total = archive.search("harbour", whole=True, fold=False).total
    assert total is not None
    assert (total.results, total.exact) == (MINUTES + 1, True)
    assert total.counts["folders"] == {"late": 100, "early": 30, "": 1}
    assert total.counts["kinds"] == {"text": MINUTES + 1}
    listed = [name for page in pages(archive) for name in page]
    assert len(listed) == len(set(listed)) == MINUTES + 1
    assert not {"orchard.txt", "hill.txt"} & set(listed)


def test_the_ranked_ones_come_first_and_scores_never_rise(archive: Searcher) -> None:
    ranked = [hit.document for hit in archive.search("harbour", top_k=50, fold=False).hits]
    whole = archive.search("harbour", whole=True, top_k=MINUTES + 1, fold=False).hits
    assert [hit.document for hit in whole][:50] == ranked
    scores = [hit.score for hit in whole]
    assert scores == sorted(scores, reverse=True) and scores[-1] > 0
    assert whole[-1].decided.startswith("its lexical score alone")
    assert whole[-1].lanes["lexical"].share == 1.0


def test_a_filter_keeps_as_many_as_were_counted(archive: Searcher) -> None:
    early = archive.search("harbour", whole=True, fold=False, paths=["early/"]).total
    assert early is not None and early.results == 30


def test_places_are_counted_as_places(archive: Searcher) -> None:
    total = archive.search("harbour", whole=True, fold=False, group="place").total
    assert total is not None and total.results >= MINUTES + 3


def test_orders_are_those_of_the_whole_list(archive: Searcher) -> None:
    named = [name for page in pages(archive, order="name") for name in page]
    assert named[:3] == ["early/minutes-0.txt", "early/minutes-1.txt", "early/minutes-2.txt"]
    assert named[-2:] == ["late/minutes-129.txt", "wall.md"]
    dates = [hit.dated or 0 for hit in archive.search("harbour", order="new", top_k=MINUTES + 1, fold=False).hits]
    assert dates == sorted(dates, reverse=True)


def test_without_a_whole_list_nothing_is_counted(archive: Searcher) -> None:
    assert archive.search("harbour").total is None


def test_a_passage_as_query_lists_its_candidates_alone(archive: Searcher) -> None:
    [first, *_] = archive.search("harbour").hits
    total = archive.search(like=first.id, whole=True, candidates=20).total
    assert total is not None and 0 < total.results <= 60


def test_two_archives_are_listed_as_one(archive: Searcher, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for n in range(40):
        (other / f"dues-{n}.txt").write_text(f"Harbour dues of berth {n * 11}, ship {n * 17}.\n")
    rag.build_index(other, index=tmp_path / "dues")
    with rag.open_index(str(archive.index.folder), str(tmp_path / "dues")) as both:
        total = both.search("harbour", whole=True, fold=False).total
        assert total is not None and total.results == MINUTES + 1 + 40
        last = both.search("harbour", whole=True, fold=False, offset=total.results - 5, top_k=10).hits
        assert len(last) == 5


@pytest.mark.parametrize(("asked", "what"), [({"offset": -1}, "offset is -1"), ({"order": "size"}, "no order is called 'size'")])
def test_wrong_options_are_refused(archive: Searcher, asked: dict[str, object], what: str) -> None:
    with pytest.raises(WrongRequest, match=what):
        archive.search("harbour", **asked)


def test_names_with_numbers_are_ordered_by_the_number() -> None:
    names = ["b10.txt", "b9.txt", "A/b9.txt", "ß.txt", "10.txt"]
    assert sorted(names, key=lambda name: name_key(name, "")) == ["10.txt", "A/b9.txt", "b9.txt", "b10.txt", "ß.txt"]
    assert name_key("x.zip", "in/a.txt") < name_key("b.txt", "")
