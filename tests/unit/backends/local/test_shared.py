"""The checks and conversions of the in-process backends, without an engine; tests/models tests the models themselves."""

from dataclasses import replace

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.local import shared
from rag.backends.local.shared import checked_scores, dim_of, fitted, shown, times, unit_rows
from rag.backends.local.transformers import TransformersEmbedder, TransformersReranker
from rag.backends.local.vllm_engine import GIB, EngineEmbedder, EngineReranker, memory_share
from rag.errors import BackendError, MissingExtra, WrongRequest, WrongSetting
from rag.types import Content

GREY = np.full((40, 60, 3), 90, np.uint8)


class Letters:
    """A tokenizer with one token per UTF-8 byte, like a byte-level one that merges nothing."""

    def __call__(self, text, **_):
        ends = [(place, place + 1) for place, letter in enumerate(text) for _ in letter.encode()]
        return {"input_ids": list(text.encode()), "offset_mapping": ends}


@pytest.mark.parametrize(
    ("kind", "extra"),
    [
        (EngineEmbedder, "vllm"),
        (EngineReranker, "vllm"),
        (TransformersEmbedder, "transformers"),
        (TransformersReranker, "transformers"),
    ],
)
def test_a_missing_extra_is_named_with_its_command(kind, extra, monkeypatch):
    monkeypatch.setattr(shared, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as missing:
        kind(Choice(model="Qwen/Qwen3-VL-Embedding-2B"))
    assert missing.value.remedy == f"install it from the checkout of this program: pip install '.[{extra}]'"


def test_a_model_must_be_named(monkeypatch):
    monkeypatch.setattr(shared, "find_spec", lambda name: object())
    with pytest.raises(WrongSetting, match="no model is named"):
        EngineEmbedder(Choice())


def test_more_dimensions_than_the_model_has_are_refused():
    assert dim_of(Choice(model="Qwen/Qwen3-VL-Embedding-2B")) == 2048
    assert dim_of(Choice(model="Qwen/Qwen3-VL-Embedding-2B", dim=256)) == 256
    assert dim_of(Choice(model="some/other")) is None
    with pytest.raises(WrongSetting, match="has 2048 dimensions, not 4096"):
        dim_of(Choice(model="Qwen/Qwen3-VL-Embedding-2B", dim=4096))


def test_vectors_are_sliced_before_they_are_normalised():
    rows = unit_rows([[3.0, 4.0, 12.0], [0.0, 2.0, 1.0]], 2, 2, "m")
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, 1.0]], atol=1e-7)
    assert rows.dtype == np.float32


@pytest.mark.parametrize("values", [[[1.0, 2.0]], [[1.0], [1.0]], [[1.0, 2.0], [np.nan, 1.0]], [[1.0, 2.0], [0.0, 0.0]]])
def test_too_few_too_short_zero_and_non_finite_vectors_are_errors(values):
    with pytest.raises(BackendError):
        unit_rows(values, 2, 2, "m")


def test_there_must_be_one_score_in_0_to_1_per_content():
    assert checked_scores([0, 0.5, 1], 3, "m") == [0.0, 0.5, 1.0]
    for scores in ([0.5], [0.5, 1.1], [0.5, float("nan")]):
        with pytest.raises(BackendError):
            checked_scores(scores, 2, "m")


@pytest.mark.parametrize("text", ["abcdefgh" * 20, "港口的吊车" * 20, "é😀" * 30])
def test_a_text_that_is_too_long_is_cut_and_the_end_of_the_prompt_stays(text):
    kept = fitted(Content("text", text=text), (), Letters(), 60, lambda content: f"<system>{content.text}<assistant>")
    prompt = f"<system>{kept.text}<assistant>"
    assert text.startswith(kept.text)
    assert 57 <= len(prompt.encode()) <= 60


def test_pictures_leave_less_room_for_words():
    content = Content("image", text="x" * 200, pixels=(np.zeros((320, 320, 3), np.uint8),))  # 100 tokens and their brackets
    assert len(fitted(content, (), Letters(), 250, lambda one: one.text).text) == 250 - 102
    film = replace(content, modality="video", pixels=content.pixels * 4)
    assert len(fitted(film, (), Letters(), 300, lambda one: one.text).text) == 300 - 2 * 112


def test_a_prompt_too_long_without_its_text_is_refused():
    with pytest.raises(WrongRequest, match="longer than 20 tokens"):
        fitted(Content("text", text="abc"), (), Letters(), 20, lambda content: "instruction" * 9 + content.text)


def test_videos_have_one_frame_per_second():
    pictures, films = shown([Content("image", pixels=(GREY,)), Content("video", pixels=(GREY, GREY, GREY)), Content("text")])
    assert [picture.size for picture in pictures] == [(60, 40)]
    assert [[frame.size for frame in film] for film in films] == [[(60, 40)] * 3]
    assert times(films[0])["frames_indices"] == [0, 1, 2]
    assert times(films[0])["fps"] == 1.0


def test_an_embedder_and_a_reranker_share_a_card():
    assert memory_share(4 * GIB, 24 * GIB) == 0.42
    assert memory_share(17 * GIB, 24 * GIB) == 0.92
    assert memory_share(17 * GIB, 80 * GIB) * 2 < 0.92
