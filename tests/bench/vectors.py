"""Vector search at 100,000 and 200,000 × 1024 (--full: 1,000,000), beside what the hardware and plain FAISS need for the same.

Knows the index room; makes its indexes below .work/ and removes them. --full needs 12 GB of memory and 6 GB of disk for minutes.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

from rag.index.catalog import connection as catalog
from rag.index.catalog.index_folder import create
from rag.index.files.parallel import parallel_map
from rag.index.reader.filters import Allowed
from rag.index.reader.open_index import OpenIndex, open_index
from rag.index.vectors.segments import record_segment, write_segment
from rag.types import Fingerprint
from tests.bench.measure import Row, alternate, seconds, show

DIM, SMALL, QUERIES, TOP = 1024, 100_000, 32, 100
LARGE = 1_000_000 if "--full" in sys.argv else 200_000
_SIZE = f"{LARGE // 1000}k × {DIM}"
FOLDER = Path(__file__).parents[2] / ".work" / "bench-vectors"
_STEP = 50_000
_SLOPE = 0.7  # how fast numbers fall off from the first to the last: 95 % of the square of a vector lies in the first 256
# The time from the first line to a searched answer, of which FAISS's import is told apart, and the memory it took.
OPENED = """
import sys, time
started = time.perf_counter()
import faiss
imported = time.perf_counter() - started
import numpy, rag.index.reader.open_index, rag.index.vectors.coarse
query = numpy.load(sys.argv[2])
started = time.perf_counter()
index = rag.index.reader.open_index.open_index(__import__("pathlib").Path(sys.argv[1]))
index.ready()
opened = time.perf_counter() - started
with index.snapshot() as snapshot:
    snapshot.nearest(query, 100)
resident = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")][0]
print(imported, opened, resident * 1024)
"""


def rows() -> list[Row]:
    """The rows of the table; the data are clustered, with most of their weight in front, as Matryoshka models give them."""
    try:
        shutil.rmtree(FOLDER, ignore_errors=True)
        return [*_small(FOLDER / "small"), *_large(FOLDER / "large")]
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


def _small(folder: Path) -> list[Row]:
    vectors = make(folder, SMALL)
    words = np.array_split(vectors.view(np.uint64).reshape(-1), 8)
    query = like(vectors, 1, 1)
    with open_index(folder) as index:
        one, read = alternate(lambda: nearest(index, query), lambda: parallel_map(lambda part: part.sum(), words), 15)
    floor = f"reading the 16-bit matrix {read * 1000:.1f} ms"
    return [Row(f"one query, 100k × {DIM}", f"{one * 1000:.1f} ms", floor, one / read, "≤ 2", one / read <= 2)]


def _large(folder: Path) -> list[Row]:
    import faiss

    vectors = make(folder, LARGE)
    queries = like(vectors, QUERIES, 2)
    flat = faiss.IndexFlatIP(DIM)
    for start in range(0, LARGE, _STEP):
        flat.add(vectors[start : start + _STEP].astype(np.float32))
    del vectors
    coarse = _made_coarse(folder, queries)
    found = []
    with open_index(folder) as index:
        answers = nearest(index, queries, 10)
        truth = flat.search(queries, 10)[1] + 1  # the numbers of passages start at 1
        pairs = zip(answers, truth.tolist(), strict=True)
        recall = float(np.mean([len({number for number, _ in one} & set(other)) / 10 for one, other in pairs]))
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        one, plain = alternate(lambda: nearest(index, queries[:1]), partial(flat.search, queries[:1], TOP), 9)
        what = f"one query, {_SIZE}, recall@10 {recall:.3f}"
        good = one / plain <= 1 / 7 and recall >= 0.99
        found.append(Row(what, f"{one * 1000:.1f} ms", f"flat float32 FAISS {plain * 1000:.0f} ms", one / plain, "≤ 0.14", good))
        flat.reset()
        together, apart = alternate(
            lambda: nearest(index, queries), lambda: [nearest(index, queries[at : at + 1]) for at in range(QUERIES)], 5
        )
        singles = f"32 single ones {apart * 1000:.0f} ms"
        ratio = together / apart
        found.append(Row(f"32 queries at once, {_SIZE}", f"{together * 1000:.0f} ms", singles, ratio, "≤ 0.6", ratio <= 0.6))
        found.append(_filtered(index, queries[:1]))
    np.save(folder / "query.npy", queries[:1])
    return [*found, *_opened(folder, coarse)]


def nearest(index: OpenIndex, queries: np.ndarray, k: int = TOP, within: Allowed | None = None) -> list[list[tuple[int, float]]]:
    """One search, in a snapshot of its own as the read path takes one."""
    with index.snapshot() as snapshot:
        return snapshot.nearest(queries, k, within)


def _made_coarse(folder: Path, queries: np.ndarray) -> int:
    """The size of the coarse stage, which the first search makes."""
    with open_index(folder) as index:
        took = seconds(lambda: nearest(index, queries[:1], 1))
        print(*index.remarks(), f"(first search {took:.1f} s)", file=sys.stderr)
    return sum(file.stat().st_size for file in folder.glob("segments/*.coarse"))


def _filtered(index: OpenIndex, query: np.ndarray) -> Row:
    chosen = np.sort(np.random.default_rng(3).choice(LARGE, LARGE // 100, replace=False)) + 1
    allowed = Allowed(chosen.astype(np.int64))
    some, every = alternate(lambda: nearest(index, query, within=allowed), lambda: nearest(index, query), 15)
    floor = f"unfiltered {every * 1000:.1f} ms"
    return Row(f"filtered to 1 %, {_SIZE}", f"{some * 1000:.1f} ms", floor, some / every, "≤ 1", some <= every)


def _opened(folder: Path, coarse: int) -> list[Row]:
    runs = []
    for _ in range(6):
        words = [sys.executable, "-c", OPENED, str(folder), str(folder / "query.npy")]
        done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
        runs.append([float(word) for word in done.stdout.split()])
    imported, opened, resident = (statistics.median(run[column] for run in runs[1:]) for column in range(3))
    ratio, share = opened / imported, resident / coarse
    imports = f"`import faiss` {imported * 1000:.0f} ms"
    stage = f"coarse stage {coarse / 1e6:.0f} MB"
    return [
        Row(f"opening {_SIZE}", f"{opened * 1000:.0f} ms", imports, ratio, "≤ 1.5", ratio <= 1.5),
        Row(f"resident in a query, {_SIZE}", f"{resident / 1e6:.0f} MB", stage, share, "≤ 1.5", share <= 1.5),
    ]


def make(folder: Path, count: int) -> np.ndarray:
    """An index of one passage a vector, and its vectors as they are stored."""
    random = np.random.default_rng(0)
    weights = ((1 + np.arange(DIM)) ** -_SLOPE).astype(np.float32)
    centres = random.standard_normal((2_000, DIM), np.float32) * weights
    vectors = np.empty((count, DIM), np.float16)
    for start in range(0, count, _STEP):
        rows = random.standard_normal((_STEP, DIM), np.float32) * weights
        rows *= 0.7
        rows += centres[random.integers(0, len(centres), _STEP)]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        vectors[start : start + _STEP] = rows
    create(folder, Fingerprint("bench", "1", DIM, "", "plain"), {})
    segment, sums = write_segment(folder, 1, 1, len(vectors), [vectors], DIM)
    numbers = range(1, count + 1)
    connection = catalog.open_to_write(folder)
    with connection:
        connection.execute("INSERT INTO roots(number, name, folder, born) VALUES (1, ?, ?, 1)", (b"bench", b"/bench"))
        connection.execute(
            "INSERT INTO documents(number, root, path, stamp, modified, loader, caption, path_words, born)"
            " VALUES (1, 1, ?, '', 0, '', '', '', 1)", (b"all",)
        )  # fmt: skip
        connection.executemany("INSERT INTO vectors VALUES (?, ?)", ((number, number.to_bytes(16, "big")) for number in numbers))
        connection.executemany("INSERT INTO passages VALUES (?, 1, 0, ?, 0.0, 1, NULL)", ((number, number) for number in numbers))
        last = "INSERT INTO texts VALUES (?, 'last', 0, '{}', 'text', '', '', '{}', NULL)"
        connection.execute(last, (count,))
        record_segment(connection, segment, sums, 1)
        catalog.make_generation(connection, 1)
    connection.close()
    return vectors


def like(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Queries near stored vectors, but not among them."""
    random = np.random.default_rng(seed)
    weights = (1 + np.arange(DIM)) ** -_SLOPE
    near = vectors[random.integers(0, len(vectors), count)].astype(np.float32)
    noise = random.standard_normal((count, DIM)) * weights
    rows = near + 0.7 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    show(rows())
