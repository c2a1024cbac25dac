"""The contents of an index in Milvus as its further models are shown them: passages, and those that share a content.

Knows rows and numbers; knows no vector and no model. A content is what one key of the first space's vectors stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rag.index.milvus.engine import NEWEST, Engine, Row
from rag.index.milvus.facts import Facts
from rag.index.milvus.live_rows import LiveRows
from rag.index.milvus.names import among, from_field
from rag.index.milvus.numbers import Numbers
from rag.index.milvus.rows import stored_passage
from rag.index.milvus.schema import DOCUMENTS, PASSAGE_FIELDS, PASSAGES, collection
from rag.location import Location
from rag.types import StoredPassage

_LISTED = 10_000  # rows in one answer


class Contents:
    """For one thread. Numbers stand for passages as long as this is used."""

    def __init__(self, engine: Engine, index: str, facts: Facts, roots: Callable[[], Mapping[str, Location]]) -> None:
        """`roots` gives the folder of each root, by name, as the writer knows them now."""
        self._engine, self._index, self._facts, self._roots = engine, index, facts, roots
        self._passages = collection(index, PASSAGES)
        self._numbers = Numbers()
        self._first_of: dict[str, int] = {}  # content: the passage that names it
        self._content: dict[int, str] = {}  # the reverse

    def go_on_from(self, earlier: Contents) -> None:
        """Passages keep the numbers, and contents the names, that they had there."""
        self._numbers, self._first_of, self._content = earlier._numbers, earlier._first_of, earlier._content

    def named_by(self, rows: Sequence[Row]) -> list[int]:
        """The numbers of passages of different contents, which name these from now on."""
        self._first_of |= {row["vkey"]: self._numbers.of(row) for row in rows}
        self._content |= {self._numbers.of(row): row["vkey"] for row in rows}
        return [self._numbers.of(row) for row in rows]

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages with these numbers, in order, without those that are gone."""
        found = {row["key"]: row for row in self._engine.get(self._passages, self._numbers.keys(numbers), PASSAGE_FIELDS, NEWEST)}
        rows = [(number, found[key]) for number in numbers if (key := self._numbers.key(number)) in found]
        return [one for number, row in rows if (one := self._stored(number, row)) is not None]

    def sharing(self, passage: int, most: int) -> list[StoredPassage]:
        """The live passages of the same content as that one, itself included; at most so many."""
        content = self._content_of(passage)
        rows = self._live().select(among("vkey", [content])) if content else []
        stored = (self._stored(self._numbers.of(row), row) for row in sorted(rows, key=lambda one: int(one["number"])))
        return [one for one in stored if one is not None][:most]

    def sharing_numbers(self, passage: int) -> list[int]:
        """The passage that names the content of that one; none where it is gone, or no passage names it."""
        number = self._first_of.get(self._content_of(passage))
        return [] if number is None else [number]

    def stamp(self, passage: int) -> str:
        """The stamp of the passage's document: of the file as it was read."""
        document = self._numbers.key(passage).partition("-")[0]
        found = self._engine.get(collection(self._index, DOCUMENTS), [document], ("stamp",), NEWEST)
        return str(found[0]["stamp"]) if found else ""

    def _live(self) -> LiveRows:
        return LiveRows(self._engine, self._index, self._facts.fingerprint.dim, NEWEST, self._facts.generation)

    def _contents_of(self, passages: Sequence[int]) -> dict[int, str]:
        """The content of each passage that is there, or that names one: vectors of one that is gone are written nowhere."""
        known = {number: self._content[number] for number in passages if number in self._content}
        keys = {self._numbers.key(number): number for number in passages if number not in known}
        found = self._engine.get(self._passages, list(keys), ("vkey",), NEWEST, _LISTED)
        return known | {keys[row["key"]]: row["vkey"] for row in found}

    def _content_of(self, passage: int) -> str:
        """The content of a passage that a search showed, or that names a content; "" where there is none."""
        if self._numbers.is_known(passage):
            return self._contents_of([passage]).get(passage, "")
        found = self._engine.select(self._passages, f"number == {passage}", ("vkey",), NEWEST, 1)
        return str(found[0]["vkey"]) if found else ""

    def _stored(self, number: int, row: Row) -> StoredPassage | None:
        folder = self._roots().get(from_field(row["root"]))
        return None if folder is None else stored_passage(number, row, folder)
