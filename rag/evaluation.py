"""Judged queries in; success, nDCG, recall and MRR out, for each stage and each tag.

Knows judged queries and an open index; `ir_measures` computes the measures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import MissingExtra, RagError, WrongRequest
from rag.serialization import locator_from_json
from rag.types import Lines, Locator, Seconds, Whole

if TYPE_CHECKING:
    from rag.search.searcher import Searcher

STAGES = ("dense", "lexical", "fused", "reranked", "hits")
MEASURES = ("Success@5", "nDCG@10", "R@10", "RR")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A passage that answers a query, and how well: grade 1 to 3."""

    document: str  # POSIX path below its root
    locator: Locator
    grade: int


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """One line of a queries file."""

    id: str
    words: str
    image: Path | None
    relevant: tuple[Judgement, ...]
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class PassageRef:
    """Where a ranked passage is, to compare it with judgements."""

    document: str
    locator: Locator


Ranking = Sequence[tuple[PassageRef, float]]
Rankings = Mapping[str, Mapping[str, Ranking]]  # query id → stage → ranking, best first


def require_measures() -> None:
    """Raises MissingExtra where ir-measures is not installed. Imports nothing."""
    if find_spec("ir_measures") is None:
        raise MissingExtra("ir-measures is not installed; `rag eval` needs it to compute the measures", "eval")


def load_queries(file: Path) -> list[JudgedQuery]:
    """The judged queries of a JSON Lines file. WrongRequest names the line that cannot be used."""
    if not file.is_file():
        raise WrongRequest(f"no such file: {file}", remedy="name a JSON Lines file of judged queries")
    try:
        lines = file.read_text("utf-8").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else f"cannot be opened: {error.strerror}"
        raise WrongRequest(f"{file} {reason}", remedy="name a JSON Lines file of judged queries") from error
    queries: dict[str, JudgedQuery] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            query = _query(json.loads(line), file.parent)
            if query.id in queries:
                raise ValueError(f"the id {query.id} is used twice")
        except (ValueError, KeyError, TypeError, RagError) as error:
            raise WrongRequest(
                f"{file}, line {number}: {_reason(error)}",
                remedy='write {"id": "q1", "query": "words", "relevant": [{"document": "a.pdf", "locator": {"page": 2}}]}',
            ) from error
        queries[query.id] = query
    return list(queries.values())


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error}"
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _query(value: Any, folder: Path) -> JudgedQuery:
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.get("relevant", [])):
        raise ValueError("is not a JSON object with a list of judgements")
    if not (value.get("query") or value.get("image")):
        raise ValueError("has neither a query nor an image")
    relevant = tuple(
        Judgement(one["document"], locator_from_json(one.get("locator", {})), int(one.get("grade", 1)))
        for one in value.get("relevant", [])
    )
    image = folder / value["image"] if value.get("image") else None
    return JudgedQuery(str(value["id"]), value.get("query") or "", image, relevant, frozenset(value.get("tags", [])))


def evaluate(queries: Sequence[JudgedQuery], found: Rankings) -> dict[str, dict[str, dict[str, float]]]:
    """The means of MEASURES as {group: {stage: {measure: mean, "queries": count}}}.

    Groups: "all" answerable queries, "all but paraphrases", and each tag. A passage counts for the first judgement of its
    document that overlaps it; each judgement is found once, by the best passage. Queries without a relevant passage are left
    out of the means. MissingExtra where ir-measures is not installed.
    """
    require_measures()
    import ir_measures

    measures = [ir_measures.parse_measure(name) for name in MEASURES]
    answerable = [query for query in queries if query.relevant]
    qrels = [
        ir_measures.Qrel(query.id, str(number), judgement.grade)
        for query in answerable
        for number, judgement in enumerate(query.relevant)
    ]
    runs: dict[str, list[Any]] = {stage: [] for stage in STAGES}
    for query in answerable:
        for stage in STAGES:
            judged = _judged(query, found[query.id][stage])
            runs[stage] += [
                ir_measures.ScoredDoc(query.id, name, float(len(judged) - position)) for position, name in enumerate(judged)
            ]
    groups = {
        "all": {query.id for query in answerable},
        "all but paraphrases": {query.id for query in answerable if "paraphrase" not in query.tags},
    }
    for tag in sorted({tag for query in answerable for tag in query.tags}):
        groups[tag] = {query.id for query in answerable if tag in query.tags}
    table: dict[str, dict[str, dict[str, float]]] = {name: {} for name in groups}
    for stage in STAGES:
        values = list(ir_measures.iter_calc(measures, qrels, runs[stage])) if runs[stage] else []
        for name, ids in groups.items():
            table[name][stage] = {
                str(measure): sum(value.value for value in values if value.query_id in ids and value.measure == measure)
                / max(len(ids), 1)
                for measure in measures
            }
            table[name][stage]["queries"] = len(ids)
    return table


def are_relevant(query: JudgedQuery, ranking: Ranking) -> list[bool]:
    """For each position of a ranking, whether its passage matches a judgement of the query."""
    return [not name.startswith("other") for name in _judged(query, ranking)]


def rank(searcher: Searcher, query: JudgedQuery) -> dict[str, list[tuple[PassageRef, float]]]:
    """The passages that each of STAGES found for the query, best first, with their scores."""
    results = searcher.search(query.words, image=query.image)
    places = {one.number: PassageRef(one.passage.document.path, one.passage.locator) for one in results.candidates}
    stages = {stage: [(places[number], score) for number, score in ranking] for stage, ranking in results.stages.items()}
    stages["hits"] = []
    for hit in results.hits:
        stages["hits"].append((PassageRef(hit.document, hit.locator), hit.score))
        stages["hits"] += [(PassageRef(one.document, one.locator), one.score) for one in hit.folded]
    return stages


def _judged(query: JudgedQuery, ranking: Ranking) -> list[str]:
    """For each position of a ranking, the number of the judgement that its passage matches, or a unique name."""
    matched: set[int] = set()
    names = []
    for position, (place, _) in enumerate(ranking):
        name = f"other-{position}"
        for number, judgement in enumerate(query.relevant):
            if number not in matched and judgement.document == place.document and overlap(judgement.locator, place.locator):
                matched.add(number)
                name = str(number)
                break
        names.append(name)
    return names


def overlap(judged: Locator, found: Locator) -> bool:
    """Whether two locators of one document overlap; the whole document overlaps every place in it."""
    match judged, found:
        case (Whole(), _) | (_, Whole()):
            return True
        case Seconds(), Seconds():
            return judged.start < found.end + 1e-6 and found.start < judged.end + 1e-6
        case Lines(), Lines():
            return judged.start <= found.end and found.start <= judged.end
    return judged == found
