"""Measures searching in this process: how long answers take for one user, and for many at once.

Knows an open searcher and its passages; knows no server and no terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

import numpy as np

from rag.benchmark.load import ClosedLoop, Pattern, put_under_load
from rag.benchmark.measurement import Measurement, in_words
from rag.errors import WrongRequest
from rag.models.loading import Say, silent
from rag.search.searcher import Searcher
from rag.text.query_syntax import literal

USERS = (1, 8, 64)
WARM_UP = 8  # searches that are not measured
LENGTHS = (2, 5)  # words of a query that is drawn from a passage: from, below
LONGEST = 24  # characters of a word in a query
MOST_READ = 2_000  # passages whose words are drawn from


def measure_searching(
    searcher: Searcher, queries: Sequence[str], requests: int, patterns: Sequence[Pattern], say: Say = silent
) -> Iterator[Measurement]:
    """A measurement for each pattern, each with other queries as long as there are others. `queries`: at least one."""
    turn = cycle(queries)
    put_under_load(list(islice(turn, WARM_UP)).__getitem__, searcher.search, WARM_UP, ClosedLoop(1))
    for pattern in patterns:
        asked = list(islice(turn, requests))
        say(f"searching: {searcher.name}, {requests:,} queries, {in_words(pattern)}")
        load = put_under_load(asked.__getitem__, searcher.search, requests, pattern)
        yield Measurement("searching", searcher.embedder.fingerprint.model, pattern, load)


def draw_queries(searcher: Searcher, number: int, random: np.random.Generator) -> list[str]:
    """So many queries, each of two to four words in a row of a passage drawn at random. WrongRequest if no passage has words."""
    texts = [words for words in map(_words, _texts(searcher, random)) if words]
    if not texts:
        raise WrongRequest(
            f"{searcher.name} holds no words to search for", remedy="give queries, one a line: rag bench --index … --queries FILE"
        )
    queries = []
    for _ in range(number):
        words = texts[random.integers(len(texts))]
        length = int(random.integers(*LENGTHS))
        first = int(random.integers(max(1, len(words) - length + 1)))
        queries.append(" ".join(words[first : first + length]))
    return queries


def _words(text: str) -> list[str]:
    """What stands between blanks and can be searched for; of a long run without any, as in Chinese, the beginning."""
    return [word[:LONGEST] for word in literal(text).split() if any(letter.isalnum() for letter in word[:LONGEST])]


def _texts(searcher: Searcher, random: np.random.Generator) -> list[str]:
    """What is written in some passages: their text, else their caption, else the name of their document."""
    with searcher.index.snapshot() as snapshot:
        passages = [one.passage for one in snapshot.passages(snapshot.sample(MOST_READ, random))]
    return [one.text or one.caption or one.document.path for one in passages]
