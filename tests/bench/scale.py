"""An index in Milvus beside bare pymilvus: searching and writing the same rows, and how many calls a query takes.

Knows the Milvus room and its rows; makes its files below .work/ and removes them. --full takes 100,000 × 1024 instead of 20,000.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import rag
from rag.index.catalog.documents import StagedDocument
from rag.index.milvus.engine import Engine
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.rows import passage_rows
from rag.index.milvus.schema import PASSAGES, collection, create_collections
from rag.types import Fingerprint
from tests.bench.measure import Row, alternate, show
from tests.scale.test_samples import QUERIES, asked
from tests.unit.index_samples import document, key_of, passage

ROWS, DIM, TOP = 100_000 if "--full" in sys.argv else 20_000, 1024, 100
COMMIT, MEASURED = 2_000, 10_000  # passages of a commit; the last so many are written by both
PER_DOCUMENT, WORDS = 8, 60
FOLDER = Path(__file__).parents[2] / ".work" / "bench-scale"
SAMPLES = Path(__file__).parents[2] / "samples/corpus"
Batch = tuple[list[StagedDocument], np.ndarray]  # documents, and the vectors of their passages


def rows() -> list[Row]:
    """Searching, writing, and the calls of a query."""
    try:
        shutil.rmtree(FOLDER, ignore_errors=True)
        room = MilvusRoom(f"milvus-lite://{FOLDER}/bench.db")
        room.create(Fingerprint("bench", "1", DIM, "", "plain"), {})
        return [_written(room), _searched(room), _calls()]
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


def _written(room: MilvusRoom) -> Row:
    """Fills the index; the last passages are written by the writer and, the same rows, by the bare client, in turn."""
    create_collections(room.engine, "bare", DIM)
    ours = bare = 0.0
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        writer.commit()
        for at, (documents, vectors) in enumerate(_batches()):

            def write(documents: list[StagedDocument] = documents, vectors: np.ndarray = vectors) -> None:
                for one in documents:
                    writer.put_document(
                        one.document, digest=one.digest, loader=one.loader, passages=one.passages, path_words=one.path_words
                    )
                writer.put_vectors([key for one in documents for _, key in one.passages], vectors)
                writer.commit()

            taken = _processor(write)
            made = _rows_of(documents, vectors)  # not timed: the bare client has them already
            least = _processor(lambda made=made: _upsert(room.engine, made))
            if at * COMMIT >= ROWS - MEASURED:
                ours, bare = ours + taken, bare + least
    done = min(MEASURED, ROWS)
    what = f"writing {done:,} passages × {DIM} after {ROWS - done:,}, commits of {COMMIT:,}"
    measured, floor = f"{done / ours:,.0f} passages/s", f"pymilvus, upsert of the same rows: {done / bare:,.0f}/s, processor time"
    return Row(what, measured, floor, bare / ours, "≥ 0.8", bare / ours >= 0.8)


def _searched(room: MilvusRoom) -> Row:
    queries = iter(_vectors(1_000, seed=-1))
    client: Any = room.engine._client  # the bare client itself
    with closing(room.open("auto")) as opened:

        def ours() -> None:
            with opened.snapshot() as moment:
                assert len(moment.nearest_by_kind(next(queries)[None], TOP, 0)[0]) == TOP

        def bare() -> None:
            query = next(queries).astype(np.float16)
            [found] = client.search(collection(room.name, PASSAGES), data=[query], anns_field="vector", limit=TOP)
            assert len(found) == TOP

        one, least = alternate(ours, bare, 25)
    what = f"dense lane in Milvus, {ROWS // 1000}k × {DIM}, top {TOP}, visibility checked, scores exact"
    return Row(what, f"{one * 1e3:.0f} ms", f"pymilvus, search: {least * 1e3:.0f} ms", least / one, "≥ 0.6", least / one >= 0.6)


def _calls() -> Row:
    """The most calls to Milvus of a whole query over the samples, both lanes and the hits; each in moments of its own."""
    address = f"milvus-lite://{FOLDER}/samples.db"
    rag.build_index(SAMPLES, index=address, ocr="never")
    counts = []
    with rag.open_index(address) as searcher:
        engine: Engine = searcher.index.engine  # type: ignore[attr-defined]
        searcher.search("harbour")  # counts the words once
        for query in QUERIES:
            time.sleep(0.25)  # so that no moment is that of the query before
            before = engine.calls
            searcher.search(**asked(query))
            counts.append(engine.calls - before)
    what = f"calls to Milvus for one query, {len(counts)} queries, the most"
    return Row(what, str(max(counts)), "6", max(counts) / 6, "≤ 1", max(counts) <= 6)


def _processor(work: Callable[[], object]) -> float:
    """Processor seconds of one call, of this process and of Milvus' core: what others do on the machine does not move them."""
    before = time.process_time() + _core_seconds()
    work()
    return time.process_time() + _core_seconds() - before


def _core_seconds() -> float:
    from milvus_lite.server_manager import server_manager_instance

    [core] = server_manager_instance._servers.values()
    used = Path(f"/proc/{core._p.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def _batches() -> Iterator[Batch]:
    random = np.random.default_rng(0)
    letters = list("etaoinshrdlucmfwyp")
    words = np.array(["".join(random.choice(letters, random.integers(2, 10))) for _ in range(30_000)])
    for start in range(0, ROWS, COMMIT):
        documents = []
        for first in range(start, start + COMMIT, PER_DOCUMENT):
            found = document(f"folder{first % 50}/file{first}.txt")
            texts = [" ".join(words[random.zipf(1.3, WORDS) % len(words)]) for _ in range(PER_DOCUMENT)]
            passages = tuple((passage(found, at, text), key_of(f"{first} {at}")) for at, text in enumerate(texts))
            documents.append(StagedDocument(found, key_of(found.id.path), "text 1", passages, found.id.path))
        yield documents, _vectors(COMMIT, seed=start)


def _vectors(count: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed + 1).standard_normal((count, DIM), np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def _rows_of(documents: list[StagedDocument], vectors: np.ndarray) -> list[dict[str, Any]]:
    made = [row for one in documents for row in passage_rows(one)[1]]
    return [
        row | {"vector": vector.astype(np.float16), "number": at}
        for at, (row, vector) in enumerate(zip(made, vectors, strict=True))
    ]


def _upsert(engine: Engine, made: list[dict[str, Any]]) -> None:
    client: Any = engine._client
    for start in range(0, len(made), 1_000):
        client.upsert(collection("bare", PASSAGES), made[start : start + 1_000])


if __name__ == "__main__":
    show(rows())
