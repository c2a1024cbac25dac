"""Files that killed their reader twice, and files that were given up for the time they took.

The first are not tried again until they change: they are known by what is in them. The second are tried once more by the next
run, alone and with more time, and join the first where that is not enough either.
Knows the text `quarantine.json` beside an index; knows no process. A rebuild, or a newer version of the loader, tries all again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.types import Document

if TYPE_CHECKING:
    from rag.index.writing import Kept

FILE = "quarantine.json"
PATIENCE = 4  # times as much time as usual for what was given up before
_LATE = "late:"  # such names never stand for a digest: an older version of the program passes them over


@dataclass(slots=True)
class Quarantine:
    """What is known of such files; each change is kept at once."""

    texts: Kept
    _reasons: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """A text that cannot be read quarantines nothing: it is only there to spare time."""
        try:
            kept = json.loads(self.texts.read(FILE) or "{}")
        except (ValueError, RecursionError):
            kept = {}
        self._reasons = {str(name): str(reason) for name, reason in kept.items()} if isinstance(kept, dict) else {}

    def reason(self, digest: bytes, reading: str) -> str | None:
        """Why these bytes, read that way, are not read; None where they are."""
        return self._reasons.get(name_of(digest, reading))

    def is_late(self, document: Document) -> bool:
        """Whether this version of the document was given up for the time it took."""
        return _late_name(document) in self._reasons

    def put(self, digest: bytes, reading: str, reason: str) -> None:
        """Quarantines these bytes. StorageFailed where nothing can be written."""
        self._keep({**self._reasons, name_of(digest, reading): reason})

    def put_late(self, document: Document, reason: str) -> None:
        """Has the next run try the document with more time. StorageFailed where nothing can be written."""
        self._keep({**self._reasons, _late_name(document): reason})

    def forget_late(self, document: Document) -> None:
        """The document was read, or is quarantined. StorageFailed where nothing can be written."""
        name = _late_name(document)
        if name in self._reasons:
            self._keep({known: reason for known, reason in self._reasons.items() if known != name})

    def _keep(self, reasons: dict[str, str]) -> None:
        self._reasons = reasons
        self.texts.write(FILE, json.dumps(reasons, ensure_ascii=False, indent=1))


def name_of(digest: bytes, reading: str) -> str:
    """One name for the same bytes read the same way."""
    return f"{digest.hex()}:{reading}"


def _late_name(document: Document) -> str:
    """One name for a version of a document: it may not even have been known by its bytes."""
    return f"{_LATE}{document.id}:{document.stamp}"
