"""Reads what an index knows of its documents, to plan a run without writing.

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
class Survey:
    """The documents of an index at one commit; empty without a connection, for an index that does not exist yet."""

    roots: Mapping[str, Location]
    connection: apsw.Connection | None = None

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        """(path, stamp) of the documents of a root, ordered by path; none if new. `under` limits them to a file or folder."""
        if self.connection is None:
            return
        question = "SELECT number FROM roots WHERE name = ? AND ended IS NULL"
        numbers: list[tuple[Any, ...]] = self.connection.execute(question, (to_bytes(root),)).fetchall()
        for (number,) in numbers:
            yield from read_stamps(self.connection, number, under)

    def digest(self, document: DocumentId) -> bytes | None:
        """The digest of a document; None where there is none, or it could not be read."""
        if self.connection is None:
            return None
        question = "SELECT number FROM roots WHERE name = ? AND ended IS NULL"
        number = self.connection.execute(question, (to_bytes(document.root),)).get
        return None if number is None else digest_of(self.connection, number, document.path)

    def outdated(self, versions: Mapping[str, int]) -> Counter[str]:
        """Documents that older versions of their loaders read, by family; as `count_outdated`."""
        return Counter() if self.connection is None else count_outdated(self.connection, versions)

    def passages_each(self, family_of: Callable[[str], str]) -> dict[str, float]:
        """The mean number of passages per document, for each family of file types in the index."""
        if self.connection is None:
            return {}
        documents, passages = Counter[str](), Counter[str]()
        question = """SELECT path, (SELECT count(*) FROM passages WHERE document = documents.number AND ended IS NULL)
            FROM documents WHERE ended IS NULL AND skipped IS NULL"""
        for path, count in self.connection.execute(question):
            family = family_of(to_name(path))
            documents[family] += 1
            passages[family] += count
        return {family: passages[family] / count for family, count in documents.items()}


@contextmanager
def surveyed(folder: Path) -> Iterator[Survey]:
    """Opens the index in a folder for a survey. Raises as `open_to_read`."""
    with closing(open_to_read(folder)) as connection, translate_errors(folder):
        yield Survey(read_roots(connection, generation_of(connection)), connection)
