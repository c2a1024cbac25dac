"""What turns files into passages and passages into content. Knows files; knows no model and no index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag.limits import Limits as Limits
from rag.types import CaptionOf, Content, Document, Dropped, Passage, Skipped

STRETCH = 16  # passages; a long document is read in stretches of this many, each perhaps by another process


class Loader(Protocol):
    """One family of formats.

    Laws, checked for every row of LOADERS by tests/contracts/test_loaders.py:
    - ``split`` is streaming and deterministic: same bytes and limits, same passages, same order, ordinals from 0.
    - ``read`` yields one value for each passage asked for, in order: its content, `Dropped` where the loader leaves it
      out on purpose (never for the first of the document or for one asked alone), or `Skipped` where this part is damaged.
    - What is dropped depends only on its own stretch: the ordinals from a multiple of `STRETCH` up to the next.
    - Both stay within the limits in memory and raise only `UnreadableDocument`, whose `what` is a reason a person understands.
    - ``read`` gives equal content whenever the file's bytes are equal, whichever passages are asked for together.
    """

    version: int  # raised whenever the same bytes give other passages or other content

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]: ...

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Dropped | Skipped]: ...

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        """The captions that this document gives to pictures it shows; none in most formats."""
        ...
