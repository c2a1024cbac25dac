"""A large index of `lite` passages, written straight into the catalog and its segments: minutes where a run would take an hour.

Knows the index room and the `lite` embedder; knows nothing of what is measured. A passage is the first half of one made-up text
and the second half of another, and its vector has the features of both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.backends.lite.embedder import DOCUMENT_TEXT, FILLER, TEXT, LiteEmbedder
from rag.config import load_settings
from rag.index.catalog import connection as catalog
from rag.index.catalog.index_folder import create
from rag.index.reader.open_index import open_index
from rag.index.vectors.segments import record_segment, write_segment
from rag.loaders.policy import fixed_settings
from rag.types import Content
from tests.zipf import VOCABULARY, passages, word

EACH = 100  # passages of a document
TEXTS = 40_000  # that are embedded; passages are made of two of them
SEGMENTS = (32_000, 2_000)  # rows: of sixteen commits of a run, merged, and of a commit that is not yet
_STEP = 2_000
_REMEMBERED = dict.fromkeys(("document_instruction", "family", "model", "query_instruction"), "")
_REMEMBERED |= {"backend": "lite", "dim": 0, "url": []}


def make_large_index(folder: Path, count: int) -> None:
    """An index of so many passages, a multiple of 2,000, as a run of `rag index` leaves it; deletes nothing that is there."""
    embedder = LiteEmbedder()
    settings = {name: json.dumps(value) for name, value in _REMEMBERED.items()}
    create(folder, embedder.fingerprint, fixed_settings(load_settings({})) | settings)
    words = np.array([word(rank) for rank in range(VOCABULARY)])
    texts = [words[ranks[: max(6, len(ranks) // 2)]].tolist() for ranks in passages(min(TEXTS, count), seed=5)]
    vectors = np.concatenate(
        [
            embedder.embed([Content("text", text=" ".join(text)) for text in texts[start : start + _STEP]], role="document")
            for start in range(0, len(texts), _STEP)
        ]
    )
    pairs = np.random.default_rng(7).integers(0, len(texts), (count, 2))
    pairs[: len(texts)] = np.arange(len(texts))[:, None]  # these are the texts themselves
    connection = catalog.open_to_write(folder)
    connection.execute("PRAGMA cache_size = -512000")
    with connection:
        _write_passages(connection, texts, pairs)
        _write_segments(connection, folder, vectors, pairs)
        catalog.advance_generation(connection, 1)
    connection.close()
    with open_index(folder) as index:
        index.build_postings()


def _write_passages(connection: apsw.Connection, texts: Sequence[list[str]], pairs: NDArray[np.int64]) -> None:
    count = len(pairs)
    connection.execute("INSERT INTO roots(number, name, folder, born) VALUES (1, ?, ?, 1)", (b"large", b"/large"))
    connection.executemany(
        "INSERT INTO documents(number, root, path, stamp, modified, loader, caption, path_words, born)"
        " VALUES (?, 1, ?, '', ?, '', '', ?, 1)",
        ((at + 1, _path(at).encode(), 1.7e9 + at, _path(at).replace("/", " ")) for at in range(count // EACH)),
    )
    keys = ((at + 1, hashlib.blake2b(str(at).encode(), digest_size=16).digest()) for at in range(count))
    connection.executemany("INSERT INTO vectors VALUES (?, ?)", keys)
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, 0, ?, ?, 1, NULL)",
        ((at + 1, at // EACH + 1, at + 1, 1.7e9 + at // EACH) for at in range(count)),
    )
    joined = _joined(texts, pairs)
    rows = ((at + 1, f"large{at}", at % EACH, at % EACH * 5 + 1, at % EACH * 5 + 5, text) for at, text in enumerate(joined))
    connection.executemany(
        "INSERT INTO texts VALUES (?, ?, ?, json_object('line_end', ?5, 'line_start', ?4), 'text', ?6, '', '{}', NULL)", rows
    )
    connection.executemany(
        "INSERT INTO lexical(rowid, text, caption, path) VALUES (?, ?, '', ?)",
        ((at + 1, text, _path(at // EACH).replace("/", " ").replace(".", " ")) for at, text in enumerate(_joined(texts, pairs))),
    )
    connection.execute("CREATE VIRTUAL TABLE temp.counted USING fts5vocab('main', 'lexical', 'row')")
    connection.execute("INSERT INTO terms SELECT term, doc FROM temp.counted ORDER BY term")
    connection.execute("DROP TABLE temp.counted")


def _path(document: int) -> str:
    return f"part{document // 100:03}/document{document:05}.txt"


def _joined(texts: Sequence[list[str]], pairs: NDArray[np.int64]) -> Iterator[str]:
    for one, other in pairs.tolist():
        first, second = texts[one], texts[other]
        yield " ".join((*first[: len(first) // 2], *second[len(second) // 2 :]))


def _write_segments(connection: apsw.Connection, folder: Path, vectors: NDArray[np.float32], pairs: NDArray[np.int64]) -> None:
    def parts(first: int, rows: int) -> Iterator[NDArray[np.float16]]:
        for start in range(first, first + rows, _STEP):
            chosen = pairs[start : start + _STEP]
            summed = vectors[chosen[:, 0]] + vectors[chosen[:, 1]]
            summed[:, TEXT] *= np.sqrt(DOCUMENT_TEXT) / np.linalg.norm(summed[:, TEXT], axis=1, keepdims=True)
            summed[:, FILLER] = np.sqrt(1 - DOCUMENT_TEXT)
            yield summed.astype(np.float16)

    large, small = SEGMENTS
    first, number = 0, 1
    while first < len(pairs):
        rows = large if first + large <= len(pairs) else small
        segment, sums = write_segment(folder, number, first + 1, rows, parts(first, rows), vectors.shape[1])
        record_segment(connection, segment, sums, 1)
        first, number = first + rows, number + 1
