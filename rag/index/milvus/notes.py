"""The notes of an index: what is neither a passage nor a document, as named texts of a few sorts.

Knows one collection; knows what the sorts are called, not what their texts mean.
"""

from __future__ import annotations

import json
import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.errors import IndexDamaged, StorageFailed
from rag.index.catalog.row_codec import clean
from rag.index.milvus.engine import FIELD_BYTES, Engine, Row
from rag.index.milvus.names import from_field, hashed, to_field
from rag.index.milvus.schema import NO_VECTOR, NOTES, collection

FACT, SETTING, ROOT, CAPTION, RECOGNISED, KEPT, IGNORED, UNREAD, REREAD, LEASE, SPACE, FILL_LEASE = (
    "fact", "setting", "root", "caption", "recognised", "kept", "ignored", "unread", "reread", "lease",
    "space", "filling"
)  # fmt: skip
_FIELDS = ("sort", "name", "value")
_PACKED = "~z"  # begins a text that was compressed: no JSON does


def note_key(sort: str, name: str) -> str:
    """The key of a note."""
    return hashed(sort.encode(), to_field(name).encode())


class Notes:
    """The notes of one index. Names are any text; texts are at most some hundred thousand characters."""

    def __init__(self, engine: Engine, index: str) -> None:
        self._engine = engine
        self._collection = collection(index, NOTES)

    def read(self, sort: str, name: str, moment: Mapping[str, Any]) -> str | None:
        """The text of a note; None where there is none."""
        found = self._engine.get(self._collection, [note_key(sort, name)], _FIELDS, moment)
        return self._text(found[0]) if found else None

    def all_of(self, sort: str, moment: Mapping[str, Any]) -> dict[str, str]:
        """The texts of all notes of a sort, by their names as `to_field` has them."""
        rows = self._engine.every(self._collection, f'sort == "{sort}"', _FIELDS, moment)
        return {row["name"]: self._text(row) for row in rows}

    def everything(self, moment: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
        """Every note: its sort and its name, and its text."""
        for row in self._engine.every(self._collection, "", _FIELDS, moment):
            yield (row["sort"], from_field(row["name"])), self._text(row)

    def of_sorts(self, sorts: Sequence[str], moment: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """The same for several sorts that have few notes, in one request."""
        asked = ", ".join(f'"{sort}"' for sort in sorts)
        found: dict[str, dict[str, str]] = {sort: {} for sort in sorts}
        for row in self._engine.select(self._collection, f"sort in [{asked}]", _FIELDS, moment):
            found[row["sort"]][row["name"]] = self._text(row)
        return found

    def write(self, notes: Mapping[tuple[str, str], str]) -> None:
        """Writes texts by sort and name. StorageFailed."""
        self._engine.upsert(self._collection, [self._row(sort, name, text) for (sort, name), text in notes.items()])

    def forget(self, notes: Sequence[tuple[str, str]]) -> None:
        """Deletes notes. StorageFailed."""
        for start in range(0, len(notes), 1_000):
            keys = ", ".join(f'"{note_key(sort, name)}"' for sort, name in notes[start : start + 1_000])
            self._engine.delete(self._collection, f"key in [{keys}]")

    def forget_all_but(self, sorts: Sequence[str], kept: Sequence[tuple[str, str]]) -> None:
        """Deletes all notes but those of some sorts, and a few others. StorageFailed."""
        keys, lasting = (", ".join(f'"{each}"' for each in names) for names in ([note_key(*each) for each in kept], sorts))
        self._engine.delete(self._collection, f"sort not in [{lasting}] and key not in [{keys}]")

    def _row(self, sort: str, name: str, text: str) -> Row:
        text = clean(text)
        if len(text.encode()) > FIELD_BYTES or text.startswith(_PACKED):
            text = _PACKED + b85encode(zlib.compress(text.encode())).decode()
            if len(text) > FIELD_BYTES:
                raise StorageFailed(self._engine.address.shown, f"the note {sort} {name[:80]!r} is longer than Milvus stores")
        return {"key": note_key(sort, name), "sort": sort, "name": to_field(name), "value": text, "none": list(NO_VECTOR)}

    def _text(self, row: Row) -> str:
        value = str(row["value"])
        if not value.startswith(_PACKED):
            return value
        try:
            return zlib.decompress(b85decode(value.removeprefix(_PACKED))).decode()
        except (ValueError, zlib.error) as error:
            what = f"{self._engine.address.shown}: the note {row['sort']} {row['name'][:80]!r} cannot be read"
            raise IndexDamaged(what, remedy="read its folders anew: rag index --rebuild FOLDER …") from error


def listed(text: str | None) -> Any:
    """The JSON of a note; None where there is none."""
    return json.loads(text) if text else None
