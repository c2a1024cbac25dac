"""Repairs an index: rebuilds what is derived, and ends documents with damaged vectors, so that the next run reads them again.

Knows the whole format of the folder; knows no corpus and no model, so it names lost documents but cannot read them.
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
from rag.humanize import counted
from rag.index.base import Segment
from rag.index.catalog.affected_documents import affected_documents
from rag.index.catalog.connection import REBUILD, advance_generation, generation_of, open_to_write, translate_errors
from rag.index.catalog.documents import end_document, rebuild_full_text, update_term_counts
from rag.index.catalog.index_folder import read_fingerprint
from rag.index.catalog.row_codec import to_bytes
from rag.index.catalog.spaces import Space, forget_contents, read_spaces
from rag.index.catalog.transaction import Transaction
from rag.index.files.checksums import BLOCK, block_sum
from rag.index.files.layout import SEGMENTS, segment_file
from rag.index.files.lock import Say, locked, silent
from rag.index.lexical.postings import postings_file
from rag.index.upkeep.check import check_catalog, wrong_in_full_text
from rag.index.upkeep.compaction import record_compaction, remove_all_ended, rewrite
from rag.index.upkeep.garbage import remove_garbage
from rag.index.upkeep.space_compaction import merge_space
from rag.index.vectors.segments import faiss_header, read_segments, read_sums, vectors_in
from rag.types import DocumentId


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair has done."""

    done: tuple[str, ...]  # one sentence each
    documents: tuple[DocumentId, ...]  # with damaged vectors: the next `rag index` reads them again


def repair(folder: Path, say: Say = silent) -> Repaired:
    """Repairs an index. All changes to the catalog are one commit; a kill leaves it as it was. `say` is told of a wait.

    IndexNotFound, IndexTooNew, IndexTooOld, IndexLocked, StorageFailed; IndexDamaged where the catalog itself is damaged.
    """
    if found := check_catalog(folder):
        # A lost page cannot be reconstructed from the others.
        raise IndexDamaged(f"the catalog cannot be repaired: {'; '.join(found[:3])}", remedy=REBUILD)
    with locked(folder, say), closing(open_to_write(folder)) as connection, translate_errors(folder):
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
                done.append(f"{names}: the intact rows were moved into a new segment")
            for space in read_spaces(connection, generation):
                done += _repair_space(transaction, connection, space, generation)
            if what := wrong_in_full_text(connection):
                rebuild_full_text(connection)
                postings_file(folder).unlink(missing_ok=True)
                done.append(f"the full text was rebuilt: {what}")
            if transaction.changed:
                advance_generation(connection, generation + 1)
        if transaction.changed:
            transaction.commit()
    return Repaired(tuple(done), tuple(lost))


@dataclass(frozen=True, slots=True, eq=False)
class _Salvaged:
    """The rows of a damaged segment, float16 (rows, dim), and the ranges [first, end) of vector numbers that are lost."""

    rows: NDArray[np.float16]
    lost: tuple[tuple[int, int], ...]


def _remove_derived(folder: Path) -> Iterator[str]:
    """Removes derived files, which are rebuilt on demand; yields what was removed."""
    derived = [file for file in (folder / SEGMENTS).iterdir() if file.suffix != ".faiss"]
    for file in derived:
        file.unlink(missing_ok=True)  # a reader may have renamed it meanwhile
    if derived:
        yield f"{counted(len(derived), 'derived file was', 'derived files were')} removed; searches rebuild them"
    if (folder / "thumbs").is_dir():
        shutil.rmtree(folder / "thumbs")
        yield "thumbnails were removed; the page makes them again"


def _salvage(folder: Path, connection: apsw.Connection, segment: Segment, dim: int) -> _Salvaged | None:
    """The rows that can be saved; None where the file is intact. A damaged header alone loses nothing: it is reconstructed."""
    sums = read_sums(connection, segment).tolist()
    file = segment_file(folder, segment.number)
    try:
        size = file.stat().st_size
        if size == segment.size:
            content: NDArray[np.uint8] = np.memmap(file, np.uint8, "c")  # the header is repaired below, in memory only
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


def _repair_space(transaction: Transaction, connection: apsw.Connection, space: Space, generation: int) -> Iterator[str]:
    """Moves the intact rows of the damaged segments of a further space; the lost ones are made again, and no document ends."""
    dim, folder = space.fingerprint.dim, transaction.folder
    salvaged = {each: _salvage(folder, connection, each, dim) for each in read_segments(connection, generation, space.number)}
    damaged = {segment: good for segment, good in salvaged.items() if good is not None}
    if not damaged:
        return
    lost = 0
    for good in damaged.values():
        for first, end in good.lost:
            connection.execute("DELETE FROM members WHERE space = ? AND number >= ? AND number < ?", (space.number, first, end))
            lost += connection.changes()
    record_compaction(connection, generation + 1)
    merge_space(transaction, connection, space, list(damaged), generation + 1, partial(_salvaged_rows, damaged))
    names = ", ".join(segment_file(folder, segment.number).name for segment in damaged)
    again = f"; {counted(lost, 'vector')} of {space.name} are made again by the next rag index" if lost else ""
    yield f"{names}: the intact rows were moved into a new segment{again}"


def _salvaged_rows(
    damaged: Mapping[Segment, _Salvaged], segment: Segment, runs: Sequence[tuple[int, int]]
) -> Iterator[NDArray[np.float16]]:
    for start, end in runs:
        yield damaged[segment].rows[start - segment.first : end - segment.first]


def _end_affected(connection: apsw.Connection, damaged: dict[Segment, _Salvaged], ended: int, dim: int) -> list[DocumentId]:
    """Ends the documents with lost vectors, and deletes those vectors so that they are not reused; returns the documents."""
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
    forget_contents(connection)
    return lost
