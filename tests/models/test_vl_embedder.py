"""Qwen3-VL-Embedding through every backend: the vectors of the published format, whatever runs the model."""

from functools import cache

import numpy as np
import pytest

from rag.types import Fingerprint
from tests.models import checkpoints as tiny
from tests.models import engines, oracle
from tests.models.samples import CONTENTS, decoded

WHICH = "vl-embedder"
TOLD = {"document": "Represent the user's input.", "query": "Retrieve images or text relevant to the user's query."}
SAME = 0.9999

pytestmark = pytest.mark.usefixtures("server")  # comes up while the models in this process are asked


@pytest.fixture(scope="module")
def right(folder):
    @cache
    def vector(name, instruction, dim=0):
        images, frames = decoded(CONTENTS[name])
        return oracle.embed_vl(folder, instruction, CONTENTS[name].text, images, frames, dim)

    return vector


@pytest.mark.parametrize("role", TOLD)
@pytest.mark.parametrize("name", CONTENTS)
def test_a_vector_is_that_of_the_published_format(embedder, right, name, role):
    [vector] = embedder.embed([CONTENTS[name]], role=role)
    assert vector @ right(name, TOLD[role]) >= SAME


def test_many_at_once_are_the_same_in_order(embedder, right):
    vectors = embedder.embed([*CONTENTS.values(), *CONTENTS.values()], role="document")
    assert vectors.shape == (2 * len(CONTENTS), tiny.HIDDEN)
    assert vectors.dtype == np.float32
    for vector, name in zip(vectors, [*CONTENTS, *CONTENTS], strict=True):
        assert vector @ right(name, TOLD["document"]) >= SAME


@pytest.mark.parametrize("name", ["text", "image and text", "video"])
def test_own_instructions_get_their_full_stop(embedder, right, name):
    own = engines.told(embedder, query_instruction="Find the same ship", document_instruction="Describe it!")
    assert own.embed([CONTENTS[name]], role="query")[0] @ right(name, "Find the same ship.") >= SAME
    assert own.embed([CONTENTS[name]], role="document")[0] @ right(name, "Describe it!") >= SAME


@pytest.mark.parametrize("name", ["text", "image and text"])
def test_short_vectors_are_cut_first_and_brought_to_length_after(embedder, right, name):
    [vector] = engines.told(embedder, dim=64).embed([CONTENTS[name]], role="document")
    assert vector.shape == (64,)
    assert vector @ right(name, TOLD["document"], 64) >= SAME


def test_every_backend_has_the_same_fingerprint(embedder):
    assert embedder.fingerprint == Fingerprint(
        "Qwen3-VL-Embedding-tiny", "", tiny.HIDDEN, TOLD["document"], "qwen3-vl prompts 1, ≤ 1310720 pixels"
    )
    assert embedder.modalities == {"text", "image", "video"}


def test_the_formats_tell_apart(right):
    """The proof is worth something: another content, role or order gives another vector."""
    vectors = np.stack([right(name, TOLD["document"]) for name in CONTENTS])
    assert (vectors @ vectors.T - np.eye(len(vectors))).max() < 0.999
    for name in CONTENTS.keys() - {"long", "large"}:  # where the instruction is 10 of thousands of tokens
        assert right(name, TOLD["document"]) @ right(name, TOLD["query"]) < 0.95


def test_a_server_asked_without_special_tokens_gives_another_vector(server, right):
    told = [{"role": "system", "content": TOLD["document"]}, {"role": "user", "content": CONTENTS["text"].text}]
    answer = engines.answering(server).post("/v1/embeddings", {"messages": told, "add_generation_prompt": True})
    assert np.array(answer.json()["data"][0]["embedding"]) @ right("text", TOLD["document"]) < 0.9


def test_the_long_text_is_about_4000_tokens(folder):
    from transformers import AutoTokenizer

    assert 3_800 <= len(AutoTokenizer.from_pretrained(folder)(CONTENTS["long"].text)["input_ids"]) <= 4_300
