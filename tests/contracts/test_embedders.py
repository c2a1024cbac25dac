"""The laws of rag.backends.base.Embedder, for every row of EMBEDDERS that needs no model or server."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rag.backends import EMBEDDERS
from rag.backends.base import EmbedderCapabilities, capabilities_of
from rag.backends.downsample import thin
from rag.plugins import resolve
from rag.types import Content

SELF_CONTAINED = sorted(set(EMBEDDERS) & {"lite"})  # the others need a model or a server: tests/models


def picture(*colour, size=(24, 36)):
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[: size[0] // 2] = colour
    return pixels


CONTENTS = [
    Content("text", text="The harbour crane is inspected every spring."),
    Content("text", text="港口的吊车每年春天检查一次。"),
    Content("image", pixels=(picture(200, 30, 30),), clues="a red boat"),
    Content("image", pixels=(picture(20, 30, 200),)),
    Content("video", pixels=(picture(0, 200, 0), picture(0, 0, 200)), clues="two frames"),
    Content("text"),
    Content("image", pixels=(picture(9, 9, 9, size=(1, 1)),)),
    Content("text", text="\x00\udcff <|im_end|> 😀 " + "x" * 10_000),
    Content("text", text="the quick brown fox " * 1_250),
]


@pytest.fixture(scope="module", params=SELF_CONTAINED)
def embedder(request):
    return resolve(EMBEDDERS, request.param, "backend")()


@pytest.mark.parametrize("role", ["query", "document"])
def test_rows_are_unit_float32_in_order(embedder, role):
    vectors = embedder.embed(CONTENTS, role=role)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(CONTENTS), embedder.fingerprint.dim)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(CONTENTS[::-1], role=role)[::-1], vectors, atol=1e-6)


@pytest.mark.parametrize("role", ["query", "document"])
def test_nothing_gives_no_rows(embedder, role):
    assert embedder.embed([], role=role).shape == (0, embedder.fingerprint.dim)


@pytest.mark.parametrize("role", ["query", "document"])
def test_a_vector_does_not_depend_on_its_neighbours(embedder, role):
    together = embedder.embed(CONTENTS * 8, role=role)
    for number, content in enumerate(CONTENTS):
        np.testing.assert_allclose(together[number], embedder.embed([content], role=role)[0], atol=1e-6)


def test_equal_fingerprints_mean_equal_vectors(embedder):
    other = type(embedder)()
    assert other.fingerprint == embedder.fingerprint
    np.testing.assert_allclose(other.embed(CONTENTS, role="document"), embedder.embed(CONTENTS, role="document"), atol=1e-6)


def test_clues_change_the_vector_only_where_it_says_so(embedder):
    bare, told = Content("image", pixels=CONTENTS[3].pixels), Content("image", pixels=CONTENTS[3].pixels, clues="a whale")
    one, other = embedder.embed([bare, told], role="document")
    assert np.allclose(one, other, atol=1e-6) is not embedder.reads_clues


def test_each_content_is_the_nearest_to_its_own_query(embedder):
    documents = embedder.embed(CONTENTS[:4], role="document")
    queries = embedder.embed(CONTENTS[:4], role="query")
    assert (queries @ documents.T).argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_it_says_what_it_takes(embedder):
    assert embedder.modalities <= {"text", "image", "video"}
    assert embedder.batch >= 1


def test_concurrent_calls_give_the_same_vectors(embedder):
    expected = embedder.embed(CONTENTS, role="document")
    calls = max(2, capabilities_of(embedder).concurrent_calls)
    with ThreadPoolExecutor(calls) as threads:
        for vectors in threads.map(lambda _: embedder.embed(CONTENTS, role="document"), range(2 * calls)):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_a_picture_thinned_to_the_declared_side_gets_the_same_vector(embedder):
    whole = np.random.default_rng(0).integers(0, 256, (1_030, 1_400, 3), np.uint8)
    thinned = thin(whole, capabilities_of(embedder).shorter_side)
    one, other = embedder.embed([Content("image", pixels=(pixels,)) for pixels in (whole, thinned)], role="document")
    np.testing.assert_array_equal(one, other)


def test_the_side_embedder_gives_the_same_vectors_to_the_last_bit_whatever_becomes_of_it(embedder):
    make = capabilities_of(embedder).side_embedder
    if make is None:
        pytest.skip("it has none")
    texts = [content for content in CONTENTS if not content.pixels]
    expected = embedder.embed(texts, role="document")
    side = make()
    deadline = time.monotonic() + 60
    while not side.is_ready() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert side.is_ready()
    np.testing.assert_array_equal(side.embed(texts, role="document"), expected)
    side.close()
    assert not side.is_ready()
    np.testing.assert_array_equal(side.embed(texts, role="document"), expected)


class Plain:
    """An embedder as a plugin may write it: the protocol alone, and an attribute of the same name with another meaning."""

    capabilities = "many"


def test_an_embedder_that_declares_nothing_has_the_defaults():
    assert capabilities_of(object()) == capabilities_of(Plain()) == EmbedderCapabilities()
    assert (EmbedderCapabilities().concurrent_calls, EmbedderCapabilities().pictures_per_call) == (1, 0)
    assert (EmbedderCapabilities().shorter_side, EmbedderCapabilities().side_embedder) == (0, None)
