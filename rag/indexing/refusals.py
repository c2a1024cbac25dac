"""Passages that the model does not take: what is reported of them, and what is left of their documents.

Knows the writer and the counts; knows no model and no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.humanize import place
from rag.types import Skipped

if TYPE_CHECKING:
    from rag.index.writing import IndexWriter
    from rag.indexing.tally import RunTally


def go_without(refused: Mapping[bytes, str], writer: IndexWriter, tally: RunTally) -> None:
    """Reports the passages of these keys, with the reasons; what is left of their documents is tried again in the next run."""
    met: set[bytes] = set()
    for document, digest, lost, whole in writer.give_up_vectors(refused.keys()):
        tally.passages.subtract(Counter(passage.kind for passage, _ in lost))
        if not whole:
            reasons = [f"{place(passage.locator, passage.inner)}: {refused[key]}" for passage, key in lost]
            tally.skipped += [Skipped(document.id, reason.removeprefix(": ")) for reason in reasons]
            continue
        reason = refused[lost[0][1]]
        writer.put_skipped(replace(document, stamp=""), reason)
        tally.skipped.append(Skipped(document.id, reason))
        if digest in met:
            tally.reused -= 1
        else:
            tally.indexed -= 1
        met.add(digest)
