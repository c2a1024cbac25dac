"""The part of the writer that keeps what a run leaves for the next: settings, counts, and what is to be read again.

Knows notes and loaders' versions as numbers; opens no file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rag.index.catalog.reader_versions import UNREAD, family_of_loader, is_outdated
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.names import to_field
from rag.index.milvus.notes import FACT, IGNORED, KEPT, SETTING, Notes, listed
from rag.index.milvus.rows import identity
from rag.index.milvus.schema import DOCUMENTS, collection
from rag.index.milvus.survey import LOADERS

if TYPE_CHECKING:
    from rag.types import DocumentId


class Remembering:
    """As `Memory`; `changed` is what the next commit writes."""

    def __init__(self, engine: Engine, index: str, notes: Notes, read_again: Callable[[DocumentId], None]) -> None:
        self._engine, self._documents, self._notes, self._read_again = engine, collection(index, DOCUMENTS), notes, read_again
        self.changed: dict[tuple[str, str], str] = {}

    def keep_setting(self, name: str, value: str) -> None:
        """Keeps a setting that may change between runs, as JSON."""
        self._keep(SETTING, name, value)

    def keep_ignored(self, root: str, counts: Mapping[str, int]) -> None:
        """Keeps how much a run over all of a root left out, by reason."""
        self._keep(IGNORED, root, json.dumps(dict(counts), sort_keys=True))

    def read_again(self, versions: Mapping[str, int]) -> Counter[str]:
        """As `Memory.read_again`: what older versions of the loaders read, and could not read, is read by this run."""
        counts: Counter[str] = Counter()
        if listed(self._notes.read(FACT, LOADERS, NEWEST)) == dict(versions):
            return counts
        for row in self._engine.every(self._documents, "", ("root", "path", "loader", "skipped"), NEWEST):
            if row["skipped"] or is_outdated(row["loader"], versions):
                counts[UNREAD if row["skipped"] else family_of_loader(row["loader"])] += 1
                self._read_again(identity(row))
        self.changed[FACT, LOADERS] = json.dumps(dict(versions), sort_keys=True)
        return counts

    def _keep(self, sort: str, name: str, value: str) -> None:
        if self._notes.read(sort, name, NEWEST) != value:
            self.changed[sort, name] = value


class KeptNotes:
    """As `Kept`: each text is written at once."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def read(self, name: str) -> str:
        """The text of that name; "" where there is none."""
        return self._notes.read(KEPT, to_field(name), NEWEST) or ""

    def write(self, name: str, text: str) -> None:
        """StorageFailed."""
        self._notes.write({(KEPT, to_field(name)): text})
