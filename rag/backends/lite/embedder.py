"""The `lite` embedder: words, visual attributes and a visual descriptor, each in its own block of one unit vector.

Knows no file, no network and no learned weights: it compares what is written and how things look, not what they mean.

A row is ``[text 1005 | attributes 18 | visual 256 | filler 1]``. In a document every block has a fixed weight, whatever the
others hold, and the filler brings the row to unit length. So for a query that names no attribute, the same words score the
same in a text as in the caption of a picture. In a query the weights depend on what it asks for. docs/lite.md has the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.base import DEFAULT_CHOICE, Choice, EmbedderCapabilities
from rag.backends.lite import attributes as lite_attributes
from rag.backends.lite import pixels, text
from rag.backends.lite.spelling import respelled
from rag.backends.lite.words import REVISION
from rag.types import Content, Fingerprint, Modality, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.backends.base import SideEmbedder
    from rag.types import Vectors

TEXT = slice(0, text.DIM)
ATTRIBUTES = slice(TEXT.stop, TEXT.stop + len(lite_attributes.ATTRIBUTES))
VISUAL = slice(ATTRIBUTES.stop, ATTRIBUTES.stop + pixels.DESCRIPTOR)
FILLER = VISUAL.stop
DIM = FILLER + 1
EARLIER = "2"  # the revision whose vectors are still searched, until the next run over an index makes new ones

WEIGHT = 0.2  # in the fusion of lanes, beside 1 for the full text. On eight judged collections flat from 0.1 to 0.3

# Shares of the squared length of a document's row; the share of a block that the document lacks goes to the filler.
DOCUMENT_TEXT, DOCUMENT_ATTRIBUTES, DOCUMENT_VISUAL = 0.64, 0.11, 0.25
# Of a text query: the attributes get 0.6 r², where r is the share of its rarity that names attributes; the words get the rest.
WORDS_ATTRIBUTES = 0.6
# Of a query picture (words, attributes, visual): with the words recognised in it, and with words typed beside it.
PICTURE_ALONE = (0.15, 0.10, 0.75)
PICTURE_AND_WORDS = (0.45, 0.10, 0.45)


class LiteEmbedder:
    """Words and looks as hashed features; see the module's docstring. Safe to share between threads."""

    fingerprint = Fingerprint(
        model="lite",
        revision=str(REVISION),
        dim=DIM,
        instruction="",
        preprocessing=f"text {text.DIM} + attributes {len(lite_attributes.ATTRIBUTES)} + visual {pixels.DESCRIPTOR}",
    )
    modalities: frozenset[Modality] = frozenset({"text", "image", "video"})
    reads_clues = True
    batch = 256

    def __init__(self, choice: Choice = DEFAULT_CHOICE, revision: int = REVISION) -> None:
        """`choice` is ignored: there is one `lite` embedder. `revision`: of the features, 2 for an index made with those."""
        self._text = text.TextBlock(revision)
        if revision != REVISION:
            self.fingerprint = replace(type(self).fingerprint, revision=str(revision))

    @property
    def capabilities(self) -> EmbedderCapabilities:
        """Pure Python: called in the thread that feeds it, with a side embedder for texts unless this is a subclass."""
        side_embedder = self._in_subprocess if type(self) is LiteEmbedder else None
        return EmbedderCapabilities(
            concurrent_calls=0,
            shorter_side=pixels.SHORTER_SIDE,
            side_embedder=side_embedder,
            earlier=self.earlier,
            anew=self.anew,
            certainty=certainty,
            names_looks=names_looks,
            weight=WEIGHT,
        )

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """One unit row per content, float32 (n, 1280); the laws are those of rag.backends.base.Embedder.

        The words are `text` and `clues` together; an unlisted word of a query also counts as the word it may be a typo of.
        A document without words and pixels is all filler; a query without either is the exact opposite, so it matches nothing.
        """
        rows = np.zeros((len(contents), DIM), np.float64)
        corrections = [respelled(content.text) for content in contents] if role == "query" else ()
        rows[:, TEXT] = self._text.embed([f"{content.text}\n{content.clues}" for content in contents], corrections)
        for row, content in zip(rows, contents, strict=True):
            if content.pixels:
                row[VISUAL], row[ATTRIBUTES] = pixels.see(content.pixels)
            weigh = _weigh_document if role == "document" else _weigh_query
            weigh(row, content)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def earlier(self, fingerprint: Fingerprint) -> LiteEmbedder | None:
        """The embedder of an earlier revision of the features; None where the fingerprint is that of no such revision."""
        if fingerprint != replace(self.fingerprint, revision=EARLIER):
            return None
        return LiteEmbedder(revision=int(EARLIER))

    def anew(self, contents: Sequence[Content], rows: Vectors) -> Vectors:
        """Document rows, float32 (n, 1280), of contents whose rows of an earlier revision hold their looks: no pixels needed."""
        fresh = np.asarray(rows, np.float64).copy()
        fresh[:, TEXT] = self._text.embed([f"{content.text}\n{content.clues}" for content in contents])
        fresh[:, TEXT] *= np.sqrt(DOCUMENT_TEXT)
        fresh[:, FILLER] = 0.0
        fresh[:, FILLER] = np.sqrt(np.maximum(0.0, 1.0 - np.square(fresh).sum(axis=1)))
        return np.asarray(fresh / np.linalg.norm(fresh, axis=1, keepdims=True), np.float32)

    def _in_subprocess(self) -> SideEmbedder:
        from rag.backends.lite.subprocess import LiteSubprocess  # a query needs no pipes, and they take milliseconds to import

        return LiteSubprocess(self)


def certainty(cosine: float) -> float:
    """How sure a cosine is, 0…1. On three judged collections the best document of 95 % of the queries has 0.17 or more, and of
    95 % of the queries that belong to another collection 0.17 or less.
    """
    return min(1.0, max(0.0, 2.0 * cosine))


def names_looks(words: str) -> bool:
    """Whether the words name a colour, a tone or a shape: nothing else of a picture is seen."""
    return bool(lite_attributes.named(words).any())


def looks_of(row: Vectors) -> tuple[Vectors, Vectors] | None:
    """The descriptor and attributes that `pixels.see` gave for a document with this row; None for one without pixels."""
    visual, attributes = row[VISUAL], row[ATTRIBUTES]
    lengths = float(np.linalg.norm(visual)), float(np.linalg.norm(attributes))
    return (visual / lengths[0], attributes / lengths[1]) if all(lengths) else None


def _weigh_document(row: NDArray[np.float64], content: Content) -> None:
    """Gives each block its fixed share, and the filler the rest."""
    row[TEXT] *= np.sqrt(DOCUMENT_TEXT)
    row[ATTRIBUTES] *= np.sqrt(DOCUMENT_ATTRIBUTES)
    row[VISUAL] *= np.sqrt(DOCUMENT_VISUAL)
    row[FILLER] = np.sqrt(max(0.0, 1.0 - float(row @ row)))


def _weigh_query(row: NDArray[np.float64], content: Content) -> None:
    """Gives each block a share that depends on what the query holds; a missing block leaves its share to the others."""
    named = lite_attributes.named(content.text)
    if content.pixels:
        shares = PICTURE_AND_WORDS if content.text.strip() else PICTURE_ALONE
        if named.any():
            row[ATTRIBUTES] = named
    else:
        attributes = WORDS_ATTRIBUTES * lite_attributes.share_named(content.text) ** 2
        row[ATTRIBUTES] = named
        shares = (1.0 - attributes, attributes, 0.0)
    for block, share in zip((TEXT, ATTRIBUTES, VISUAL), shares, strict=True):
        length = float(np.linalg.norm(row[block]))
        row[block] *= np.sqrt(share) / length if length else 0.0
    if not row.any():
        row[FILLER] = -1.0
