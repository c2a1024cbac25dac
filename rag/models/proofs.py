"""How far each model at hand is proved: whether its prompts are known, from which source, and what was run against it here.

Knows settings, running servers, the caches of hubs and the families; asks no server and loads no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rag.backends.base import Choice
from rag.backends.families import FAMILIES, Family, family_of, model_name
from rag.backends.local.weights import models_here
from rag.config import Settings
from rag.errors import WrongRequest, WrongSetting
from rag.models.run_files import Task, running
from rag.models.selection import embedder_asked_for, reranker_asked_for

UNPROVED = "not proved here"
UNKNOWN = "its prompt is not known here: text is sent as it is"
_TASKS: tuple[Task, ...] = ("embedder", "reranker")


@dataclass(frozen=True, slots=True)
class Proof:
    """One model, or one family without a model: what it reads, where its prompts are published, and what was proved."""

    model: str
    where: str  # "settings", "served here", "in a hub's cache"; "" for a family alone
    family: str
    reads: str
    source: str
    proof: str


def proofs_at_hand(settings: Settings, kept: Mapping[str, str]) -> list[Proof]:
    """Of the models in the settings or an index (`kept`), of running servers and of the caches of hubs, each once.

    Empty if there are none. A model that is neither an embedder nor a reranker by its name is left out.
    """
    found: dict[str, Proof] = {}
    for model, where, choice, task in _at_hand(settings, kept):
        try:
            family = family_of(choice, task)
        except (WrongRequest, WrongSetting):  # made for the other role, or a folder that is no model
            continue
        found.setdefault(f"{task} {model_name(model)}", _proof(family, model, where))
    return list(found.values())


def proofs_of_families() -> list[Proof]:
    """Of every family, in the order of the table."""
    return [_proof(family, "", "") for family in FAMILIES.values()]


def _at_hand(settings: Settings, kept: Mapping[str, str]) -> Iterator[tuple[str, str, Choice, Task]]:
    asked: dict[Task, Choice] = {"embedder": embedder_asked_for(settings, kept), "reranker": reranker_asked_for(settings)}
    for task in _TASKS:
        if asked[task].model:
            yield asked[task].model, "settings", asked[task], task
        for server in running(task):
            yield server.model, "served here", Choice(model=server.model), task
    for model in models_here():
        for task in _TASKS:
            if _is_named_for(model, task):
                yield model, "in a hub's cache", Choice(model=model), task


def _is_named_for(model: str, task: Task) -> bool:
    """Whether a model's name tells that it has a role: by its family, else by the word for the role."""
    for other in _TASKS:
        try:
            family = family_of(Choice(model=model), other)
        except (WrongRequest, WrongSetting):
            continue
        if family.templated or family.source:
            return other == task
    return {"embedder": "embed", "reranker": "rerank"}[task] in model_name(model).lower()


def _proof(family: Family, model: str, where: str) -> Proof:
    known = bool(family.source)
    return Proof(
        model, where, family.name, family.reads, family.source or UNKNOWN, family.proof if known and family.proof else UNPROVED
    )
