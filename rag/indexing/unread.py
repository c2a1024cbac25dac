"""What becomes of a document that could not be read: its reason is stored, and whether the next run tries it again.

Knows reasons, the quarantine and the writer; knows no reader and no order of documents.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.errors import RagError, UnreadableDocument
from rag.indexing.quarantine import PATIENCE, Quarantine
from rag.types import Document, Skipped

if TYPE_CHECKING:
    from rag.decoding.messages import Failed
    from rag.index.writing import IndexWriter
    from rag.indexing.pending_document import PendingDocument
    from rag.indexing.tally import RunTally


def judge_failure(quarantine: Quarantine, pending: PendingDocument, failed: Failed) -> Failed:
    """Quarantines a file that killed its reader twice or timed out twice; returns what is to be said of the document.

    One that timed out once is tried again by the next run.
    """
    was_late = quarantine.is_late(pending.document)
    if failed.late and not (was_late and pending.identity is not None and not failed.passing):
        quarantine.put_late(pending.document, failed.reason)
        said = f"{failed.reason}; the next run reads it alone, and gives it {PATIENCE} times as much"
        return replace(failed, reason=said, passing=True)
    if (failed.killed or failed.late) and pending.identity is not None:
        quarantine.put(pending.identity.digest, pending.identity.reading, failed.reason)
    return failed


def put_unread(writer: IndexWriter, document: Document, reason: str, tally: RunTally, *, passing: bool) -> None:
    """Stores why a document could not be read; one deleted since the walk is removed.

    A `passing` reason, a refusal by the system (permissions, a broken disk), says nothing about the file: the next run tries it
    again.
    """
    if not os.path.lexists(document.file):
        tally.removed += writer.remove(document.id.root, document.id.path)
        return
    tally.skipped.append(Skipped(document.id, reason))
    writer.put_skipped(replace(document, stamp="") if passing else document, reason)


def put_not_brought(writer: IndexWriter, document: Document, failure: Exception | None, tally: RunTally) -> None:
    """Stores why a document did not get here; the version that the index holds stays, and the next run tries again."""
    passing = not isinstance(failure, UnreadableDocument)
    said = failure.what if isinstance(failure, RagError) else f"cannot be fetched: {getattr(failure, 'strerror', failure)}"
    tally.skipped.append(Skipped(document.id, said))
    if not passing or writer.digest(document.id) is None:
        writer.put_skipped(replace(document, stamp="") if passing else document, said)
