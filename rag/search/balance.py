"""How much the dense lane counts beside the lexical one for a query, where nothing was measured of the embedder.

Knows the scores of two lanes; knows no index, no model and no file. The constants were chosen on half of the queries of four
judged collections with all-MiniLM-L6-v2: docs/judging.md has the figures, also of a collection in a language it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

ALIKE = 2.0  # weight of a lane whose scores fall as steeply as BM25 does
MOST = 8.0  # however flat BM25 is
FALL = 20  # places over which a fall is measured
AGREED = 0.2  # share of the lexical lane's best that the dense lane has among its best, from which it counts in full
_LEAST = 0.02  # of a fall, and of an agreement


def balance(dense: Sequence[tuple[int, float]], lexical: Sequence[tuple[int, float]]) -> float:
    """The weight of the dense lane beside 1 for the lexical one, 0…8. Lanes are (number, score), best first: cosine, and BM25.

        2 · (fall of the cosine / fall of BM25)² · min(1, agreement / 0.2)

    A lane that knows the answer has scores that fall: BM25 from its first to its twentieth passage, as a share of the first, and
    the cosine over the same places, as a share of what it falls over the whole lane. Agreement is the share of the ten best
    lexical passages among the twenty best dense ones: an embedder that does not know the language has next to none.
    """
    if not lexical or not dense:
        return ALIKE
    best, last = dense[0][1], dense[-1][1]
    steep = (best - dense[FALL][1]) / (best - last) if len(dense) > FALL and best > last else 1.0
    lexical_steep = 1.0 - lexical[FALL][1] / lexical[0][1] if len(lexical) > FALL and lexical[0][1] > 0 else 1.0
    near = {number for number, _ in islice(dense, FALL)}
    first = [number for number, _ in islice(lexical, FALL // 2)]
    agreement = sum(number in near for number in first) / len(first)
    ratio = max(steep, _LEAST) / max(lexical_steep, _LEAST)
    return min(MOST, ALIKE * ratio * ratio) * min(1.0, (agreement + _LEAST) / AGREED)
