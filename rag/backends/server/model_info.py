"""Finds out which model the endpoints serve, and checks that it is the one that was chosen.

Knows /v1/models, and which program answers there; knows no prompt and no vector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rag.backends.base import Choice
from rag.backends.families import Family, Task, family_of, model_name
from rag.backends.gguf_names import is_gguf, is_same
from rag.backends.server.client import Endpoints
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.llamacpp.properties import OWNER, Properties, properties_of
from rag.backends.server.responses import ModelCard, cards_of
from rag.backends.server.sanitize import shown
from rag.errors import BackendError

MODELS = "/v1/models"
INFO = "/info"  # where TEI names its model


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The name that requests use, the choice with the model's own name, its family, and its longest prompt if known."""

    request_name: str
    choice: Choice
    family: Family
    max_tokens: int = 0  # of one prompt; 0: not known
    llamacpp: Properties | None = None  # None: the server is not llama.cpp


def is_known(choice: Choice, task: Task) -> bool:
    """Whether the model and the form of its prompts are known without asking a server. Never of a GGUF."""
    if not choice.model or is_gguf(choice.model):
        return False
    return bool(choice.family) or family_of(choice, task).templated


def look(endpoints: Endpoints, choice: Choice, task: Task) -> ServedModel:
    """The model that the endpoints serve, and its name there. From now on each endpoint must prove that it serves this model.

    A server without /v1/models is taken at its word; TEI names its model at /info. If the chosen or the served name is an alias
    that does not tell the family, the model behind it does (`root`, which vLLM provides). BackendError if another model is
    served, or several and none was chosen.
    """
    try:
        answer = endpoints.ask(MODELS)
    except HttpRefusal as refused:
        if refused.status not in (404, 405):
            raise
        choice = choice if choice.model else replace(choice, model=_model_of_tei(endpoints, refused))
        return ServedModel(choice.model, choice, family_of(choice, task))
    card = _chosen(answer, choice.model)
    endpoints.prove(MODELS, lambda other: _check(other, card.id))
    names = [name for name in (choice.model, card.id, card.root) if name]
    candidates = [replace(choice, model=name) for name in names]
    served = next((one for one in candidates if family_of(one, task).templated), candidates[0])
    llamacpp = properties_of(endpoints) if card.owner == OWNER else None
    longest = card.max_tokens or (llamacpp.max_tokens if llamacpp else 0)
    return ServedModel(card.id, served, family_of(served, task), longest, llamacpp)


def _model_of_tei(endpoints: Endpoints, refused: HttpRefusal) -> str:
    """The model that TEI serves. BackendError, with the refusal of /v1/models, if it is not TEI."""
    try:
        info = endpoints.ask(INFO).content
    except HttpRefusal:
        info = None
    name = info.get("model_id") if isinstance(info, dict) else None
    if not isinstance(name, str) or not name:
        raise BackendError(f"{refused.what}: it does not say which model it serves", "name the model: --model") from refused
    return name


def _chosen(answer: HttpResponse, model: str) -> ModelCard:
    """The card of the chosen model, by its name on the server or else by its own name; without a choice, the only card."""
    cards = cards_of(answer)
    if not model:
        if len(cards) == 1:
            return cards[0]
        raise BackendError(f"{answer.place} serves {len(cards)} models: {_list(cards)}", remedy="name one of them: --model")
    by_name = next((card for card in cards if card.id == model), None)
    by_model = next((card for card in cards if _same_model(model, card)), None)
    found = by_name or by_model
    if found is None:
        raise BackendError(
            f"{answer.place} serves {_list(cards)}, not {model}", remedy="name what is served (--model), or correct the address"
        )
    return found


def _same_model(model: str, card: ModelCard) -> bool:
    """Whether a card is that of a model, by the model's own name."""
    return is_same(model, card.id) or model_name(model) == model_name(card.root)


def _check(answer: HttpResponse, name: str) -> None:
    cards = cards_of(answer)
    if name not in {card.id for card in cards}:
        raise BackendError(
            f"{answer.place} serves {_list(cards)}, not {name}",
            remedy="let all endpoints of one role serve the same model under one name",
        )


def _list(cards: tuple[ModelCard, ...]) -> str:
    return shown(", ".join(card.id for card in cards))
