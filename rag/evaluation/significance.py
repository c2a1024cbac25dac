"""Whether two rankings of the same queries differ by more than chance: a paired randomisation test.

Knows numbers; knows no index, no run and no measure. SciPy computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RESAMPLES = 9_999  # p is known to about 0.01 at 0.05; with 13 queries or fewer every assignment of signs is tried
SEED = 0
LEAST = 1e-9  # difference of two values that are not equal but for rounding


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two means over the same queries, and how likely so large a difference is by chance."""

    ours: float
    theirs: float
    p: float  # two-sided
    better: int  # queries in which ours is higher
    worse: int
    equal: int

    @property
    def difference(self) -> float:
        """Ours less theirs."""
        return self.ours - self.theirs


def compare(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Comparison:
    """Compares the values of the queries that both have, at least one.

    The test is Fisher's paired randomisation, as Smucker, Allan and Carterette recommend it ("A comparison of statistical
    significance tests for information retrieval evaluation", CIKM 2007): under the null hypothesis the two values of a query
    could as well stand the other way round.
    """
    import numpy as np
    from scipy.stats import permutation_test

    shared = [query for query in ours if query in theirs]
    first = np.array([ours[query] for query in shared])
    second = np.array([theirs[query] for query in shared])
    differences = first - second
    p = 1.0
    if len(shared) > 1 and np.abs(differences).max() > LEAST:
        tested = permutation_test(
            (first, second),
            lambda one, other, axis: np.mean(one - other, axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=1_000,
            rng=SEED,
        )
        p = float(tested.pvalue)
    better, worse = int((differences > LEAST).sum()), int((differences < -LEAST).sum())
    return Comparison(float(first.mean()), float(second.mean()), p, better, worse, len(shared) - better - worse)
