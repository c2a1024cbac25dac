"""Made-up passages whose words are as common and as rare as those of real texts. Knows the full text's tables.

Frequencies fall by Zipf's law (Mandelbrot's form), lengths are log-normal, and a quarter of a passage's words come from one
of 800 topics, so that words fall together as they do in real texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.schema import TABLES

VOCABULARY, TOPICS, TOPICAL_WORDS = 200_000, 800, 300
_CONSONANTS, _VOWELS = "bdfgkmnprtvz", "aou"  # Porter's stems leave such words alone


def word(rank: int) -> str:
    """The word of that rank, 0 for the commonest."""
    letters = ""
    while True:
        letters += _CONSONANTS[rank % 12] + _VOWELS[rank // 12 % 3]
        rank //= 36
        if not rank:
            return letters + "k"


def passages(count: int, seed: int = 1) -> Iterator[NDArray[np.int64]]:
    """The ranks of the words of each passage, 70 at the median."""
    rng = np.random.default_rng(seed)
    chances = 1 / (np.arange(VOCABULARY) + 2.7) ** 1.05
    cumulated = np.cumsum(chances / chances.sum())
    topics = np.minimum((rng.pareto(0.6, (TOPICS, TOPICAL_WORDS)) * 20).astype(np.int64), VOCABULARY - 1)
    for start in range(0, count, 10_000):
        lengths = rng.lognormal(np.log(70), 0.6, min(10_000, count - start)).astype(np.int64).clip(5, 400)
        total = int(lengths.sum())
        topic = np.repeat(rng.integers(0, TOPICS, len(lengths)), lengths)
        plain = np.searchsorted(cumulated, rng.random(total)).clip(max=VOCABULARY - 1)
        words = np.where(rng.random(total) < 0.25, topics[topic, rng.integers(0, TOPICAL_WORDS, total)], plain)
        yield from np.split(words, np.cumsum(lengths)[:-1])


def full_text(file: str, count: int) -> apsw.Connection:
    """A database with the tables `lexical` and `terms` of an index, of `count` passages numbered from 1."""
    connection = apsw.Connection(file)
    connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -64000")
    for statement in TABLES.split(";"):
        if "TABLE lexical" in statement or "TABLE terms" in statement:
            connection.execute(statement)
    words = np.array([word(rank) for rank in range(VOCABULARY)])
    frequencies = np.zeros(VOCABULARY, np.int64)

    def rows() -> Iterator[tuple[int, str, str, str]]:
        for number, ranks in enumerate(passages(count), start=1):
            frequencies[np.unique(ranks)] += 1
            yield number, " ".join(words[ranks]), "", f"{words[ranks[0]]} md"

    with connection:
        connection.executemany("INSERT INTO lexical(rowid, text, caption, path) VALUES (?, ?, ?, ?)", rows())
        counted = [(word(rank), int(frequencies[rank])) for rank in np.flatnonzero(frequencies)]
        connection.executemany("INSERT INTO terms VALUES (?, ?)", sorted(counted))
    return connection


def queries(connection: apsw.Connection, count: int, passages: int, seed: int = 3) -> list[str]:
    """Queries in turn of six common words; common and less common ones; those with a rare one; few less common; rare and common.

    A common word is in more than 3 % of the passages, a rare one in less than 0.1 %.
    """
    rng = np.random.default_rng(seed)
    known = list(connection.execute("SELECT term, passages FROM terms ORDER BY passages DESC, term"))
    common = [term for term, often in known if often > passages * 0.03]
    middling = [term for term, often in known if passages * 0.001 < often <= passages * 0.02]
    rare = [term for term, often in known if 3 <= often <= passages * 0.001]
    mixtures = ((6, 0, 0), (3, 2, 0), (2, 2, 1), (0, 3, 0), (3, 0, 1))
    return [
        " ".join(
            chain.from_iterable(
                rng.choice(words, many, replace=False) for words, many in zip((common, middling, rare), mixture, strict=True)
            )
        )
        for mixture in (mixtures[number % len(mixtures)] for number in range(count))
    ]
