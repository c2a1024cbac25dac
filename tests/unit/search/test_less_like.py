"""Less like some passages: the formulas, and what a search of a real index makes of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rag import Searcher, build_index, open_index
from rag.errors import NoSuchPassage, WrongRequest
from rag.search.fusion import Candidate
from rag.search.less_like import AWAY, Unwanted, lower_alike, move_away
from rag.search.reranking import Judged
from rag.search.spaces import SpaceModel, SpaceQuery

if TYPE_CHECKING:
    from rag.types import Vectors


def unit(*numbers: float) -> Vectors:
    row = np.array(numbers, np.float32)
    return cast("Vectors", row / np.linalg.norm(row))


class Held:
    """A snapshot that has these vectors."""

    def __init__(self, rows: Sequence[Vectors]) -> None:
        self._rows = rows

    def vectors_in(self, space: int, numbers: Sequence[int]) -> tuple[list[int], Vectors]:
        held = [number for number in numbers if number < len(self._rows)]
        return held, np.array([self._rows[number] for number in held], np.float32).reshape(len(held), 3)


def test_the_query_moves_away_by_rocchio() -> None:
    space = SpaceModel(0, "", None)  # type: ignore[arg-type]
    asked = [SpaceQuery(space, unit(1, 1, 0)[None])]
    unwanted = Unwanted((0, 1), np.array([unit(0, 1, 0), unit(0, 0, 1)]))
    [moved] = move_away(Held([unit(0, 1, 0), unit(0, 0, 1)]), asked, unwanted)  # type: ignore[arg-type]
    wanted = unit(1, 1, 0) - AWAY * np.array([0, 0.5, 0.5])
    assert moved.vector[0] == pytest.approx(wanted / np.linalg.norm(wanted), abs=1e-6)
    assert moved.vector.dtype == np.float32
    [kept] = move_away(Held([]), asked, unwanted)  # type: ignore[arg-type]
    assert kept.vector[0] == pytest.approx(asked[0].vector[0])


def test_only_what_is_nearer_than_usual_scores_less() -> None:
    rows = {1: unit(0, 1, 0), 2: unit(1, 0.2, 0), 3: unit(1, 0.2, 0.1), 4: unit(1, 0, 0)}
    judged = [judged_of(1, 0.9), judged_of(2, 0.8), judged_of(3, 0.7), judged_of(4, 0.6)]
    unwanted = Unwanted((9,), unit(0, 1, 0)[None])
    found = lower_alike(judged, unwanted, lambda numbers: np.array([rows[number] for number in numbers]))
    assert [one.candidate.number for one in found] == [2, 3, 4, 1]
    assert found[-1].score == pytest.approx(0.45)  # a copy loses half
    assert found[-1].decided == "rerank_score, less 50%: it is like what is not wanted"
    assert [one.score for one in found[1:3]] == [0.7, 0.6]
    assert lower_alike(judged, None, lambda numbers: np.zeros((0, 3), np.float32)) == judged


def judged_of(number: int, score: float) -> Judged:
    return Judged(Candidate(number, "text", {}, score), score, score, "rerank_score")


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    place = tmp_path_factory.mktemp("less-like")
    (place / "corpus").mkdir()
    for at in range(4):
        sea = Image.new("RGB", (200, 150), (20, 60 + 4 * at, 180))
        ImageDraw.Draw(sea).rectangle((0, 110, 200, 150), fill=(230, 210, 150))
        sea.save(place / f"corpus/sea-{at}.png")
        wood = Image.new("RGB", (200, 150), (30, 110 + 4 * at, 40))
        ImageDraw.Draw(wood).rectangle((90, 40, 110, 150), fill=(90, 60, 30))
        wood.save(place / f"corpus/wood-{at}.png")
    build_index(place / "corpus", index=str(place / "pictures"), jobs=0)
    with open_index(place / "pictures") as opened:
        yield cast("Searcher", opened)


def test_a_search_has_fewer_like_it_and_without_it(searcher: Searcher) -> None:
    asked = {"top_k": 8, "fold": False}
    plain = searcher.query("wood sea", **asked)
    [unwanted] = [hit for hit in plain if hit.document == "sea-0.png"]
    fewer = searcher.query("wood sea", less_like=[f"#{unwanted.id}"], **asked)
    assert unwanted.id not in {hit.id for hit in fewer}
    assert all(hit.document.startswith("wood") for hit in fewer[:4])
    assert all(one.score >= other.score for one, other in itertools.pairwise(fewer))
    before = {hit.document: hit.score for hit in plain}
    assert all(hit.score < before[hit.document] for hit in fewer if hit.document.startswith("sea"))


def test_it_says_what_is_wrong(searcher: Searcher) -> None:
    with pytest.raises(NoSuchPassage):
        searcher.query("wood", less_like=["nothing"])
    with pytest.raises(WrongRequest, match="17 passages are not wanted"):
        searcher.query("wood", less_like=["a"] * 17)
