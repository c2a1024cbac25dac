"""The `lite` reranker: how much of what the query asks a passage holds, and how alike two pictures look.

Knows no file, no network and no learned weights. What the pixels of a passage look like it sees in them, or reads in the vector
that the `lite` embedder made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag.backends.base import UNTOLD, Choice
from rag.backends.lite import pixels
from rag.backends.lite.attributes import ATTRIBUTES, spans
from rag.backends.lite.embedder import LiteEmbedder, looks_of
from rag.backends.lite.matching import Ask, asks, exactness, identifiers, match
from rag.types import Content, Fingerprint, Kind, Modality

if TYPE_CHECKING:
    from rag.types import Pixels, Vectors

ALIKE_FROM = 0.25  # cosine of two descriptors: what is below is no likeness
FULLY_SHOWN = 0.45  # the strength from which on an attribute is fully there
LOOKS_READ = 0.7  # of the score: looks, where both pictures have words in them
LOOKS_ASKED = 0.5  # where words were asked beside the picture
UNSEEN = 0.5  # of the score of a passage without pixels, for a picture in which words were read


class LiteReranker:
    """Coverage, rarity, closeness and order of words (lite_matching.match) and likeness of pictures. See docs/lite.md."""

    name = "lite"
    modalities: frozenset[Modality] = frozenset({"text", "image", "video"})
    reads_vectors: Fingerprint | None = LiteEmbedder.fingerprint
    trust: Mapping[Kind, float] = {}

    def __init__(self, choice: Choice = UNTOLD) -> None:
        """Has nothing to choose."""

    def wants_pixels(self, query: Content) -> bool:
        """True for a query that holds a picture or names a visual attribute."""
        return bool(query.pixels) or bool(spans(query.text))

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        """One float in 0…1 for each content; the law is that of rag.backends.base.Reranker.

        words w       match(text of the query; text and clues of the content), attributes seen where pixels are there
        looks v       (cosine of the descriptors − 0.25) / 0.75, from 0; 0 where the content has no pixels, and no vector of them
        words asked   w; with a picture 0.5 w + 0.5 v
        each          × 0.95 where no identifier of the query (`INV-4421`) stands there as it is written
        picture only  v; with words in both 0.7 v + 0.3 w; a content without pixels 0.5 w
        """
        asked = asks(query.text)
        read = asks(query.clues) if query.pixels and not asked else []
        sought = pixels.see(query.pixels)[0] if query.pixels else None
        exact = identifiers(query.text)
        scores = [
            _score(asked, read, sought, content) * exactness(exact, f"{content.text}\n{content.clues}") for content in contents
        ]
        return [min(1.0, max(0.0, score)) for score in scores]


def _score(asked: list[Ask], read: list[Ask], sought: Vectors | None, content: Content) -> float:
    words = f"{content.text}\n{content.clues}"
    names = any(ask.attribute for ask in asked)
    seen = _seen(content) if names or sought is not None else None
    shown = _shown(seen[1]) if seen is not None else {} if content.modality != "text" else None
    if sought is None:
        return match(asked, words, shown)
    looks = _looks(float(sought @ seen[0])) if seen is not None else 0.0
    if asked:
        return LOOKS_ASKED * looks + (1 - LOOKS_ASKED) * match(asked, words, shown)
    if not read or not words.strip():
        return looks
    if seen is None:
        return UNSEEN * match(read, words)
    return LOOKS_READ * looks + (1 - LOOKS_READ) * match(read, words)


def _seen(content: Content) -> tuple[Vectors, Vectors] | None:
    """The descriptor and the attributes; None for a content without pixels."""
    if content.vector is not None:
        return looks_of(content.vector)
    return pixels.see(content.pixels) if content.pixels else None


def _shown(strengths: Vectors) -> Mapping[str, float]:
    """Strength 0…1 of each attribute that a person would name, in hundredths: what 16 bits blur must not part equals."""
    return {
        name: round(min(1.0, float(strength) / FULLY_SHOWN), 2)
        for name, strength in zip(ATTRIBUTES, strengths, strict=True)
        if strength >= pixels.NAMEABLE
    }


def _looks(cosine: float) -> float:
    return max(0.0, cosine - ALIKE_FROM) / (1 - ALIKE_FROM)


def likeness(one: Sequence[Pixels], other: Sequence[Pixels]) -> float:
    """How alike two pictures (uint8 RGB) look, 0…1: about 0 for unrelated ones, above 0.8 for near-duplicates."""
    return _looks(float(pixels.see(one)[0] @ pixels.see(other)[0]))
