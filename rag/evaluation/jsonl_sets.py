"""Judged sets in JSON Lines: queries with judgements, documents with queries, and single judgements of people.

Knows three forms of a line; knows no index and no measure.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from rag.errors import RagError, WrongRequest
from rag.evaluation.judged import JudgedQuery, JudgedSet, Judgement, SourceDocument
from rag.serialization import locator_from_json
from rag.types import Whole

EXAMPLE = '{"id": "q1", "query": "words", "relevant": [{"document": "a.pdf", "locator": {"page": 2}, "grade": 3}]}'


def load_jsonl(file: Path) -> JudgedSet:
    """The set of a `.jsonl` or `.jsonl.gz` file. WrongRequest names the line that cannot be used.

    A line is a query with its judgements, `{"id", "query", "image", "relevant": [{"document", "locator", "grade"}], "tags"}`; a
    document, `{"document": path, "text"}`; a query of such a set, `{"query": id, "text": words, "relevant": {path: grade}}`; or
    one judgement, `{"query": words, "document", "locator", "grade"}`. Of judgements of one place the last counts.
    """
    queries: dict[str, JudgedQuery] = {}
    judged: dict[str, dict[object, Judgement]] = {}  # by the words of the query, by place
    has_documents = False
    for number, value in json_lines(file):
        try:
            if "relevant" in value:
                query = _query(value, file.parent)
                if query.id in queries:
                    raise ValueError(f"the id {query.id} is used twice")
                queries[query.id] = query
            elif "query" in value:
                one = _judgement(value)
                judged.setdefault(str(value["query"]), {})[one.document, one.locator, one.inner] = one
            elif "text" in value and "document" in value:
                has_documents = _checked(value) is not None
            else:
                raise ValueError("is neither a query with its relevant documents, nor a document, nor a judgement")
        except (ValueError, KeyError, TypeError, AttributeError, RagError) as error:
            raise WrongRequest(f"{file}, line {number}: {_reason(error)}", remedy=f"write {EXAMPLE}") from error
    for words, places in judged.items():
        if words in queries:
            raise WrongRequest(f"{file}: {words!r} is the id of a query and the words of another", remedy="rename the id")
        queries[words] = JudgedQuery(words, words, None, tuple(places.values()))
    return JudgedSet(file.name.partition(".")[0], tuple(queries.values()), (lambda: _documents(file)) if has_documents else None)


def json_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, gzipped or not, with the numbers of their lines from 1. WrongRequest."""
    remedy = "name a JSON Lines file of judged queries, a folder in the form of BEIR, or TREC qrels with --topics"
    if not file.is_file():
        raise WrongRequest(f"no such file: {file}", remedy=remedy)
    try:
        with (gzip.open if file.suffix == ".gz" else open)(file, "rt", encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    value = json.loads(line)
                    if not isinstance(value, dict):
                        raise WrongRequest(f"{file}, line {number}: is not a JSON object", remedy=f"write {EXAMPLE}")
                    yield number, value
    except json.JSONDecodeError as error:
        raise WrongRequest(f"{file}, line {number}: is not JSON: {error}", remedy=remedy) from error
    except UnicodeDecodeError as error:
        raise WrongRequest(f"{file} is not UTF-8", remedy=remedy) from error
    except (OSError, EOFError) as error:
        raise WrongRequest(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}", remedy=remedy) from error


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _query(value: dict[str, Any], folder: Path) -> JudgedQuery:
    relevant = value["relevant"]
    if isinstance(relevant, dict):
        judgements = tuple(Judgement(str(path), Whole(), _grade(grade)) for path, grade in relevant.items())
        return JudgedQuery(str(value["query"]), str(value["text"]), None, judgements, frozenset(value.get("tags", [])))
    if not isinstance(relevant, list) or not all(isinstance(one, dict) for one in relevant):
        raise ValueError("`relevant` is neither a list of judgements nor an object of documents and grades")
    if not (value.get("query") or value.get("image")):
        raise ValueError("has neither a query nor an image")
    image = folder / value["image"] if value.get("image") else None
    judgements = tuple(_judgement({"grade": 1, **one}) for one in relevant)
    return JudgedQuery(str(value["id"]), value.get("query") or "", image, judgements, frozenset(value.get("tags", [])))


def _judgement(value: dict[str, Any]) -> Judgement:
    place = value.get("locator", {})
    found = Judgement(str(value["document"]), locator_from_json(place), _grade(value["grade"]))
    return replace(found, inner=str(place.get("inner", "")))


def _grade(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError(f"the grade {value!r} is not a whole number")
    return max(value, 0)


def _documents(file: Path) -> Iterator[SourceDocument]:
    for _, value in json_lines(file):
        if "relevant" not in value and "query" not in value:
            yield _checked(value)


def _checked(value: dict[str, Any]) -> SourceDocument:
    path = PurePosixPath(value["document"])
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise ValueError(f"the document {value['document']!r} is not a path below a folder")
    return SourceDocument(path.as_posix(), str(value["text"]))
