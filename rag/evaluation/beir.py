"""Judged sets in the form of BEIR: a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv.

Knows that form (Thakur et al., "BEIR", NeurIPS 2021); knows no index and no measure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from rag.errors import WrongRequest
from rag.evaluation.identity import identity_of
from rag.evaluation.jsonl_sets import json_lines
from rag.evaluation.judged import JudgedQuery, JudgedSet, Judgement, SourceDocument
from rag.types import Whole

USUAL_SPLIT = "test"


def is_beir(folder: Path) -> bool:
    """Whether a folder has queries and judgements in the form of BEIR."""
    return folder.is_dir() and _part(folder, "queries.jsonl") is not None and bool(splits_of(folder))


def splits_of(folder: Path) -> dict[str, Path]:
    """The files of judgements by the names of their splits, as train, dev and test."""
    return {file.name.removesuffix(".gz").removesuffix(".tsv"): file for file in sorted((folder / "qrels").glob("*.tsv*"))}


def load_beir(folder: Path, split: str | None = None) -> JudgedSet:
    """The judged queries of one split, `test` or the only one. WrongRequest."""
    splits = splits_of(folder)
    chosen = split or (USUAL_SPLIT if USUAL_SPLIT in splits else next(iter(splits)) if len(splits) == 1 else "")
    if chosen not in splits:
        what = f"{folder} has no split {split!r}" if split else f"{folder} has several splits and none is called {USUAL_SPLIT}"
        raise WrongRequest(what, remedy=f"name one with --split: {', '.join(splits)}")
    grades = _grades(splits[chosen])
    queries_file = _part(folder, "queries.jsonl")
    if queries_file is None:
        raise WrongRequest(f"{folder} has no queries.jsonl", remedy="name a folder with queries.jsonl and qrels/*.tsv")
    words = {
        _value(queries_file, number, one, "_id"): _value(queries_file, number, one, "text")
        for number, one in json_lines(queries_file)
    }
    unknown = next((query for query in grades if query not in words), None)
    if unknown is not None:
        raise WrongRequest(f"{splits[chosen]} judges the query {unknown}, which is not in {queries_file}", remedy="add the query")
    queries = tuple(
        JudgedQuery(query, words[query], None, tuple(Judgement(one, Whole(), grade) for one, grade in judged.items()))
        for query, judged in grades.items()
    )
    corpus = _part(folder, "corpus.jsonl")
    identity = identity_of({one.document for query in queries for one in query.judgements})
    return JudgedSet(folder.name, queries, (lambda: _documents(corpus)) if corpus else None, identity)


def _part(folder: Path, name: str) -> Path | None:
    return next((file for file in (folder / name, folder / f"{name}.gz") if file.is_file()), None)


def _grades(file: Path) -> dict[str, dict[str, int]]:
    """Query → document → grade, of lines `query-id⇥corpus-id⇥score` below their heading."""
    import gzip

    grades: dict[str, dict[str, int]] = defaultdict(dict)
    with (gzip.open if file.suffix == ".gz" else open)(file, "rt", encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            parts = line.rstrip("\n\r").split("\t")
            if not line.strip() or (number == 1 and not parts[-1].strip().lstrip("-").isdigit()):
                continue
            if len(parts) != 3 or not parts[2].strip().lstrip("-").isdigit():
                what = f"{file}, line {number}: is not a query, a document and a grade, separated by tabs"
                raise WrongRequest(what, remedy="write q1⇥d7⇥1; of TREC qrels, with four columns, name the file with --topics")
            grades[parts[0]][parts[1]] = max(int(parts[2]), 0)
    return grades


def _value(file: Path, number: int, one: dict[str, object], key: str) -> str:
    if key not in one:
        raise WrongRequest(f"{file}, line {number}: {key!r} is missing", remedy='write {"_id": "1", "text": "words"}')
    return str(one[key])


def _documents(corpus: Path) -> Iterator[SourceDocument]:
    for number, one in json_lines(corpus):
        title, text = str(one.get("title") or ""), _value(corpus, number, one, "text")
        yield SourceDocument(f"{_file_name(_value(corpus, number, one, '_id'))}.txt", f"{title}\n\n{text}" if title else text)


def _file_name(id: str) -> str:
    """An id as a name of a file that is not hidden; `identity_of` undoes it."""
    name = quote(id, safe=" ,;+()[]@")
    return f"%2E{name[1:]}" if name.startswith(".") else name
