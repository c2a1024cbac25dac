"""What this project's passages hold of a file, as one text in their order.

Knows the reader as a run of `rag index` uses it, recognised words included; knows no sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.decoding.messages import Failed, PassageRead, ReadAll, Rules
from rag.decoding.tasks import perform
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name
from rag.types import Document, DocumentId, Passage

RULES = Rules(Limits(), "auto", True, "")


def passages_text(file: Path) -> str:
    """The words of all passages: what is shown around them where it changes, their own words, their captions, and OCR."""
    return "\n".join(_said(file))


def _said(file: Path) -> Iterator[str]:
    document = Document(DocumentId("set", file.name), file)
    shown: dict[str, None] = {}
    for answer in perform(ReadAll(document, RULES, loader_name(file, RULES.limits)), lambda digest: None):
        if isinstance(answer, Failed):
            raise AssertionError(f"{file.name}: {answer.reason}")
        if isinstance(answer, PassageRead):
            around = [one for one in _around(answer.passage) if one not in shown]
            shown |= dict.fromkeys(around)
            yield from (*around, answer.passage.text, answer.passage.caption, *filter(None, answer.words))


def _around(passage: Passage) -> Iterator[str]:
    """What a person reads beside a hit: the title of the document, who made it, its sheet, the headings above."""
    context = passage.context
    yield from filter(None, (context.title, context.about, context.sheet, context.heading))
