"""The other families through real engines on tiny checkpoints: what each backend gives is what the published format gives."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rag.backends import media
from rag.backends.base import Choice
from rag.backends.families import FAMILIES, family_of
from rag.backends.local.transformers import TransformersEmbedder, TransformersReranker
from rag.backends.prompts import template_file
from rag.errors import BackendError, WrongSetting
from rag.models.doctor import prove
from rag.models.run_files import Task
from rag.types import Content
from tests.models import engines, family_oracle
from tests.models import family_checkpoints as tiny
from tests.models.samples import painted

SAME = 0.9999
NEAR = 3e-3
SAID = "The harbour crane is inspected every spring."
CHINESE = "港口的吊车每年春天检查一次。"
TEXTS = [Content("text", text=text) for text in (SAID, CHINESE, "no", "")]
WIDE = Content("image", pixels=(painted(100, 140, 1),))
LARGE = Content("image", pixels=(painted(1300, 1100, 3),))
BOTH = Content("image", text="a crane at dusk", pixels=(painted(90, 90, 4),))
OWN = "Find the same ship"
EMBEDDERS = {
    "gme-embedder": (family_oracle.embed_gme, [WIDE, LARGE, BOTH]),
    "wemm-embedder": (family_oracle.embed_wemm, [WIDE, LARGE, BOTH]),
    "jina-v4-embedder": (family_oracle.embed_jina_v4, [WIDE, LARGE]),
    "nemotron-embedder": (family_oracle.embed_nemotron, []),
    "siglip-embedder": (family_oracle.embed_towers, [WIDE, LARGE]),
    "clip-embedder": (family_oracle.embed_towers, [WIDE, LARGE]),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return tmp_path_factory.mktemp("families")


def seen(content: Content, limit: int) -> list[np.ndarray]:
    """The pictures as a server decodes them."""
    urls = [part["image_url"]["url"] for part in media.media_parts(content, limit)]
    return [np.asarray(Image.open(BytesIO(b64decode(url.split(",")[1])))) for url in urls]


def in_process(which: str) -> bool:
    """Whether transformers runs the family here."""
    folder = Path(tiny.FOLDERS[which])
    return (
        "transformers"
        not in family_of(Choice(model=str(folder)), "embedder" if which.endswith("embedder") else "reranker").not_in
    )


def failures(server: engines.Server, role: Task) -> list[str]:
    """What `rag doctor` finds wrong with a server; a warning may come of random weights."""
    found = prove(Choice(model=server.name, urls=(server.url,)), role)
    assert len(found) >= 4
    return [f"{one.check}: {one.detail}" for one in found if one.verdict == "failed"]


def check_embedder(embedder, which: str, folder: Path) -> None:
    right, pictures = EMBEDDERS[which]
    limit = FAMILIES[f"{which.removesuffix('embedder')}embedding"].pixels[1]
    contents = [*TEXTS, *pictures]
    vectors = embedder.embed(contents, role="document")
    prefix = {"nemotron-embedder": "passage: ", "jina-v4-embedder": "Passage: "}.get(which, "")
    expected = np.stack([right(folder, prefix + one.text, *([seen(one, limit)] if one.pixels else [])) for one in contents])
    assert (vectors * expected).sum(1).tolist() == pytest.approx([1.0] * len(contents), abs=1 - SAME)
    assert (expected @ expected.T - np.eye(len(contents))).max() < SAME  # a difference in the input is a difference in the vector


def check_instruction(embedder, which: str, folder: Path) -> None:
    own = engines.told(embedder, query_instruction=OWN)
    (vector,) = own.embed([TEXTS[0]], role="query")
    expected = {
        "gme-embedder": lambda: family_oracle.embed_gme(folder, SAID, (), OWN),
        "wemm-embedder": lambda: family_oracle.embed_wemm(folder, SAID, (), OWN),
        "jina-v4-embedder": lambda: family_oracle.embed_jina_v4(folder, f"{OWN} {SAID}"),
        "nemotron-embedder": lambda: family_oracle.embed_nemotron(folder, f"{OWN} {SAID}"),
    }.get(which, lambda: family_oracle.embed_towers(folder, OWN + SAID))()
    assert vector @ expected >= SAME


SHORT = ("gme-embedder", "colqwen3-reranker")  # each of the others is one more server: make test-models-long


def each_of(names):
    return [pytest.param(one, marks=[] if one in SHORT else [pytest.mark.long]) for one in names]


@pytest.mark.parametrize("which", each_of(one for one in EMBEDDERS if one != "wemm-embedder"))
def test_a_server_gives_the_vectors_of_the_published_format(which, checkpoints, places):
    folder = tiny.make(which, checkpoints)
    with engines.serving(which, folder, places / f"{which}.log") as server:
        embedder = engines.ServerEmbedder(Choice(model=server.name, urls=(engines.answering(server).url,)))
        check_embedder(embedder, which, folder)
        check_instruction(embedder, which, folder)
        assert failures(server, "embedder") == []


@pytest.mark.long
def test_wemm_behind_vllm_in_the_only_precision_it_has_on_a_processor(checkpoints, places):
    """vLLM's linear attention for processors takes bfloat16 alone, so its vectors are near, not equal; another prompt is far."""
    folder = tiny.make("wemm-embedder", checkpoints)
    contents = [*TEXTS, WIDE, LARGE, BOTH]
    expected = np.stack([family_oracle.embed_wemm(folder, one.text, seen(one, media.MAX_PIXELS)) for one in contents])
    with engines.serving("wemm-embedder", folder, places / "wemm.log", extra=("--dtype", "bfloat16")) as server:
        embedder = engines.ServerEmbedder(Choice(model=server.name, urls=(engines.answering(server).url,)))
        near = (embedder.embed(contents, role="document") @ expected.T).round(4)
    assert near.diagonal().min() >= 0.99, near.tolist()
    assert near.argmax(1).tolist() == list(range(len(contents)))


@pytest.mark.parametrize("which", [one for one in EMBEDDERS if in_process(one)])
def test_transformers_gives_the_vectors_of_the_published_format(which, checkpoints):
    folder = tiny.make(which, checkpoints)
    embedder = TransformersEmbedder(Choice(model=str(folder)))
    check_embedder(embedder, which, folder)
    check_instruction(embedder, which, folder)


SEEING = ("jina-m0-reranker", "colqwen3-reranker")
QUERY = Content("text", text="harbour crane in spring")


def pairs_of(which: str) -> tuple[list[Content], list[Content]]:
    """Queries, and the documents of each."""
    words = [*TEXTS[:3], Content("image", clues="a crane in the harbour")]
    return ([QUERY, WIDE], [*words, WIDE, LARGE]) if which in SEEING else ([QUERY], words)


def right_score(which: str, folder: Path, query: Content, document: Content) -> float:
    if which == "jina-m0-reranker":
        sides = [seen(one, 602_112)[0] if one.pixels else one.text or one.clues for one in (query, document)]
        return family_oracle.score_jina(folder, *sides)
    if which == "colqwen3-reranker":
        sides = [seen(one, media.MAX_PIXELS)[0] if one.pixels else one.text or one.clues for one in (query, document)]
        return family_oracle.score_late(folder, *sides)
    score = family_oracle.score_mxbai if which == "mxbai-v2-reranker" else family_oracle.score_pair
    return score(folder, query.text, document.text or document.clues)


def check_reranker(reranker, which: str, folder: Path) -> None:
    queries, documents = pairs_of(which)
    for query in queries:
        expected = [right_score(which, folder, query, document) for document in documents]
        assert reranker.score(query, documents) == pytest.approx(expected, abs=NEAR)
        assert max(expected) - min(expected) > 5 * NEAR  # the proof is worth something


SERVED = ["bge-reranker", "mxbai-v2-reranker", "jina-m0-reranker", "colqwen3-reranker"]


@pytest.mark.parametrize("which", each_of(SERVED))
def test_a_server_gives_the_scores_of_the_published_format(which, checkpoints, places):
    folder = tiny.make(which, checkpoints)
    with engines.serving(which, folder, places / f"{which}.log") as server:
        reranker = engines.ServerReranker(Choice(model=server.name, urls=(engines.answering(server).url,)))
        check_reranker(reranker, which, folder)
        assert failures(server, "reranker") == []
        if which == "mxbai-v2-reranker":
            (score,) = engines.told(reranker, rerank_instruction=OWN).score(QUERY, [TEXTS[0]])
            assert score == pytest.approx(family_oracle.score_mxbai(folder, QUERY.text, SAID, OWN), abs=NEAR)


@pytest.mark.parametrize("which", ["bge-reranker", "mxbai-reranker", "mxbai-v2-reranker"])
def test_transformers_gives_the_scores_of_the_published_format(which, checkpoints):
    folder = tiny.make(which, checkpoints)
    check_reranker(TransformersReranker(Choice(model=str(folder))), which, folder)


@pytest.mark.long
def test_the_pairs_of_jina_m0_in_this_process(checkpoints):
    folder = tiny.make("jina-m0-reranker", checkpoints)
    with engines.reranking("vllm", folder, None) as reranker:
        check_reranker(reranker, "jina-m0-reranker", folder)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.template and family.task == "embedder"])
def test_vllm_hands_the_parts_of_a_turn_to_a_template_as_parts(name):
    """Else it joins them with line breaks of its own."""
    from vllm.renderers.hf import _detect_content_format

    template = template_file(FAMILIES[name]).read_text("utf-8")
    assert _detect_content_format(template, default="string") == "openai"


def test_what_a_family_cannot_do_is_refused(checkpoints):
    with pytest.raises(WrongSetting, match="jina-m0-reranker, which transformers does not run here"):
        TransformersReranker(Choice(model="jinaai/jina-reranker-m0"))
    embedder = TransformersEmbedder(Choice(model=str(tiny.make("siglip-embedder", checkpoints))))
    with pytest.raises(BackendError, match="at most 1 picture"):
        embedder.embed([Content("image", pixels=(painted(40, 40, 1), painted(40, 40, 2)))], role="document")
    with pytest.raises(BackendError, match="text and pictures, but was given a video"):
        embedder.embed([Content("video", pixels=(painted(40, 40, 1), painted(40, 40, 2)))], role="document")
