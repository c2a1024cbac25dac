"""Parts of a document that are not read: passages that hold a reason instead of words.

Knows passages; knows no format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rag.loaders.text.passage_content import text_content
from rag.types import Content, DocumentId, Locator, Passage, Skipped, Whole


def unread(document: DocumentId, first: int, reasons: Iterable[str], locator: Locator | None = None) -> Iterator[Passage]:
    """A passage for each reason, with ordinals from `first`; `content_or_reason` reports it, and nothing is indexed of it."""
    for ordinal, reason in enumerate(dict.fromkeys(reasons), start=first):
        yield Passage(document, ordinal, locator or Whole(), kind="text", modality="text", caption=reason)


def content_or_reason(passage: Passage) -> Content | Skipped:
    """What a model reads of a passage, or why this part is not read."""
    return text_content(passage) if passage.text else Skipped(passage.document, passage.caption)
