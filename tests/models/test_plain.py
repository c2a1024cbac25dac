"""Models of other families in this process: what sentence-transformers and vLLM make of them is what the model's folder says."""

import json

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.errors import BackendError
from rag.types import Content
from tests.models import checkpoints as tiny
from tests.models import engines

TEXTS = ("harbour crane", "The crane is inspected every spring, before the first ship.", "no", "yes " * 40)


@pytest.fixture(scope="module")
def embedder_folder(checkpoints):
    return tiny.make_plain("plain-embedder", checkpoints)


@pytest.fixture(scope="module")
def reranker_folder(checkpoints):
    return tiny.make_plain("plain-reranker", checkpoints)


def right_vector(folder, text):
    """Mean of the last layer over the tokens, to unit length."""
    import torch
    from transformers import AutoTokenizer, BertModel

    with torch.inference_mode():
        hidden = BertModel.from_pretrained(folder)(**AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt"))
    vector = hidden.last_hidden_state[0].mean(0).numpy()
    return vector / np.linalg.norm(vector)


def right_score(folder, query, document):
    import torch
    from transformers import AutoTokenizer, BertForSequenceClassification

    with torch.inference_mode():
        pair = AutoTokenizer.from_pretrained(folder)(query, document, return_tensors="pt")
        return float(BertForSequenceClassification.from_pretrained(folder)(**pair).logits.sigmoid())


@pytest.mark.parametrize("backend", ["transformers", "vllm"])
def test_vectors_are_those_of_the_model(backend, embedder_folder):
    with engines.embedding(backend, embedder_folder, None) as embedder:
        assert embedder.fingerprint.dim == tiny.HIDDEN
        vectors = embedder.embed([Content("text", text=text) for text in TEXTS], role="document")
        for vector, text in zip(vectors, TEXTS, strict=True):
            assert vector @ right_vector(embedder_folder, text) >= 0.9999
        own = engines.told(embedder, query_instruction="query: ")
        assert (
            own.embed([Content("text", text="crane")], role="query")[0] @ right_vector(embedder_folder, "query: crane") >= 0.9999
        )
        with pytest.raises(BackendError, match="embeds text only"):
            embedder.embed([Content("image", pixels=(np.zeros((40, 40, 3), np.uint8),))], role="document")


@pytest.mark.parametrize("backend", ["transformers", "vllm"])
def test_scores_are_those_of_the_model(backend, reranker_folder):
    with engines.reranking(backend, reranker_folder, None) as reranker:
        scores = reranker.score(Content("text", text="crane"), [Content("text", text=text) for text in TEXTS])
        assert scores == pytest.approx([right_score(reranker_folder, "crane", text) for text in TEXTS], abs=1e-3)
        assert max(scores) - min(scores) > 0.01


def test_a_folder_without_weights_is_an_error(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen3", "hidden_size": 128}))
    with pytest.raises(BackendError, match="transformers cannot load"):
        engines.TransformersEmbedder(Choice(model=str(tmp_path))).load()
