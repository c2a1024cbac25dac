"""Small indexes for the tests of the index room. Knows the room's public functions only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import numpy as np

from rag.index.catalog.index_folder import create
from rag.index.reader.open_index import open_index
from rag.index.reader.snapshot import Snapshot
from rag.index.writer.writer import Writer, writing
from rag.types import Context, Document, DocumentId, Fingerprint, Kind, Lines, Passage

DIM = 16
FINGERPRINT = Fingerprint("model", "1", DIM, "", "plain")


def unit_rows(count: int, seed: int, dim: int = DIM) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def key_of(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def vector_of(key: bytes, dim: int = DIM) -> np.ndarray:
    return unit_rows(1, int.from_bytes(key[:4], "big"), dim)[0]


def document(path: str, root: str = "docs", stamp: str = "1", modified: float = 1000.0, caption: str = "") -> Document:
    return Document(DocumentId(root, path), Path("/corpus") / path, stamp, modified, caption=caption)


def passage(of: Document, ordinal: int, text: str, kind: Kind = "text", caption: str = "", taken: float | None = None) -> Passage:
    place = Lines(ordinal + 1, ordinal + 1)
    return Passage(of.id, ordinal, place, kind, "text", text, caption, Context(title=""), taken)


def put(
    writer: Writer, path: str, texts: Sequence[str], *, words: str = "", kind: Kind = "text", caption: str = "",
    root: str = "docs", modified: float = 1000.0, stamp: str = "1",
) -> None:  # fmt: skip
    """Puts a document of one passage a text, with vectors made from the texts."""
    found = document(path, root, stamp, modified)
    passages = [(passage(found, at, text, kind, caption), key_of(text)) for at, text in enumerate(texts)]
    keys = [key for _, key in passages]
    writer.put_document(found, digest=key_of("\n".join(texts)), loader="text 1", passages=passages, path_words=words)
    if keys:
        writer.put_vectors(keys, np.stack([vector_of(key) for key in keys]))


def made(folder: Path, documents: dict[str, Sequence[str]] | None = None) -> Path:
    """An index of one root, `docs`, with these documents in one commit."""
    create(folder, FINGERPRINT, {"passage_characters": "1200"})
    with writing(folder) as writer:
        writer.add_root("docs", Path("/corpus"))
        for path, texts in (documents or {}).items():
            put(writer, path, texts)
        writer.commit()
    return folder


@contextmanager
def snapshot_of(folder: Path, structure: str = "auto") -> Iterator[Snapshot]:
    """The last commit of an index opened for this one snapshot."""
    with open_index(folder, structure) as index, index.snapshot() as snapshot:
        yield snapshot
