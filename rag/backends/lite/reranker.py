"""The `lite` reranker: how much of what a query asks for is in a passage, and how similar two pictures look.

Knows no file, no network and no learned weights. It takes a passage's looks from its pixels, or from the vector that the `lite`
embedder made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag.backends.base import DEFAULT_CHOICE, Choice
from rag.backends.lite import pixels
from rag.backends.lite.attributes import ATTRIBUTES, spans
from rag.backends.lite.embedder import LiteEmbedder, looks_of
from rag.backends.lite.matching import Ask, asks, exactness, identifiers, match
from rag.types import Content, Fingerprint, Kind, Modality

if TYPE_CHECKING:
    from rag.types import Pixels, Vectors

UNRELATED = 0.25  # cosine of two descriptors up to which pictures do not look similar
FULLY_SHOWN = 0.45  # an attribute of at least this strength counts in full
LOOKS_BESIDE_OCR = 0.7  # weight of looks in the score, if both pictures have words in them
LOOKS_BESIDE_WORDS = 0.5  # weight of looks, if words were typed beside the picture
NO_PIXELS = 0.5  # factor for a passage without pixels, if the query is a picture with words in it


class LiteReranker:
    """Coverage, rarity, closeness and order of words (`matching.match`), and similarity of pictures. See docs/lite.md."""

    name = "lite"
    modalities: frozenset[Modality] = frozenset({"text", "image", "video"})
    reads_vectors: Fingerprint | None = LiteEmbedder.fingerprint
    trust: Mapping[Kind, float] = {}

    def __init__(self, choice: Choice = DEFAULT_CHOICE) -> None:
        """`choice` is ignored: there is one `lite` reranker."""

    def wants_pixels(self, query: Content) -> bool:
        """True if the query holds a picture or names a visual attribute."""
        return bool(query.pixels) or bool(spans(query.text))

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        """One float in 0…1 per content; the laws are those of rag.backends.base.Reranker.

        words w        match(the query's text; the content's text and clues), with the attributes seen in its pixels
        looks v        (cosine of the descriptors − 0.25) / 0.75, at least 0; 0 if the content has neither pixels nor their vector
        text query     w; with a picture 0.5 w + 0.5 v
        picture query  v; if both pictures have words in them 0.7 v + 0.3 w; 0.5 w for a content without pixels
        any query      × 0.95 if none of its identifiers (`INV-4421`) occurs exactly as written
        """
        asked = asks(query.text)
        read = asks(query.clues) if query.pixels and not asked else []
        wanted = pixels.see(query.pixels)[0] if query.pixels else None
        exact = identifiers(query.text)
        scores = [
            _score(asked, read, wanted, content) * exactness(exact, f"{content.text}\n{content.clues}") for content in contents
        ]
        return [min(1.0, max(0.0, score)) for score in scores]


def _score(asked: list[Ask], read: list[Ask], wanted: Vectors | None, content: Content) -> float:
    words = f"{content.text}\n{content.clues}"
    names_attribute = any(ask.attribute for ask in asked)
    seen = _seen(content) if names_attribute or wanted is not None else None
    shown = _shown(seen[1]) if seen is not None else {} if content.modality != "text" else None
    if wanted is None:
        return match(asked, words, shown)
    looks = _looks(float(wanted @ seen[0])) if seen is not None else 0.0
    if asked:
        return LOOKS_BESIDE_WORDS * looks + (1 - LOOKS_BESIDE_WORDS) * match(asked, words, shown)
    if not read or not words.strip():
        return looks
    if seen is None:
        return NO_PIXELS * match(read, words)
    return LOOKS_BESIDE_OCR * looks + (1 - LOOKS_BESIDE_OCR) * match(read, words)


def _seen(content: Content) -> tuple[Vectors, Vectors] | None:
    """The descriptor and the attributes; None for a content without pixels."""
    if content.vector is not None:
        return looks_of(content.vector)
    return pixels.see(content.pixels) if content.pixels else None


def _shown(strengths: Vectors) -> Mapping[str, float]:
    """Strength 0…1 of each attribute a person would name, in hundredths, so that rounding to 16 bits does not separate equals."""
    return {
        name: round(min(1.0, float(strength) / FULLY_SHOWN), 2)
        for name, strength in zip(ATTRIBUTES, strengths, strict=True)
        if strength >= pixels.NAMEABLE
    }


def _looks(cosine: float) -> float:
    return max(0.0, cosine - UNRELATED) / (1 - UNRELATED)


def likeness(one: Sequence[Pixels], other: Sequence[Pixels]) -> float:
    """How similar two pictures (uint8 RGB) look, 0…1: about 0 for unrelated ones, above 0.8 for near-duplicates."""
    return _looks(float(pixels.see(one)[0] @ pixels.see(other)[0]))
