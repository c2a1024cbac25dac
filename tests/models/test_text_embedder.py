"""Qwen3-Embedding through every backend: the vectors of the published format; pictures are refused before anything loads."""

from functools import cache

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.local.transformers import TransformersEmbedder
from rag.backends.local.vllm_engine import EngineEmbedder
from rag.errors import BackendError
from tests.models import engines, oracle
from tests.models.samples import CONTENTS, TEXTS

WHICH = "text-embedder"
TASK = "Given a web search query, retrieve relevant passages that answer the query"
SAME = 0.9999

pytestmark = pytest.mark.usefixtures("server")  # comes up while the models in this process are asked


@pytest.fixture(scope="module")
def right(folder):
    return cache(lambda prompt, dim=0: oracle.embed_text(folder, prompt, dim))


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_is_embedded_bare(embedder, right, name):
    assert embedder.embed([CONTENTS[name]], role="document")[0] @ right(CONTENTS[name].text) >= SAME


@pytest.mark.parametrize("name", TEXTS)
def test_a_query_stands_below_its_task(embedder, right, name):
    assert embedder.embed([CONTENTS[name]], role="query")[0] @ right(f"Instruct: {TASK}\nQuery:{CONTENTS[name].text}") >= SAME


def test_many_at_once_are_the_same_in_order(embedder, right):
    contents = [CONTENTS[name] for name in TEXTS] * 3
    for vector, content in zip(embedder.embed(contents, role="document"), contents, strict=True):
        assert vector @ right(content.text) >= SAME


def test_own_instructions(embedder, right):
    own = engines.told(embedder, query_instruction="Find the ship", document_instruction="Sort it by harbour")
    text = CONTENTS["text"].text
    assert own.embed([CONTENTS["text"]], role="query")[0] @ right(f"Instruct: Find the ship\nQuery:{text}") >= SAME
    assert own.embed([CONTENTS["text"]], role="document")[0] @ right(f"Instruct: Sort it by harbour\nQuery:{text}") >= SAME


def test_short_vectors(embedder, right):
    [vector] = engines.told(embedder, dim=64).embed([CONTENTS["text"]], role="document")
    assert vector.shape == (64,)
    assert vector @ right(CONTENTS["text"].text, 64) >= SAME


def test_the_formats_tell_apart(right):
    vectors = np.stack([right(CONTENTS[name].text) for name in TEXTS])
    assert (vectors @ vectors.T - np.eye(len(vectors))).max() < 0.999
    assert right("crane") @ right(f"Instruct: {TASK}\nQuery:crane") < 0.95


@pytest.mark.parametrize("name", ["image", "video", "image and text"])
@pytest.mark.parametrize("kind", [EngineEmbedder, TransformersEmbedder])
def test_a_picture_is_refused_before_anything_loads(kind, folder, name):
    made = kind(Choice(model=str(folder)))
    with pytest.raises(BackendError, match="embeds text only") as refused:
        made.embed([CONTENTS["text"], CONTENTS[name]], role="document")
    assert "Qwen3-VL-Embedding" in refused.value.remedy
    assert made._loaded is None
