"""Reads what an index folder knows of its documents, to plan a run without writing.

Knows the tables of the catalog; knows no walk and no vectors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from rag.index.catalog.connection import generation_of, open_to_read, translate_errors
from rag.index.catalog.documents import digest_of, read_stamps
from rag.index.catalog.reader_versions import count_outdated
from rag.index.catalog.row_codec import to_bytes, to_name
from rag.index.catalog.status import read_roots
from rag.location import Location
from rag.types import DocumentId


@dataclass(frozen=True, slots=True)
class FolderSurvey:
    """As `Survey`."""

    roots: Mapping[str, Location]
    connection: apsw.Connection

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        """As `Survey.stamps`."""
        question = "SELECT number FROM roots WHERE name = ? AND ended IS NULL"
        numbers: list[tuple[Any, ...]] = self.connection.execute(question, (to_bytes(root),)).fetchall()
        for (number,) in numbers:
            yield from read_stamps(self.connection, number, under)

    def digest(self, document: DocumentId) -> bytes | None:
        """As `Survey.digest`."""
        question = "SELECT number FROM roots WHERE name = ? AND ended IS NULL"
        number = self.connection.execute(question, (to_bytes(document.root),)).get
        return None if number is None else digest_of(self.connection, number, document.path)

    def outdated(self, versions: Mapping[str, int]) -> Counter[str]:
        """As `count_outdated`."""
        return count_outdated(self.connection, versions)

    def passages_each(self, family_of: Callable[[str], str]) -> dict[str, float]:
        """As `Survey.passages_each`."""
        documents, passages = Counter[str](), Counter[str]()
        question = """SELECT path, (SELECT count(*) FROM passages WHERE document = documents.number AND ended IS NULL)
            FROM documents WHERE ended IS NULL AND skipped IS NULL"""
        for path, count in self.connection.execute(question):
            family = family_of(to_name(path))
            documents[family] += 1
            passages[family] += count
        return {family: passages[family] / count for family, count in documents.items()}


@contextmanager
def surveyed(folder: Path) -> Iterator[FolderSurvey]:
    """Opens the index in a folder for a survey. Raises as `open_to_read`."""
    with closing(open_to_read(folder)) as connection, translate_errors(folder):
        yield FolderSurvey(read_roots(connection, generation_of(connection)), connection)
