"""Looks up stored passages: by number, by short id, or as the neighbours of another.

Knows the tables `passages`, `texts`, `documents` and `roots`; knows no search.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from rag.errors import IndexFailure
from rag.index.catalog.row_codec import passage_from_row, to_name
from rag.location import stored_location
from rag.types import DocumentId, StoredPassage

_SELECT = """
SELECT passages.number, texts.id, passages.dated, roots.name, roots.folder, documents.path,
       passages.kind, texts.ordinal, texts.locator, texts.modality, texts.text, texts.caption, texts.context, texts.taken
FROM passages JOIN texts ON texts.passage = passages.number
     JOIN documents ON documents.number = passages.document JOIN roots ON roots.number = documents.root
"""
_AT_ONCE = 500  # passages of one statement; 160 of them take 0.4 ms, one by one 2.7
_LIVE = "passages.born <= :generation AND (passages.ended IS NULL OR passages.ended > :generation)"


def read_passages(connection: apsw.Connection, numbers: Sequence[int]) -> list[StoredPassage]:
    """The passages with these numbers, in the given order. IndexFailure where one does not exist."""
    rows: dict[int, tuple[Any, ...]] = {}
    for start in range(0, len(numbers), _AT_ONCE):
        some = ",".join(str(int(number)) for number in numbers[start : start + _AT_ONCE])
        statement = f"{_SELECT} WHERE passages.number IN ({some})"
        rows.update((row[0], row) for row in connection.execute(statement, can_cache=False))
    for number in numbers:
        if number not in rows:
            raise IndexFailure(f"passage {number} no longer exists: the index was compacted meanwhile", remedy="search again")
    return [_stored(rows[number]) for number in numbers]


def read_by_id(connection: apsw.Connection, generation: int, short_id: str) -> StoredPassage | None:
    """The live passage with that short id; None where there is none."""
    bindings = {"generation": generation, "id": short_id}
    row = connection.execute(f"{_SELECT} WHERE texts.id = :id AND {_LIVE}", bindings).fetchone()
    return None if row is None else _stored(row)


def read_neighbours(connection: apsw.Connection, generation: int, number: int, reach: int) -> list[StoredPassage]:
    """The live passages up to `reach` places before and after a passage in its document, in order, without the passage itself."""
    place = """documents.number = (SELECT document FROM passages WHERE number = :number) AND passages.number <> :number
        AND abs(texts.ordinal - (SELECT ordinal FROM texts WHERE passage = :number)) <= :reach"""
    bindings = {"generation": generation, "number": number, "reach": reach}
    rows = connection.execute(f"{_SELECT} WHERE {place} AND {_LIVE} ORDER BY texts.ordinal", bindings)
    return [_stored(row) for row in rows]


def _stored(row: tuple[Any, ...]) -> StoredPassage:
    number, short, dated, root, folder, path, *fields = row
    document = DocumentId(to_name(root), to_name(path))
    try:
        passage = passage_from_row(document, tuple(fields))
    except (ValueError, KeyError, TypeError) as error:
        raise apsw.CorruptError(f"passage {number} of {document} cannot be read: {error}") from error
    return StoredPassage(number, short, passage, stored_location(to_name(folder)) / document.path, dated)
