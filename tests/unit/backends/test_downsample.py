"""Every k-th pixel, while enough remain."""

from __future__ import annotations

import numpy as np
import pytest

from rag.backends.downsample import thin
from rag.backends.lite import pixels as lite_pixels
from rag.backends.lite.embedder import LiteEmbedder
from rag.types import Content


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "thinned"),
    [
        ((1348, 952), (450, 318)),
        ((511, 4000), (511, 4000)),
        ((512, 4000), (256, 2000)),
        ((767, 768), (384, 384)),
        ((3, 9), (3, 9)),
    ],
)
def test_the_shorter_side_keeps_enough_pixels(shape: tuple[int, int], thinned: tuple[int, int]) -> None:
    whole = picture(*shape)
    kept = thin(whole, 256)
    step = -(-shape[0] // thinned[0])
    assert kept.shape == (*thinned, 3) and kept.flags.c_contiguous
    np.testing.assert_array_equal(kept, whole[::step, ::step])
    assert thin(kept, 256) is kept
    assert thin(whole, 0) is whole


@pytest.mark.parametrize("shape", [(1348, 952), (858, 1526), (300, 5000), (513, 512)])
def test_the_lite_model_gives_the_same_vector_for_a_thinned_picture(shape: tuple[int, int]) -> None:
    embedder, whole = LiteEmbedder(), picture(*shape)
    contents = [Content("image", pixels=(pixels,)) for pixels in (whole, thin(whole, embedder.capabilities.shorter_side))]
    first, second = embedder.embed(contents, role="document")
    np.testing.assert_array_equal(first, second)
    assert lite_pixels.SHORTER_SIDE == embedder.capabilities.shorter_side == 256
