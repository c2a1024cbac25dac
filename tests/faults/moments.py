"""A process of readers that search one open index in a loop, and compare every answer with brute force.

    python -m tests.faults.moments INDEX TRUTHS SECONDS THREADS

Prints the number of answers, of commits they belong to, and of searches repeated because of a compaction.
"""

import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import MovedOn
from rag.index.catalog.schema import COLUMN_WEIGHTS
from rag.index.catalog.spaces import FIRST
from rag.index.reader.open_index import OpenIndex, open_index
from rag.search.pipeline import RankingOptions, Results, search
from rag.search.spaces import SpaceModel
from rag.types import Content, Filters, Query, StoredPassage
from tests.faults.operations import OTHER, other_vector
from tests.unit.index_samples import FINGERPRINT, key_of, vector_of

REACH = RankingOptions(top_k=1000, candidates=1000, fold=False)
# Invented, and no two a letter apart: a word that no passage holds is searched as its nearest neighbour.
WORDS = (
    "quabblon",
    "zorfint",
    "vexumar",
    "dringolt",
    "hesperux",
    "jaktovim",
    "lumbraqo",
    "mifwenda",
    "norpexil",
    "styvaque",
    "tolgrimb",
    "yandoxer",
)
FILTERS = [
    Filters(),
    Filters(paths=("notes/",)),
    Filters(paths=("[a-d].md",)),
    Filters(after=2.0, before=4.0),
    Filters(kinds=("page",)),
]


class Embedder:
    """Vectors derived from the words alone, like those of the passages."""

    fingerprint = FINGERPRINT
    modalities = frozenset({"text"})

    def embed(self, contents, *, role):
        return np.stack([vector_of(key_of(content.text)) for content in contents])


class OtherEmbedder(Embedder):
    """The same by the further model."""

    fingerprint = OTHER

    def embed(self, contents, *, role):
        return np.stack([other_vector(content.text) for content in contents])


BOTH = (SpaceModel(FIRST, "first", Embedder()), SpaceModel(1, OTHER.model, OtherEmbedder()))


def main(folder: Path, truths: Path, seconds: float, threads: int) -> None:
    end = time.monotonic() + seconds
    with open_index(folder) as index, ThreadPoolExecutor(threads) as pool:
        told = list(pool.map(lambda seed: read(index, truths, end, seed), range(threads)))
    answers, seen, again = zip(*told, strict=True)
    print(sum(answers), len(set().union(*seen)), sum(again))


def read(index: OpenIndex, truths: Path, end: float, seed: int) -> tuple[int, set[int], int]:
    chance = random.Random(seed)
    seen: set[int] = set()
    answers = again = 0
    while time.monotonic() < end or len(seen) < 6:
        words = " ".join(chance.sample(WORDS, 2))
        query = Query(words, Content("text", text=words), chance.choice(FILTERS))
        try:
            found = search(index, query, Embedder(), None, REACH, read=unread, spaces=BOTH if chance.random() < 0.7 else ())
        except MovedOn:
            again += 1
            continue
        [generation] = found.generations.values()
        compare(found, query, json.loads((truths / f"{generation}.json").read_text()))
        seen.add(generation)
        answers += 1
    return answers, seen, again


def unread(stored: Sequence[StoredPassage]) -> list[Content]:
    """No file is opened: nothing is reranked here."""
    raise AssertionError(stored)


def compare(found: Results, query: Query, truth: dict[str, Any]) -> None:
    """The answer equals that of NumPy and the BM25 formula over the documents of that commit; every passage has six words.

    `truth` has the texts of the documents, and those among them that the further space lacks.
    """
    held: dict[str, list[str]] = truth["held"]
    texts = {(path, at): text for path, each in held.items() for at, text in enumerate(each)}
    allowed = {place for place in texts if passes(query.filters, place[0], len(held[place[0]]))}
    stored = {one.number: one for one in found.candidates}
    places = {number: (one.passage.document.path, one.passage.ordinal) for number, one in stored.items()}
    assert all(one.passage.text == texts[places[number]] for number, one in stored.items())
    asked = unit(query.words)
    dense = {places[number]: score for number, score in found.stages["dense"]}
    assert dense.keys() == allowed
    assert all(abs(score - float(unit(texts[place]).astype(np.float16) @ asked)) < 1e-3 for place, score in dense.items())
    if "dense:other" in found.stages:
        further = {places[number]: score for number, score in found.stages["dense:other"]}
        asked = other_vector(query.words)
        assert further.keys() == {place for place in allowed if texts[place] not in truth["lacking"]}
        assert all(
            abs(score - float(other_vector(texts[place]).astype(np.float16) @ asked)) < 1e-3 for place, score in further.items()
        )
    lexical = {places[number]: score for number, score in found.stages["lexical"]}
    expected = {place: score for place, score in bm25(query.words.split(), texts).items() if place in allowed}
    assert lexical.keys() == expected.keys()
    assert all(abs(lexical[place] - score) < 1e-6 for place, score in expected.items()), (lexical, expected)
    assert {(hit.document, hit.snippet) for hit in found.hits} <= {(path, texts[path, at]) for path, at in allowed}


def passes(filters: Filters, path: str, dated: float) -> bool:
    fits = {("notes/",): path.startswith("notes/"), ("[a-d].md",): path.rpartition("/")[2] in ("a.md", "b.md", "c.md", "d.md")}
    in_time = (filters.after or 0.0) <= dated < (filters.before or math.inf)
    return fits.get(filters.paths, True) and in_time and not filters.kinds


def bm25(words: list[str], texts: dict[tuple[str, int], str]) -> dict[tuple[str, int], float]:
    """b / (1 + b), b = Σ idf · f · 2.2 / (f + 1.2), as every passage has the mean length; f weighted as text."""
    counts = {place: Counter(text.split()) for place, text in texts.items()}
    scores: Counter[tuple[str, int]] = Counter()
    for word in words:
        n = sum(word in each for each in counts.values())
        rare = max(0.05, math.log((len(texts) - n + 0.5) / (n + 0.5)))
        for place, each in counts.items():
            if often := each[word] * COLUMN_WEIGHTS[0]:
                scores[place] += rare * often * 2.2 / (often + 1.2)
    return {place: score / (1 + score) for place, score in scores.items()}


@cache
def unit(text: str) -> np.ndarray:
    return vector_of(key_of(text))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
