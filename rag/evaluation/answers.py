"""Judged questions in; out how often the evidence holds the facts, how often answers cite them, or rightly say that none tells.

Knows questions, evidence and answers; knows no terminal, and asks a chat model only through a searcher.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answers.answer import Answer
from rag.answers.ask import evidence_for
from rag.answers.evidence import Source
from rag.answers.support import contains
from rag.errors import RagError, WrongRequest
from rag.evaluation.judged import overlap
from rag.search.federated import FederatedSearcher
from rag.search.searcher import Searcher
from rag.serialization import locator_from_json
from rag.types import Locator

BUDGETS = (2_000, 4_000, 8_000)  # tokens of evidence
FORM = '{"id": "a1", "question": "…?", "facts": ["exact words"], "places": [{"document": "a.pdf", "locator": {"page": 2}}]}'


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """One line of a file of questions."""

    id: str
    question: str
    facts: tuple[str, ...]  # words that stand in each of the places, or in all of them together; none: unanswerable
    places: tuple[tuple[str, Locator], ...]  # (POSIX path below the root, place): where the facts are
    tags: tuple[str, ...]  # the first is the kind of the answer


def load_questions(file: Path) -> list[JudgedQuestion]:
    """The questions of a JSON Lines file. WrongRequest names the line that cannot be used."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else f"cannot be opened: {error.strerror}"
        raise WrongRequest(f"{file} {reason}", remedy="name a JSON Lines file of judged questions") from error
    found: dict[str, JudgedQuestion] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = _question(json.loads(line))
            if question.id in found:
                raise ValueError(f"the id {question.id} is used twice")
        except (ValueError, KeyError, TypeError, AttributeError, RagError) as error:
            raise WrongRequest(f"{file}, line {number}: {error} is wrong or missing", remedy=f"write {FORM}") from error
        found[question.id] = question
    if not found:
        raise WrongRequest(f"{file} has no question", remedy=f"write {FORM}")
    return list(found.values())


def measure_evidence(
    searcher: Searcher | FederatedSearcher, questions: Sequence[JudgedQuestion], budgets: Sequence[int] = BUDGETS
) -> dict[str, dict[str, float]]:
    """Without any chat model: the share of answerable questions whose facts are all in the packed evidence, at their place.

    {group: {budget: share, "questions": count}}; groups: "all" and each tag. Budgets are tokens by the upper bound.
    """
    answerable = [one for one in questions if one.facts]
    held = {
        one.id: {budget: _holds_all(evidence_for(searcher, one.question, tokens=budget).sources, one) for budget in budgets}
        for one in answerable
    }
    return {
        name: {str(budget): _mean(held[one.id][budget] for one in group) for budget in budgets} | {"questions": len(group)}
        for name, group in groups_of(answerable).items()
    }


def measure_answers(
    searcher: Searcher | FederatedSearcher,
    questions: Sequence[JudgedQuestion],
    heard: Callable[[JudgedQuestion, Answer], None] = lambda *_: None,
) -> dict[str, dict[str, float]]:
    """With the chat model of the settings: how well answers cite. `heard` gets each answer. Errors as `Searcher.ask`.

    {group: measures}. `precision`: share of the cited sources that hold a fact of the question; `recall`: share of the facts
    whose place is cited; `verified`: share of the sentences; `refused`: share of the questions; `questions`: how many.
    """
    answers: dict[str, Answer] = {}
    for one in questions:
        answers[one.id] = searcher.ask(one.question).whole()
        heard(one, answers[one.id])
    return {name: _measures(group, answers) for name, group in groups_of(questions).items()}


def groups_of(questions: Sequence[JudgedQuestion]) -> dict[str, list[JudgedQuestion]]:
    """The answerable ones as "all", and those of each tag, in the order of their first appearance."""
    groups = {"all": [one for one in questions if one.facts]}
    for one in questions:
        for tag in one.tags:
            groups.setdefault(tag, []).append(one)
    return groups


def holds(source: Source, question: JudgedQuestion, fact: str) -> bool:
    """Whether a source is at one of the places of a question, and holds a fact."""
    return _is_at(source, question) and contains(source.words, fact)


def _measures(group: Sequence[JudgedQuestion], answers: Mapping[str, Answer]) -> dict[str, float]:
    cited = [(one, source) for one in group for source in answers[one.id].cited]
    facts = [(one, fact) for one in group for fact in one.facts]
    return {
        "precision": _mean(any(holds(source, one, fact) for fact in one.facts) for one, source in cited),
        "recall": _mean(any(holds(source, one, fact) for source in answers[one.id].cited) for one, fact in facts),
        "verified": _mean(claim.verified for one in group for claim in answers[one.id].claims),
        "refused": _mean(not answers[one.id].enough for one in group),
        "questions": len(group),
    }


def _holds_all(sources: Sequence[Source], question: JudgedQuestion) -> bool:
    return all(any(holds(source, question, fact) for source in sources) for fact in question.facts)


def _is_at(source: Source, question: JudgedQuestion) -> bool:
    return any(
        source.hit.document == document and any(overlap(place, one.passage.locator) for one in source.passages)
        for document, place in question.places
    )


def _mean(values: Iterable[bool]) -> float:
    counted = list(values)
    return sum(counted) / len(counted) if counted else 0.0


def _question(value: Any) -> JudgedQuestion:
    places = tuple((str(one["document"]), locator_from_json(one.get("locator", {}))) for one in value.get("places", ()))
    facts = tuple(str(fact) for fact in value.get("facts", ()))
    if bool(facts) != bool(places):
        raise ValueError("facts and places go together; one of them")
    if not str(value["question"]).strip():
        raise ValueError("the question")
    return JudgedQuestion(str(value["id"]), str(value["question"]), facts, places, tuple(map(str, value.get("tags", ()))))
