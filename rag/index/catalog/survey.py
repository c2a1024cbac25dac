"""What an index knows of its documents, for somebody who plans a run and writes nothing.

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
from rag.index.catalog.documents import read_stamps
from rag.index.catalog.row_codec import to_bytes, to_name
from rag.index.catalog.status import read_roots


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known at one commit; without a connection, nothing."""

    roots: Mapping[str, Path]
    connection: apsw.Connection | None = None

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        """Path and stamp of each document below a root, or a part of it, by path; nothing for a root that is new."""
        if self.connection is None:
            return
        question = "SELECT number FROM roots WHERE name = ? AND ended IS NULL"
        numbers: list[tuple[Any, ...]] = self.connection.execute(question, (to_bytes(root),)).fetchall()
        for (number,) in numbers:
            yield from read_stamps(self.connection, number, under)

    def passages_each(self, family_of: Callable[[str], str]) -> dict[str, float]:
        """Passages of a document, on average, for each family that the index holds."""
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
    """The index of a folder, open to be looked at. Errors as those of opening it."""
    with closing(open_to_read(folder)) as connection, translate_errors(folder):
        yield Survey(read_roots(connection, generation_of(connection)), connection)
