"""`rag eval --ask`: prints how often the evidence holds the facts, and what a chat model makes of it. Knows printing only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rag.cli.terminal import say, stdout

if TYPE_CHECKING:
    from rag.answers.answer import Answer
    from rag.evaluation.answers import JudgedQuestion

Table = Mapping[str, Mapping[str, float]]


def refuse_others(**options: object) -> None:
    """WrongRequest for an option that only rankings have."""
    from rag.errors import WrongRequest

    given = next((name.replace("_", "-") for name, value in options.items() if value), None)
    if given:
        raise WrongRequest(f"--{given} is about rankings, not answers", remedy=f"leave --{given} out, or --ask")


def show_answer_measures(file: Path, index: str, only: str | None, reranker: str | None, *, json: bool, failures: bool) -> None:
    """Measures and prints; without a chat model only the evidence. WrongRequest where no question has the tag `only`."""
    from rag.answers.ask import choice_of, settings_of
    from rag.errors import WrongRequest
    from rag.evaluation.answers import load_questions, measure_answers, measure_evidence
    from rag.search.federated import open_index

    questions = [one for one in load_questions(file) if only is None or only in one.tags]
    if not questions:
        raise WrongRequest(f"{file} has no question with the tag {only!r}", remedy="name another with --only")
    wrong: list[str] = []

    def note(question: JudgedQuestion, answer: Answer) -> None:
        if answer.enough != bool(question.facts):
            told = "answered, though the files do not tell" if answer.enough else "not answered"
            wrong.append(f"{question.id}  {question.question}  [{told}]")

    with open_index(index, say=say, reranker=reranker) as searcher:
        found = {"evidence": measure_evidence(searcher, questions)}
        if choice_of(settings_of(searcher)) is None:
            say("no chat model is set: only the evidence is measured (RAG_ANSWER_URL names one)")
        else:
            found["answers"] = measure_answers(searcher, questions, note)
    if json:
        import json as json_

        print(json_.dumps(found, indent=2))
        return
    _print(found["evidence"], "share of questions whose facts are in the evidence, by its tokens (upper bound)")
    if "answers" in found:
        print()
        _print(found["answers"], "")
    for line in wrong if failures else ():
        print(f"  {line}")


def _print(table: Table, title: str) -> None:
    from rich.table import Table as Grid

    columns = [key for key in next(iter(table.values())) if key != "questions"]
    grid = Grid("questions", *columns, box=None, pad_edge=False, title=title or None, title_justify="left")
    for group, values in table.items():
        grid.add_row(f"{group} ({values['questions']:.0f})", *(f"{values[key]:.3f}" for key in columns))
    stdout().print(grid)
