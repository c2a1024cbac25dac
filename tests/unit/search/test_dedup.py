"""Near-duplicates are one result, and documents that only look alike stay two. Vectors are those of the lite embedder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rag.backends.lite.embedder import LiteEmbedder
from rag.search import dedup
from rag.search.dedup import fold, unfolded
from rag.search.grouping import Group, Scored
from rag.types import Content, DocumentId, Kind, Lines, Locator, Modality, Page, Passage, StoredPassage, Whole

LETTER = (
    "Dear members, the pontoon of the yacht harbour will be closed for repair from Monday. Please move your boats to the "
    "outer quay, where water and power are laid on. The harbour office answers questions every morning. Yours, the master."
)


def result(number: int, kind: Kind, text: str, place: Locator | None = None, path: str = "") -> Group:
    modality: Modality = "text" if kind == "text" else "image"
    identity = DocumentId("docs", path or f"{number}.x")
    passage = Passage(identity, 0, place or Lines(1, 3), kind, modality, text)
    scored = Scored(StoredPassage(number, f"id{number}", passage, Path("/x"), 0.0), 1.0 - number / 100)
    return Group(scored, passage.locator, (scored,))


def text_fold(*texts: str) -> list[list[int]]:
    groups = [result(number, "text", text) for number, text in enumerate(texts)]
    return numbers(fold(groups, LiteEmbedder().embed([Content("text", text=text) for text in texts], role="document")))


def numbers(folded) -> list[list[int]]:
    return [[one.best.stored.number for one in (each.shown, *each.others)] for each in folded]


def test_copies_and_light_edits_are_one_result():
    edited = LETTER.replace("Please move", "Kindly move").replace("every morning", "each morning")
    assert text_fold(LETTER, LETTER, edited, "The crane stands still.") == [[0, 1, 2], [3]]


def test_two_letters_of_one_template_are_two_documents():
    invoice = LETTER + " Invoice {} of {} March, {} euros."
    assert text_fold(invoice.format("INV-4421", 3, 300), invoice.format("INV-4422", 3, 300)) == [[0], [1]]
    assert text_fold(invoice.format("INV-4421", 3, 300), invoice.format("INV-4421", 3, 800)) == [[0], [1]]
    other = LETTER.replace("the pontoon of the yacht harbour", "the slip at the old shipyard").replace("Monday", "Friday")
    assert text_fold(LETTER, other.replace("water and power are", "neither is")) == [[0], [1]]


def drawn(seed: int, size: int = 900) -> Image.Image:
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (size, size * 2 // 3), tuple(rng.integers(0, 255, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, w, h = (rng.random(4) * (size, size * 2 // 3, size / 3, size / 3)).tolist()
        draw.ellipse((x, y, x + w, y + h), fill=tuple(rng.integers(0, 255, 3).tolist()))
    return image


def picture_fold(*images: Image.Image) -> list[list[int]]:
    groups = [result(number, "image", "", Whole()) for number in range(len(images))]
    contents = [Content("image", pixels=(np.asarray(image),)) for image in images]
    return numbers(fold(groups, LiteEmbedder().embed(contents, role="document")))


def test_one_picture_at_two_sizes_and_photos_of_a_burst_are_one_result():
    picture = drawn(1)
    noise = np.random.default_rng(5).integers(-6, 7, (*picture.size[::-1], 3))
    burst = Image.fromarray((np.asarray(picture).astype(int) + noise).clip(0, 255).astype(np.uint8))
    shifted = picture.transform(picture.size, Image.Transform.AFFINE, (1, 0, 6, 0, 1, 4))
    assert picture_fold(picture, picture.resize((300, 200)), burst, shifted, drawn(2)) == [[0, 1, 2, 3], [4]]


@pytest.mark.parametrize("seed", range(10, 20))
def test_different_pictures_stay_apart(seed):
    assert picture_fold(drawn(seed), drawn(seed + 100), drawn(seed + 200)) == [[0], [1], [2]]


def test_equal_vectors_always_fold_within_a_kind_and_never_across():
    same = np.tile(np.float32([[0.6, 0.8]]), (3, 1))
    groups = [result(0, "text", "one"), result(1, "text", "two"), result(2, "page", "one", Page(1))]
    assert numbers(fold(groups, same)) == [[0, 1], [2]]


def test_a_repeated_slide_is_folded_whatever_its_own_number():
    near = np.float32([[1.0, 0.0], [0.985, 0.1725]])
    pages = [
        result(0, "page", "Shore power at Berth 5 page 3", Page(3)),
        result(1, "page", "Shore power at Berth 5 page 9", Page(9)),
    ]
    assert numbers(fold(pages, near)) == [[0, 1]]
    other = [pages[0], result(1, "page", "Shore power at Berth 6 page 9", Page(9))]
    assert numbers(fold(other, near)) == [[0], [1]]


def test_similarity_does_not_chain():
    angles = np.deg2rad([0.0, 12.0, 24.0])  # each is like the next one, the last is not like the first
    row = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert numbers(fold([result(n, "image", "", Whole()) for n in range(3)], row)) == [[0, 1], [2]]


def test_nothing_and_unfolded():
    assert fold([], np.empty((0, 4), np.float32)) == []
    groups = [result(0, "text", "one"), result(1, "text", "one")]
    assert numbers(unfolded(groups)) == [[0], [1]]


def test_the_words_of_a_result_are_counted_once(monkeypatch):
    counts: list[int] = []
    count = dedup.said_words
    monkeypatch.setattr(dedup, "said_words", lambda *given: counts.append(1) or count(*given))
    groups = [result(at, "text", f"{LETTER} Invoice {at // 2}.") for at in range(600)]
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal(64) + 1e-2 * rng.standard_normal((600, 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert numbers(fold(groups, vectors.astype(np.float32))) == [[at, at + 1] for at in range(0, 600, 2)]
    assert len(counts) == 600


def test_pairs_are_compared_as_counted_words_are():
    """Sets of words with their turns give what multisets give."""
    rng = np.random.default_rng(4)
    texts = [" ".join(f"w{word}" for word in rng.zipf(2.0, int(rng.integers(0, 40))) % 9) for _ in range(60)]
    said = [dedup.said_words(result(0, "text", text).best.stored.passage, {}).words for text in texts]
    counts = [Counter(text.split()) for text in texts]
    for one, first in zip(said, counts, strict=True):
        for other, second in zip(said, counts, strict=True):
            wanted = (first & second).total() >= dedup.SAME_WORDS * (first | second).total()
            assert dedup.nearly_same(one, other) == wanted
