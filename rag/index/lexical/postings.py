"""In which passages the common words stand and how much each says there, as arrays in a derived file.

Knows the full text and the table `terms`; knows no question. The words of passages never change and numbers are never given
twice, so what was once kept stays true: later passages are added to it, ended ones are for the search to leave out.

    of each word, one after the other:   low 16 bits of the numbers (2 bytes each) · weights (2 bytes each)
    starts: of each word, of each block of 65,536 numbers, how many came before it (4 bytes), and how many there are
    the words, as a JSON list                                                                            little-endian
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.connection import commit_name
from rag.index.catalog.schema import COLUMN_WEIGHTS
from rag.index.files.sealed_file import open_sealed, write_sealed
from rag.index.lexical.bm25 import K1, totals

COMMON = 1_000  # passages: the full text gives those of a rarer word in a millisecond
BLOCK = 1 << 16  # numbers

_MAX_WEIGHT = K1 + 1  # what BM25 gives a word for standing in a passage is less, before it is multiplied by how rare the word is
_WEIGHT_SCALE = 65535  # the weight that stands for it
FACTOR = _MAX_WEIGHT / _WEIGHT_SCALE
_KIND = "postings 1"
_LEAST_IDF = 1e-6  # as FTS5 has it


class Posting(NamedTuple):
    """The passages of one word, ascending, and what it says in each, block by block."""

    lows: NDArray[np.uint16]  # the number, less that of its block
    weights: NDArray[np.uint16] | NDArray[np.float32]
    starts: NDArray[np.int64]  # of each block, and the end of the last


class Postings:
    """An opened file: the common words of the passages numbered up to `last`."""

    def __init__(self, payload: NDArray[np.uint8], words: list[str], blocks: int, last: int, generation: int) -> None:
        self.last = last
        self.generation = generation
        self.blocks = blocks
        self._places = {word: place for place, word in enumerate(words)}
        self._payload = payload
        size = 4 * len(words) * (blocks + 1)
        self._starts = payload[len(payload) - size :].view("<u4").reshape(len(words), blocks + 1) if words else None
        counts = np.zeros(0, np.int64) if self._starts is None else self._starts[:, -1].astype(np.int64)
        self._offsets = np.concatenate(([0], np.cumsum(4 * counts))).tolist()

    def __contains__(self, word: str) -> bool:
        return word in self._places

    def of(self, word: str) -> Posting | None:
        """The passages of a word; None where it is not kept."""
        place = self._places.get(word)
        if place is None or self._starts is None:
            return None
        lows, weights = self._payload[self._offsets[place] : self._offsets[place + 1]].view("<u2").reshape(2, -1)
        return Posting(lows, weights, self._starts[place].astype(np.int64))


def postings_file(folder: Path) -> Path:
    """Where the common words of an index lie."""
    return folder / "passages.words"


def open_postings(folder: Path, connection: apsw.Connection, generation: int) -> Postings | None:
    """What was kept and is true at a generation; None where there is nothing."""
    sealed = open_sealed(postings_file(folder))
    if sealed is None or sealed.manifest["kind"] != _KIND:
        return None
    manifest = sealed.manifest
    # A catalog put back from a copy may have gone another way since: then that generation was another commit.
    if manifest["generation"] > generation or manifest["commit"] != commit_name(connection, manifest["generation"]):
        return None
    words = json.loads(sealed.payload[len(sealed.payload) - manifest["words"] :].tobytes())
    payload = sealed.payload[: len(sealed.payload) - manifest["words"]]
    return Postings(payload, words, manifest["blocks"], manifest["last"], manifest["generation"])


def build_postings(folder: Path, connection: apsw.Connection, generation: int, numbers: NDArray[np.int64]) -> None:
    """Keeps the common words of the live passages `numbers`, which ascend. OSError where nothing can be written.

    55 µs a passage that is new to the file; measured on made-up texts of 70 words.
    """
    old = open_postings(folder, connection, generation)
    last = int(numbers[-1])
    blocks = last // BLOCK + 1
    held = np.zeros(blocks * BLOCK, np.bool_)
    held[numbers] = True
    words = [word for (word,) in connection.execute("SELECT term FROM terms WHERE passages >= ? ORDER BY term", (COMMON,))]
    rows, _ = totals(connection)
    starts = np.zeros((len(words), blocks + 1), "<u4")

    def payload() -> Iterator[memoryview]:
        for place, word in enumerate(words):
            known = old.of(word) if old else None
            since = old.last if old and known else 0
            found, weights = weights_of(connection, word, rows, since, last)
            if known and old:
                before = _numbers(known)
                found, weights = np.concatenate((before, found)), np.concatenate((known.weights, weights))
            stays = held[found]
            found, weights = found[stays], weights[stays]
            starts[place] = np.searchsorted(found, np.arange(blocks + 1) * BLOCK)
            yield (found % BLOCK).astype("<u2").view(np.uint8).data
            yield weights.astype("<u2").view(np.uint8).data
        yield starts.reshape(-1).view(np.uint8).data
        yield spelled

    spelled = memoryview(json.dumps(words).encode())
    manifest = {"kind": _KIND, "generation": generation, "commit": commit_name(connection, generation), "last": last}
    write_sealed(postings_file(folder), payload(), {**manifest, "blocks": blocks, "words": len(spelled)})


def weights_of(
    connection: apsw.Connection, word: str, rows: int, since: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """The numbers above `since` of a word, and its weights: FTS5's BM25, without how rare the word is among all `rows`."""
    match = f'"{word}"'
    holding = int(connection.execute("SELECT count(*) FROM lexical WHERE lexical MATCH ?", (match,)).get)
    rare = math.log((rows - holding + 0.5) / (holding + 0.5)) if 2 * holding < rows else _LEAST_IDF
    question = f"""SELECT rowid, bm25(lexical, {", ".join(map(str, COLUMN_WEIGHTS))}) FROM lexical
        WHERE lexical MATCH ? AND rowid > ? AND rowid <= ? ORDER BY rowid"""
    table = np.fromiter(chain.from_iterable(connection.execute(question, (match, since, last))), np.float64).reshape(-1, 2)
    weights = np.rint(table[:, 1] * (-_WEIGHT_SCALE / _MAX_WEIGHT / max(rare, _LEAST_IDF))).clip(0, _WEIGHT_SCALE)
    return table[:, 0].astype(np.int64), weights.astype(np.uint16)


def _numbers(posting: Posting) -> NDArray[np.int64]:
    """Its passages, whole numbers again."""
    each = np.diff(posting.starts)
    found: NDArray[np.int64] = np.repeat(np.arange(len(each)) * BLOCK, each) + posting.lows
    return found
