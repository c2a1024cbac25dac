"""What a model cannot see is refused by name, with a remedy."""

import numpy as np
import pytest

from rag.backends.families import FAMILIES
from rag.backends.modalities import modalities_of, refuse_unseen
from rag.errors import BackendError
from rag.types import Content

VL, TEXT = FAMILIES["qwen3-vl-embedding"], FAMILIES["qwen3-embedding"]
GREY = np.full((40, 60, 3), 90, np.uint8)


def test_a_family_that_sees_takes_pictures_and_videos_too():
    assert modalities_of(VL) == {"text", "image", "video"}
    assert modalities_of(TEXT) == {"text"}


def test_what_a_model_can_see_is_not_refused():
    refuse_unseen(VL, [Content("image", pixels=(GREY,)), Content("text")], "VL")


def test_a_picture_for_a_text_model_is_refused():
    with pytest.raises(BackendError, match="Text embeds text only, but was given an image") as raised:
        refuse_unseen(TEXT, [Content("text"), Content("image", pixels=(GREY,))], "Text")
    assert raised.value.remedy == "choose a model that sees, such as Qwen/Qwen3-VL-Embedding-2B"


def test_a_video_without_pixels_is_refused():
    with pytest.raises(BackendError, match="a video reached the embedder without pixels"):
        refuse_unseen(VL, [Content("video", clues="a boat")], "VL")
