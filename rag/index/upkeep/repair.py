"""Sets right what can be: derived files and full text are made anew, documents of damaged vectors are read again by the next run.

Knows the whole format of the folder; knows no corpus and no model, so what is lost is named and not fetched.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.catalog.affected_documents import affected_documents
from rag.index.catalog.connection import REBUILD, advance_generation, generation_of, open_to_write, translate_errors
from rag.index.catalog.documents import end_document, rebuild_full_text, update_term_counts
from rag.index.catalog.index_folder import read_fingerprint
from rag.index.catalog.row_codec import to_bytes
from rag.index.catalog.transaction import Transaction
from rag.index.files.checksums import BLOCK, block_sum
from rag.index.files.layout import SEGMENTS, segment_file
from rag.index.files.lock import locked
from rag.index.lexical.postings import postings_file
from rag.index.upkeep.check import check_catalog, wrong_in_full_text
from rag.index.upkeep.compaction import remove_all_ended, rewrite
from rag.index.upkeep.garbage import remove_garbage
from rag.index.vectors.segments import Segment, faiss_header, read_segments, read_sums, vectors_in
from rag.types import DocumentId


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done."""

    done: tuple[str, ...]  # a sentence each
    documents: tuple[DocumentId, ...]  # their vectors were damaged: the next `rag index` reads them again


def repair(folder: Path) -> Repaired:
    """Repairs an index that nobody else writes. Every change to the catalog is one commit; a kill leaves it as it was.

    IndexNotFound, IndexLocked, StorageFailed; IndexDamaged says what is left to do where the catalog itself is damaged.
    """
    if found := check_catalog(folder):
        # A page that is gone cannot be made again from the others.
        raise IndexDamaged(f"the catalog cannot be repaired: {'; '.join(found[:3])}", remedy=REBUILD)
    with locked(folder), closing(open_to_write(folder)) as connection, translate_errors(folder):
        remove_garbage(folder, connection)
        done = list(_remove_derived(folder))
        transaction = Transaction(folder, connection)
        generation = generation_of(connection)
        dim = read_fingerprint(folder, connection).dim
        salvaged = {each: _salvage(folder, connection, each, dim) for each in read_segments(connection, generation)}
        damaged = {segment: good for segment, good in salvaged.items() if good is not None}
        lost: list[DocumentId] = []
        with transaction.changing():
            if damaged:
                lost = _end_affected(connection, damaged, generation + 1, dim)
                rewrite(transaction, connection, list(damaged), generation + 1, dim, partial(_salvaged_rows, damaged))
                names = ", ".join(segment_file(folder, segment.number).name for segment in damaged)
                done.append(f"{names}: the rows that are what was written are in a new segment")
            if what := wrong_in_full_text(connection):
                rebuild_full_text(connection)
                postings_file(folder).unlink(missing_ok=True)
                done.append(f"the full text was made anew: {what}")
            if transaction.changed:
                advance_generation(connection, generation + 1)
        if transaction.changed:
            transaction.commit()
    return Repaired(tuple(done), tuple(lost))


@dataclass(frozen=True, slots=True, eq=False)
class _Salvaged:
    """The rows of a damaged segment, and the vectors (from, up to) that cannot be trusted."""

    rows: NDArray[np.float16]
    lost: tuple[tuple[int, int], ...]


def _remove_derived(folder: Path) -> Iterator[str]:
    """Removes what is made again when it is missed."""
    derived = [file for file in (folder / SEGMENTS).iterdir() if file.suffix != ".faiss"]
    for file in derived:
        file.unlink(missing_ok=True)  # a reader may just have finished it, under another name
    if derived:
        yield f"{len(derived)} derived files are removed; searches make them again"
    if (folder / "thumbs").is_dir():
        shutil.rmtree(folder / "thumbs")
        yield "thumbnails are removed; the page makes them again"


def _salvage(folder: Path, connection: apsw.Connection, segment: Segment, dim: int) -> _Salvaged | None:
    """None where the file is what was written. A header that alone is damaged costs nothing: it can be made again."""
    sums = read_sums(connection, segment).tolist()
    file = segment_file(folder, segment.number)
    try:
        size = file.stat().st_size
        if size == segment.size:
            content: NDArray[np.uint8] = np.memmap(file, np.uint8, "c")  # what is set right below is set right in memory
        else:
            content = np.zeros(segment.size, np.uint8)
            read = np.fromfile(file, np.uint8, count=segment.size)
            content[: len(read)] = read
    except (FileNotFoundError, IsADirectoryError):
        size, content = -1, np.zeros(segment.size, np.uint8)
    header = np.frombuffer(faiss_header(segment.rows, dim), np.uint8)
    as_written = size == segment.size and bool((content[: len(header)] == header).all())
    content[: len(header)] = header
    wrong = [at for at, each in enumerate(sums) if block_sum(content[at * BLOCK : (at + 1) * BLOCK].data) != each]
    if as_written and not wrong:
        return None
    rows = content[segment.header :].view("<f2").reshape(segment.rows, dim)
    return _Salvaged(rows, tuple(vectors_in(segment, at, dim) for at in wrong))


def _salvaged_rows(
    damaged: Mapping[Segment, _Salvaged], segment: Segment, runs: Sequence[tuple[int, int]]
) -> Iterator[NDArray[np.float16]]:
    for start, end in runs:
        yield damaged[segment].rows[start - segment.first : end - segment.first]


def _end_affected(connection: apsw.Connection, damaged: dict[Segment, _Salvaged], ended: int, dim: int) -> list[DocumentId]:
    """Ends the documents of lost vectors and forgets the vectors, so that nobody takes them over; gives the documents."""
    ranges = [numbers for each in damaged.values() for numbers in each.lost]
    lost = sorted({document for numbers in ranges for document in affected_documents(connection, *numbers)}, key=str)
    counts: Counter[str] = Counter()
    for document in lost:
        question = "SELECT number FROM roots WHERE name = ? AND ended IS NULL"
        root = int(connection.execute(question, (to_bytes(document.root),)).get)
        counts.subtract(end_document(connection, root, document.path, ended) or {})
    update_term_counts(connection, counts)
    remove_all_ended(connection)
    connection.executemany("DELETE FROM vectors WHERE number >= ? AND number < ?", ranges)
    return lost
