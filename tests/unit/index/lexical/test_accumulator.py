"""Few allowed passages are looked up one by one, and get the sums that a pass over all postings gives; lengths are decoded."""

import numpy as np
import pytest

from rag.index.lexical import accumulator
from rag.index.lexical.accumulator import WeightedPosting, make_posting, top_sums
from rag.index.lexical.phrase_postings import _sums_of

NUMBERS, BLOCKS = 200_000, 4


@pytest.mark.parametrize("share", [0.0, 0.0002, 0.003])
def test_few_passages_are_summed_as_all_are(share, monkeypatch):
    random = np.random.default_rng(5)
    units = [
        WeightedPosting(make_posting(held, random.random(len(held), np.float32), BLOCKS), 0.3 + at, 0.2)
        for at, held in enumerate(np.flatnonzero(random.random(NUMBERS) < often) for often in (0.4, 0.05, 0.0001))
    ]
    allowed = random.random(NUMBERS) < share
    for k in (3, 5_000):
        few = top_sums(units, allowed, BLOCKS, k)
        with monkeypatch.context() as changed:
            changed.setattr(accumulator, "_FEW", -1)
            assert top_sums(units, allowed, BLOCKS, k) == few
    assert (len(few) > 0) == (share > 0)


def test_lengths_are_the_sums_of_their_integers():
    def packed(value: int) -> bytes:
        found = [value & 0x7F]
        while value := value >> 7:
            found.append(value & 0x7F | 0x80)
        return bytes(reversed(found))

    random = np.random.default_rng(6)
    rows = [[int(value) for value in 2 ** random.uniform(0, 40, 3)] for _ in range(500)] + [[0, 0, 0], [127, 128, 16_384]]
    assert _sums_of([b"".join(map(packed, row)) for row in rows]).tolist() == [sum(row) for row in rows]
    assert _sums_of([]).tolist() == []
