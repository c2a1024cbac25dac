"""Several pictures as one query: the mean of their vectors and scores, or one input for a model that reads them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rag.backends.base import Choice, EmbedderCapabilities
from rag.backends.families import FAMILIES
from rag.backends.lite.embedder import LiteEmbedder
from rag.backends.lite.reranker import LiteReranker
from rag.backends.server.embedder import ServerEmbedder
from rag.errors import ContentRefused, WrongRequest
from rag.search.options import MOST_PICTURES, SearchOptions, pictures_in
from rag.search.question import given_medium
from rag.search.several_pictures import embed_pictures, pictures_of, score_pictures
from rag.types import Content, Role


def plain(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((64, 80, 3), (red, green, blue), np.uint8)


RED, BLUE = plain(205, 35, 28), plain(28, 35, 205)
BOTH = Content("image", text="a boat", pixels=(RED, BLUE))


def test_the_vector_is_the_unit_mean_of_one_vector_for_each_picture() -> None:
    lite = LiteEmbedder()
    one, other = lite.embed([Content("image", text="a boat", pixels=(pixels,)) for pixels in (RED, BLUE)], role="query")
    vector, how = embed_pictures(lite, BOTH)
    np.testing.assert_allclose(vector[0], (one + other) / np.linalg.norm(one + other), atol=1e-6)
    assert (vector.shape, vector.dtype, how) == ((1, 1280), np.float32, "the mean of 2 pictures")
    assert embed_pictures(lite, Content("image", pixels=(RED,)))[1] == ""


def test_the_frames_of_a_video_are_one_input() -> None:
    assert len(pictures_of(Content("video", pixels=(RED, BLUE)))) == 1


class Together(LiteEmbedder):
    """Reads up to two pictures at once, as Qwen3-VL-Embedding reads eight; `refuses` as a server with a lower limit."""

    capabilities = EmbedderCapabilities(pictures_together=2)  # type: ignore[assignment]
    refuses = False

    def embed(self, contents: Sequence[Content], *, role: Role) -> np.ndarray:
        if self.refuses and any(len(one.pixels) > 1 for one in contents):
            raise ContentRefused("at most 1 image", "", {0: "at most 1 image"}, [])
        return super().embed(contents, role=role)


def test_a_model_that_reads_pictures_together_gets_one_input() -> None:
    vector, how = embed_pictures(Together(), BOTH)
    np.testing.assert_array_equal(vector, LiteEmbedder().embed([BOTH], role="query"))
    assert how == "2 pictures read as one input"
    three = Content("image", pixels=(RED, BLUE, RED))
    assert embed_pictures(Together(), three)[1] == "the mean of 3 pictures"


def test_a_server_that_refuses_several_pictures_gets_them_one_by_one() -> None:
    refusing = Together()
    refusing.refuses = True
    vector, how = embed_pictures(refusing, BOTH)
    np.testing.assert_array_equal(vector, embed_pictures(LiteEmbedder(), BOTH)[0])
    assert how == "the mean of 2 pictures"


def test_the_family_says_how_many_pictures_are_read_together() -> None:
    known = ServerEmbedder(Choice(model="Qwen/Qwen3-VL-Embedding-2B", urls=("http://127.0.0.1:1",)))  # nothing is sent
    assert known.capabilities.pictures_together == 8
    assert {family.name for family in FAMILIES.values() if family.together > 1} == {"qwen3-vl-embedding"}


def test_a_score_is_the_mean_over_the_pictures() -> None:
    lite = LiteReranker()
    documents = [Content("image", pixels=(RED,)), Content("image", pixels=(BLUE,)), Content("text", text="a boat")]
    alone = [lite.score(one, documents) for one in pictures_of(BOTH)]
    assert score_pictures(lite, BOTH, documents) == pytest.approx(np.mean(alone, axis=0).tolist())


class Picky(LiteReranker):
    """Refuses the first content if the query is red."""

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        scores = super().score(query, contents)
        if query.pixels[0][0, 0, 0] == 205:
            raise ContentRefused("too long", "shorten it", {0: "too long"}, scores[1:])
        return scores


def test_what_is_refused_for_one_picture_is_refused_and_the_others_are_scored() -> None:
    documents = [Content("text", text="a very long boat"), Content("image", pixels=(BLUE,))]
    with pytest.raises(ContentRefused) as refused:
        score_pictures(Picky(), BOTH, documents)
    assert refused.value.reasons == {0: "too long"}
    assert refused.value.others == pytest.approx(score_pictures(LiteReranker(), BOTH, documents)[1:])


def test_pictures_are_bounded_and_stand_alone() -> None:
    assert pictures_in(SearchOptions(image="a.png", images=["b.png"])) == ("a.png", "b.png")
    assert given_medium(SearchOptions(images=["a.png", "b.png"])) == "image"
    with pytest.raises(WrongRequest, match="6 pictures are asked with"):
        pictures_in(SearchOptions(images=["a.png"] * (MOST_PICTURES + 1)))
    with pytest.raises(WrongRequest, match="both a picture and a passage"):
        given_medium(SearchOptions(images=["a.png"], like="1f"))
