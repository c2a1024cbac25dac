"""Judged sets and rankings in the forms of TREC: qrels, topics and runs.

Knows these forms as trec_eval reads them; knows no index and no measure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from rag.errors import WrongRequest
from rag.evaluation.identity import identity_of
from rag.evaluation.judged import JudgedQuery, JudgedSet, Judgement, Qrels, Run
from rag.types import Whole

_TOP = re.compile(r"<top(?:ic)?\b([^>]*)>(.*?)</top(?:ic)?>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*([^\s<]+)|\b(?:number|id)\s*=\s*[\"']([^\"']+)", re.IGNORECASE)
_ESCAPED = re.compile(r"%(?:0[9-D]|20|25|C2%A0|E2%80%[0-9A-F]{2}|E3%80%80)")  # what `token` makes of blanks and percent signs
_WORDS = re.compile(r"<(?:title|query)>\s*(?:Topic:)?\s*([^<]+)", re.IGNORECASE)


def load_trec(qrels: Path, topics: Path) -> JudgedSet:
    """The queries of `topics` with the judgements of `qrels`. WrongRequest names the line that cannot be used.

    Topics are `<top>` or `<topic>` elements with a number and a title or query, or lines `id⇥words`.
    """
    grades = load_qrels(qrels)
    words = load_topics(topics)
    unknown = next((query for query in grades if query not in words), None)
    if unknown is not None:
        raise WrongRequest(
            f"{qrels} judges the query {unknown}, which is not in {topics}", remedy="name the topics of these qrels"
        )
    queries = tuple(
        JudgedQuery(query, words[query], None, tuple(Judgement(one, Whole(), grade) for one, grade in judged.items()))
        for query, judged in grades.items()
    )
    return JudgedSet(qrels.name.partition(".")[0], queries, None, identity_of({one for each in grades.values() for one in each}))


def load_qrels(file: Path) -> dict[str, dict[str, int]]:
    """Query → document → grade, of lines `query iteration document grade`. WrongRequest."""
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for number, parts in _columns(file):
        if len(parts) != 4 or not parts[3].lstrip("-").isdigit():
            what = f"{file}, line {number}: is not a query, an iteration, a document and a grade"
            raise WrongRequest(what, remedy="write q1 0 d7 1, as trec_eval reads it")
        grades[parts[0]][parts[2]] = max(int(parts[3]), 0)
    return dict(grades)


def load_topics(file: Path) -> dict[str, str]:
    """The words of each query. WrongRequest."""
    text = _text(file)
    found: dict[str, str] = {}
    for top in _TOP.finditer(text):
        number, words = _NUMBER.search(top[1] + top[2]), _WORDS.search(top[2])
        if number is None or words is None:
            raise WrongRequest(f"{file}: a topic has no number or no title: {top[0][:80]!r}", remedy="write <num> and <title>")
        found[number[1] or number[2]] = " ".join(words[1].split())
    if found:
        return found
    for at, line in enumerate(text.splitlines(), start=1):
        id, tab, words_of_line = line.strip().partition("\t")
        if line.strip() and not tab:
            raise WrongRequest(
                f"{file}, line {at}: is neither a topic nor an id and words separated by a tab", remedy="write q1⇥words"
            )
        if line.strip():
            found[id] = words_of_line.strip()
    return found


def load_run(file: Path) -> Run:
    """The names of a run by query, the highest score first. WrongRequest."""
    scored: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for number, parts in _columns(file):
        try:
            query, _, document, _, score = parts[:5]
            scored[_untoken(query)].append((-float(score), _untoken(document)))
        except ValueError as error:
            what = f"{file}, line {number}: is not a query, Q0, a document, a rank and a score"
            raise WrongRequest(
                what, remedy="name a run as trec_eval reads it, or a folder that `rag eval --run` wrote"
            ) from error
    return {query: [name for _, name in sorted(found, key=lambda one: one[0])] for query, found in scored.items()}


def write_run(file: Path, run: Run, tag: str) -> None:
    """Writes a run as trec_eval reads it. It sorts by score alone, so the score is the number of ranks below, not one of ours."""
    with file.open("w", encoding="utf-8") as out:
        for query, names in run.items():
            for rank, name in enumerate(names, start=1):
                out.write(f"{token(query)} Q0 {token(name)} {rank} {len(names) - rank + 1} {tag}\n")


def write_qrels(file: Path, grades: Qrels) -> None:
    """Writes judgements as trec_eval reads them, with the names that `write_run` writes."""
    with file.open("w", encoding="utf-8") as out:
        for query, judged in grades.items():
            for name, grade in judged.items():
                out.write(f"{token(query)} 0 {token(name)} {grade}\n")


def token(name: str) -> str:
    """A name as one word: blanks and percent signs as `%20` and `%25`."""
    return re.sub(r"[\s%]", lambda found: quote(found[0]), name)


def _untoken(word: str) -> str:
    return _ESCAPED.sub(lambda found: unquote(found[0]), word)


def _columns(file: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(_text(file).splitlines(), start=1):
        if line.strip():
            yield number, line.split()


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise WrongRequest(f"{file} cannot be read: {error.strerror}", remedy="name a file of TREC") from error
    except UnicodeDecodeError as error:
        raise WrongRequest(f"{file} is not UTF-8", remedy="save it as UTF-8 text") from error
