"""Documents that wait: in order, whole, and small."""

from __future__ import annotations

import random
import tracemalloc

from rag.corpus.walk import FileEntry
from rag.indexing.read_queue import OPEN, PACK, PackedQueue


def found(number: int) -> FileEntry:
    companions = (f"note-{number}.txt",) if number % 7 == 0 else ()
    return FileEntry(
        f"d{number // 300:04}/note-{number:06}.é.png",
        f"{number}:170{number:07}:{number * 3}:{number + 5}",
        number / 3,
        companions,
    )


def test_all_come_back_in_order_however_they_come_and_go() -> None:
    chance = random.Random(7)
    backlog, put, taken = PackedQueue(), 0, 0
    while taken < 12 * PACK:
        for _ in range(chance.randrange(2 * OPEN) if put < 12 * PACK else 0):
            backlog.add(found(put))
            put += 1
        for _ in range(chance.randrange(2 * OPEN)):
            assert bool(backlog) is (taken < put)
            assert backlog.next == (found(taken) if taken < put else None)
            assert backlog.take() == (found(taken) if taken < put else None)
            taken += taken < put
    assert taken <= put


def test_many_take_little_memory() -> None:
    backlog = PackedQueue()
    tracemalloc.start()
    for number in range(60_000):
        backlog.add(found(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 60_000 * 35 + 2 * OPEN * 600  # 550 bytes each where they are not packed
