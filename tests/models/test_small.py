"""The small tier against transformers, on tiny random checkpoints of both architectures: tokenizer, preprocessing and pooling.

The oracle is written from the cards of multilingual-e5-small and SigLIP, with transformers' own tokenizers and processors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.small.background import SENTENCES, background_pictures
from rag.backends.small.embedder import SmallEmbedder
from rag.backends.small.encoders import PictureEncoder, TextEncoder
from rag.types import Content
from tests.models import small_files

TEXTS = [
    "a red boat at dusk",
    "港口的 harbour",
    "",
    "Z",
    "the harbour " * 700,
    "a dog",
    "punctuation, and: 12.5 %",
    "sea",
    "boat boat boat",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return small_files.make(tmp_path_factory.mktemp("small"))


def picture(width: int, height: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    from PIL import Image

    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


PIXELS = [picture(*size, seed) for seed, size in enumerate(((64, 64), (300, 200), (97, 411), (33, 20), (1_000, 30), (640, 480)))]


def unit(rows: Any) -> np.ndarray:
    rows = np.asarray(rows, np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def cosines(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return (unit(found) * unit(wanted)).sum(axis=1)


def text_oracle(checkpoint: Path, texts: list[str], prefix: str) -> np.ndarray:
    import torch
    from transformers import AutoTokenizer, BertModel

    tokenizer, model = AutoTokenizer.from_pretrained(checkpoint), BertModel.from_pretrained(checkpoint).eval()
    rows = []
    with torch.inference_mode():
        for text in texts:
            given = tokenizer([prefix + text], max_length=512, padding=True, truncation=True, return_tensors="pt")
            states = model(given["input_ids"], given["attention_mask"]).last_hidden_state
            mask = given["attention_mask"]
            rows.append((states.masked_fill(~mask[..., None].bool(), 0.0).sum(dim=1) / mask.sum(dim=1)[..., None])[0].numpy())
    return np.array(rows)


def picture_oracle(checkpoint: Path, pictures: list[np.ndarray]) -> np.ndarray:
    import torch
    from PIL import Image
    from transformers import SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    model, processor = SiglipModel.from_pretrained(checkpoint).eval(), SiglipImageProcessorPil.from_pretrained(checkpoint)
    with torch.inference_mode():
        rows = [model.get_image_features(**processor(images=Image.fromarray(one), return_tensors="pt")) for one in pictures]
    return np.array([getattr(row, "pooler_output", row)[0].numpy() for row in rows])


def caption_oracle(checkpoint: Path, captions: list[str]) -> np.ndarray:
    import torch
    from transformers import AutoTokenizer, SiglipModel

    model, tokenizer = SiglipModel.from_pretrained(checkpoint).eval(), AutoTokenizer.from_pretrained(checkpoint)
    rows = []
    with torch.inference_mode():
        for caption in captions:
            ids = tokenizer([caption.lower()], padding="max_length", max_length=64, truncation=True, return_tensors="pt")
            found = model.get_text_features(input_ids=ids["input_ids"])
            rows.append(getattr(found, "pooler_output", found)[0].numpy())
    return np.array(rows)


@pytest.mark.parametrize("prefix", ["query: ", "passage: "])
def test_texts_are_those_of_transformers(made: tuple[Path, Path, Path], prefix: str) -> None:
    tier, text, _ = made
    found = TextEncoder(tier / "text").embed(TEXTS, prefix)
    assert (cosines(found, text_oracle(text, TEXTS, prefix)) >= 0.9999).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)


def test_pictures_are_those_of_transformers(made: tuple[Path, Path, Path]) -> None:
    tier, _, pictures = made
    found = PictureEncoder(tier / "pictures").embed_pictures(PIXELS)
    assert (cosines(found, picture_oracle(pictures, PIXELS)) >= 0.9999).all()


def test_captions_are_those_of_transformers(made: tuple[Path, Path, Path]) -> None:
    tier, _, pictures = made
    found = PictureEncoder(tier / "pictures").embed_captions(TEXTS)
    assert (cosines(found, caption_oracle(pictures, TEXTS)) >= 0.9999).all()


def test_a_vector_is_that_of_the_published_formula(made: tuple[Path, Path, Path]) -> None:
    tier, text, pictures = made
    embedder = SmallEmbedder(Choice(model=f"small:{tier}"))
    sentences = list(SENTENCES)
    query, passage = (unit(text_oracle(text, sentences, prefix)) for prefix in ("query: ", "passage: "))
    caption, seen = unit(caption_oracle(pictures, sentences)), unit(picture_oracle(pictures, background_pictures()))
    text_mean, picture_mean = passage.mean(axis=0), seen.mean(axis=0)
    text_scale = 0.9 / np.linalg.norm(passage - text_mean, axis=1).mean()
    picture_scale = 0.9 / np.linalg.norm(seen - picture_mean, axis=1).mean()
    others = ~np.eye(len(sentences), dtype=bool)
    text_spread = (query @ (passage - text_mean).T)[others].std() * text_scale
    ratio = np.clip(text_spread / ((caption @ (seen - picture_mean).T).std() * picture_scale), 0.25, 4.0)

    contents = [
        Content("text", text="a red boat"),
        Content("image", pixels=(PIXELS[1],)),
        Content("image", pixels=(PIXELS[2],), clues="the harbour at dusk"),
        Content("text"),
    ]
    words = unit(text_oracle(text, ["a red boat", "the harbour at dusk"], "passage: ")) - text_mean
    shown = unit(picture_oracle(pictures, PIXELS[1:3])) - picture_mean
    words, shown = words * text_scale * np.sqrt(0.5), shown * picture_scale * np.sqrt(0.5)
    nothing_read, nothing_seen = np.zeros(words.shape[1]), np.zeros(shown.shape[1])
    found = embedder.embed(contents, role="document")
    blocks = [[*words[0], *nothing_seen], [*nothing_read, *shown[0]], [*words[1], *shown[1]], [*nothing_read, *nothing_seen]]
    for row, wanted in zip(found, np.array(blocks), strict=True):
        rest = np.sqrt(max(0.0, 1.0 - wanted @ wanted))
        np.testing.assert_allclose(row, unit([[*wanted, rest]])[0], atol=3e-3)

    asked = [
        Content("text", text="the sea"),
        Content("image", pixels=(PIXELS[0],), clues="not asked for"),
        Content("image", pixels=(PIXELS[0],), text="the sea"),
        Content("text"),
    ]
    read, called = unit(text_oracle(text, ["the sea"], "query: "))[0], unit(caption_oracle(pictures, ["the sea"]))[0]
    like = np.array([*nothing_read, *unit(picture_oracle(pictures, PIXELS[:1]))[0], 0.0])
    said = np.array([*read, *(ratio * called), 0.0]) / np.hypot(1.0, ratio)
    nothing = np.array([*nothing_read, *nothing_seen, -1.0])
    wanted_rows = unit(np.array([said, like, said + like, nothing]))
    np.testing.assert_allclose(embedder.embed(asked, role="query"), wanted_rows, atol=3e-3)


def test_the_laws_of_an_embedder_hold(made: tuple[Path, Path, Path]) -> None:
    embedder = SmallEmbedder(Choice(model=f"small:{made[0]}"))
    contents = [Content("text", text=text) for text in TEXTS] + [Content("image", pixels=(one,), clues="a") for one in PIXELS]
    for role in ("query", "document"):
        rows = embedder.embed(contents, role=role)
        assert (rows.dtype, rows.shape) == (np.float32, (len(contents), embedder.fingerprint.dim))
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
        np.testing.assert_allclose(embedder.embed(contents[::-1], role=role)[::-1], rows, atol=1e-4)
        assert embedder.embed([], role=role).shape == (0, embedder.fingerprint.dim)
    again = SmallEmbedder(Choice(model=f"small:{made[0]}"))  # the background is read from its file now
    assert again.fingerprint == embedder.fingerprint
    np.testing.assert_allclose(again.embed(contents, role="query"), embedder.embed(contents, role="query"), atol=1e-5)


def test_other_bytes_are_another_fingerprint(made: tuple[Path, Path, Path], tmp_path: Path) -> None:
    import shutil

    copied = tmp_path / "copy"
    shutil.copytree(made[0], copied)
    model = f"small:{copied}"
    assert SmallEmbedder(Choice(model=model)).fingerprint == SmallEmbedder(Choice(model=f"small:{made[0]}")).fingerprint
    (copied / "text" / "tokenizer_config.json").write_text("{}")
    assert SmallEmbedder(Choice(model=model)).fingerprint != SmallEmbedder(Choice(model=f"small:{made[0]}")).fingerprint
