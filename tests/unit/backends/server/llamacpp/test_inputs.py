"""Pictures and prompts as llama.cpp's server is sent them."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from rag.backends.prompts import IMAGE
from rag.backends.server.llamacpp.inputs import input_of, refusals, size_of
from rag.types import Content

MARKER = "<__media_abc__>"


@pytest.mark.parametrize(
    ("size", "expected"),
    [  # by smart_resize of transformers 5: factor 32, 4,096 to 1,310,720 pixels
        ((64, 64), (64, 64)),
        ((50, 40), (96, 64)),
        ((20, 10), (96, 64)),
        ((1, 1), (64, 64)),
        ((140, 100), (128, 96)),
        ((331, 101), (320, 96)),
        ((517, 333), (512, 320)),
        ((40, 260), (32, 256)),
        ((2000, 10), (928, 32)),
        ((1100, 1300), (1024, 1216)),
        ((1144, 1144), (1120, 1120)),
        ((4000, 3000), (1312, 960)),
    ],
)
def test_sizes_are_those_of_the_reference(size, expected):
    assert size_of(*size) == expected


def test_pictures_stand_where_their_placeholders_do_in_the_size_of_the_reference():
    first, second = np.zeros((40, 50, 3), np.uint8), np.full((101, 331, 3), 200, np.uint8)
    content = Content("image", pixels=(first, second))
    sent = input_of(f"a{IMAGE}{IMAGE}b", [content], MARKER)
    assert sent["prompt_string"] == f"a{MARKER}{MARKER}b"
    shown = [Image.open(BytesIO(b64decode(one))) for one in sent["multimodal_data"]]
    assert [(one.format, one.size) for one in shown] == [("PNG", (96, 64)), ("PNG", (320, 96))]
    assert np.asarray(shown[1]).mean() == pytest.approx(200, abs=1)


def test_text_is_composed_and_holds_no_marker():
    assert input_of("Cafe\u0301", [], MARKER) == "Café"
    assert input_of(f"{MARKER} <__media__>", [], MARKER) == "‹__media_abc__› ‹__media__›"
    assert input_of("<__media__>", [], "") == "‹__media__›"


def test_only_videos_of_several_frames_are_refused():
    frame = np.zeros((64, 64, 3), np.uint8)
    contents = [Content("video", pixels=(frame,)), Content("video", pixels=(frame, frame)), Content("text", text="x")]
    refused = refusals(contents, "http://a")
    assert list(refused) == [1]
    assert "4 frames a second" in refused[1].message
