"""Converts documents and passages to the rows of Milvus, and back.

Knows the nouns and the fields; sends nothing.
"""

from __future__ import annotations

import json
import zlib
from base64 import b85decode, b85encode
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.catalog.documents import StagedDocument, word_columns
from rag.index.catalog.row_codec import clean, context_to_json, locator_to_json, passage_from_row, short_id
from rag.index.catalog.schema import KIND_CODES
from rag.index.milvus.engine import FIELD_BYTES, Row
from rag.index.milvus.names import document_key, from_field, hashed, to_field
from rag.index.milvus.schema import NO_VECTOR
from rag.location import Location
from rag.text.analyzer import stored_terms
from rag.types import Document, DocumentId, Passage, StoredPassage

_SURELY_FITS = 4_000  # characters of a text and of what surrounds it, however they are written
COLUMN = " | "  # between the terms of two columns; no term has a stroke
_MORE = json.JSONEncoder(sort_keys=True).encode  # `json.dumps` makes an encoder for each call that is not plain
LOOSE = "loose-"  # begins the key of a vector that is kept without a passage


def passage_rows(staged: StagedDocument) -> tuple[str, list[Row], int]:
    """The version of a document, the rows of its passages without their vectors, and in how many of them terms were left out.

    The version is a hash of all that is stored, so that a run that is repeated writes the same rows.
    """
    document = staged.document
    key = document_key(document.id)
    path_terms = stored_terms(staged.path_words)
    root, path = to_field(document.id.root), to_field(document.id.path)
    seen: Counter[str] = Counter()
    rows: list[Row] = []
    cut = 0
    for nth, (passage, vector_key) in enumerate(staged.passages):
        locator = locator_to_json(passage.locator, clean(passage.inner))
        terms, is_cut = _joined(word_columns(passage, path_terms))
        cut += is_cut
        rows.append(
            {
                "document": key,
                "vkey": vector_key.hex(),
                "ordinal": nth,
                "id": short_id(document.id, locator, seen[locator]),
                "root": root,
                "path": path,
                "inner": to_field(passage.inner),
                "kind": KIND_CODES[passage.kind],
                "dated": float(document.modified if passage.taken is None else passage.taken),
                "terms": terms,
                **_words(passage, locator),
            }
        )
        seen[locator] += 1
    head = [staged.digest.hex(), staged.loader, document.stamp, document.caption, staged.path_words, document.modified]
    version = hashed(json.dumps([head, [list(row.values()) for row in rows]]).encode())
    for row in rows:
        row["key"], row["version"] = f"{key}-{version}-{row['ordinal']}", version
    return version, rows, cut


def number_at(seconds: float) -> int:
    """The smallest number of a row written at that time, seconds since the epoch: microseconds. They ascend in each run."""
    return int(seconds * 1e6)


def owner_of(row_key: str) -> str:
    """The document and version that a row of a passage belongs to, as its key begins; "" of a loose vector."""
    return "" if row_key.startswith(LOOSE) else row_key.rpartition("-")[0]


def too_long(passages: Sequence[tuple[Passage, bytes]]) -> str:
    """Why a document cannot be stored; "" where it can."""
    for passage, _ in passages:
        if len(passage.text) + len(passage.caption) < _SURELY_FITS and len(context_to_json(passage.context)) < _SURELY_FITS:
            continue
        row = _words(passage, locator_to_json(passage.locator, clean(passage.inner)))
        if max(len(row["text"].encode()), len(row["more"].encode())) > FIELD_BYTES:
            return f"one passage has {len(passage.text):,} characters, more than a row of Milvus holds"
    return ""


def loose_row(vector_key: bytes, vector: NDArray[np.float16], number: int) -> Row:
    """A vector without a passage, float16 (dim,): the next run need not ask the model for it."""
    texts = dict.fromkeys(("document", "version", "id", "root", "path", "inner", "text", "more", "terms"), "")
    numbers = {"ordinal": 0, "kind": -1, "dated": 0.0, "number": number}
    return texts | numbers | {"key": LOOSE + vector_key.hex(), "vkey": vector_key.hex(), "vector": vector}


def document_row(staged: StagedDocument, version: str) -> Row:
    """The one row of a document, whose version is found from now on."""
    kinds = Counter(passage.kind for passage, _ in staged.passages)
    more = {"caption": clean(staged.document.caption), "path_words": clean(staged.path_words), "kinds": kinds}
    return _document(staged.document, version, staged.digest, staged.loader, "", more)


def skipped_row(document: Document, reason: str) -> Row:
    """The row of a file that could not be read."""
    return _document(document, "", b"", "", clean(reason), {})


def _document(document: Document, version: str, digest: bytes, loader: str, skipped: str, more: Mapping[str, Any]) -> Row:
    return {
        "key": document_key(document.id),
        "root": to_field(document.id.root),
        "path": to_field(document.id.path),
        "stamp": clean(document.stamp),
        "version": version,
        "digest": digest.hex(),
        "loader": clean(loader),
        "skipped": skipped[:8_000],
        "more": _packed(json.dumps({**more, "modified": document.modified})),
        "none": list(NO_VECTOR),
    }


def more_of(row: Row) -> dict[str, Any]:
    """What a document's row says in `more`: caption, path_words, kinds and modified. IndexDamaged."""
    try:
        found: dict[str, Any] = json.loads(_unpacked(row["more"]))
        return found
    except (ValueError, TypeError, zlib.error) as error:
        raise IndexDamaged(f"the row of {identity(row)} cannot be read: {error}", remedy="index its folder again") from error


def identity(row: Row) -> DocumentId:
    """The document of a row of either collection."""
    return DocumentId(from_field(row["root"]), from_field(row["path"]))


def passage_of(row: Row) -> Passage:
    """The passage of a row. IndexDamaged where it cannot be read."""
    try:
        more = json.loads(_unpacked(row["more"]))
        text = _unpacked(row["text"])
        fields = (row["kind"], more["ordinal"], more["locator"], more["modality"], text, more["caption"])
        return passage_from_row(identity(row), (*fields, more["context"], more["taken"]))
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        what = f"a passage of {identity(row)} cannot be read: {error}"
        raise IndexDamaged(what, remedy="index its folder again") from error


def stored_passage(number: int, row: Row, folder: Location) -> StoredPassage:
    """A passage as the read path wants it; `folder` is that of its root."""
    passage = passage_of(row)
    return StoredPassage(number, row["id"], passage, folder / passage.document.path, float(row["dated"]))


def vector_of(row: Row, dim: int) -> NDArray[np.float16]:
    """The vector of a row, float16 (dim,). IndexDamaged where it has another length."""
    found = row["vector"]
    raw = found[0] if isinstance(found, list) else found
    vector = np.frombuffer(raw, "<f2") if isinstance(raw, bytes) else np.asarray(found, np.float16)
    if vector.shape != (dim,):
        raise IndexDamaged(f"the vector of {identity(row)} has {vector.size} numbers, not {dim}", remedy="index its folder again")
    return vector


def columns_of(terms: str) -> tuple[str, str, str]:
    """The terms of each column, joined by spaces, from the field that holds them all."""
    text, _, rest = terms.partition(COLUMN)
    caption, _, path = rest.partition(COLUMN)
    return text.strip(), caption.strip(), path.strip()


def _joined(columns: Sequence[Sequence[str]]) -> tuple[str, bool]:
    """The terms of all columns in one field, and whether some of the first were left out because it was full."""
    text, caption, path = (" ".join(column) for column in columns)
    behind = f"{COLUMN}{caption}{COLUMN}{path} "
    room = FIELD_BYTES - 2 - len(behind.encode())
    encoded = text.encode()
    if len(encoded) <= room:
        return f" {text}{behind}", False
    kept = encoded[: max(room, 0)].decode("utf-8", "ignore")
    return f" {kept.rpartition(' ')[0]}{behind[: FIELD_BYTES // 4]}", True


def _words(passage: Passage, locator: str) -> Row:
    more = {
        "ordinal": passage.ordinal,
        "locator": locator,
        "modality": passage.modality,
        "caption": clean(passage.caption),
        "context": context_to_json(passage.context),
        "taken": passage.taken,
    }
    return {"text": _packed(clean(passage.text)), "more": _packed(_MORE(more))}


_PACKED = "\x7fz"  # begins a text that was compressed


def _packed(text: str) -> str:
    if len(text.encode()) <= FIELD_BYTES and not text.startswith(_PACKED):
        return text
    return _PACKED + b85encode(zlib.compress(text.encode())).decode()


def _unpacked(stored: str) -> str:
    return zlib.decompress(b85decode(stored.removeprefix(_PACKED))).decode() if stored.startswith(_PACKED) else stored
