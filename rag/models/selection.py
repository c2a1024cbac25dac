"""Chooses the embedder and the reranker of a run, from the settings, the index's memory, and what this machine has.

Knows settings and names; loads no model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rag.backends import modelscope
from rag.backends.base import Choice
from rag.backends.gguf_names import is_same
from rag.backends.local.weights import folder_here
from rag.backends.small.files import is_small
from rag.config import Settings
from rag.errors import MissingExtra, WrongRequest
from rag.models.run_files import Task, key_for, running

REMEMBERED = ("backend", "model", "family", "url", "dim", "query_instruction", "document_instruction")
_OF_RERANKER = ("reranker", "reranker_model", "reranker_family", "reranker_url", "rerank_instruction")
LITE_IGNORES_DIM = "its vectors always have 1280 numbers; --dim shortens those of other models"
_OF_SEARCH = ("search", "fold_from", "good_from")
PREFERRED = tuple(  # used without being named, if the cache of a hub already holds them
    f"{hub}Qwen/Qwen3-VL-Embedding-{size}" for size in ("2B", "8B") for hub in ("", modelscope.PREFIX)
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this machine can run a model with. Each fact is looked up only when it matters."""

    installed: Callable[[str], bool]  # whether a package can be imported
    accelerator: Callable[[], bool]  # whether there is one
    weights: Callable[[str], bool]  # whether a model's weights are on this machine
    serving: Callable[[Task, str], tuple[str, str] | None]  # (role, model or "") → (url, model) of a running `rag serve`
    key: Callable[[str], str] = lambda url: ""  # of a running `rag serve` at that address; "" if it needs none


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A backend by its name in the table, the choice for it, and the reason, which is "" if the user chose it."""

    backend: str
    choice: Choice
    why: str = ""


def choose_embedder(settings: Settings, kept: Mapping[str, str], machine: Capabilities) -> ModelChoice:
    """The embedder: as in the settings, else as the index remembers (`kept`), else the best that needs no download here.

    MissingExtra if a model was named and nothing here can run it.
    """
    chosen = _chosen(with_memory(settings, kept)["backend"], embedder_asked_for(settings, kept), machine, "embedder")
    return _with_key(chosen, machine)


def choose_kept(settings: Settings, kept: Mapping[str, str], machine: Capabilities) -> ModelChoice:
    """The embedder that an index remembers (`kept`), whatever model the settings name. As `choose_embedder`."""
    defaults = {key: Settings.model_fields[key].get_default(call_default_factory=True) for key in REMEMBERED}
    value = {key: json.loads(kept[key]) if key in kept else default for key, default in defaults.items()}
    return _with_key(_chosen(value["backend"], _choice(value, settings), machine, "embedder"), machine)


def choose_reranker(settings: Settings, embedder: str, machine: Capabilities) -> ModelChoice | None:
    """The reranker: as in the settings; else that of a running server if `embedder` is not lite, else None.

    The lite reranker runs only where it is asked for: on judged collections it ranks worse than the order it gets (docs/lite.md).
    """
    choice = reranker_asked_for(settings)
    if settings.reranker == "none":
        return None
    if settings.reranker == "auto" and not (choice.model or choice.urls):
        if embedder == "lite":
            return None
        running = machine.serving("reranker", "")
        return _with_key(_at(running, choice), machine) if running else None
    return _with_key(_chosen(settings.reranker, choice, machine, "reranker"), machine)


def choose_scorer(settings: Settings, machine: Capabilities) -> ModelChoice | None:
    """The reranker for pairs that the caller brings, which no search has ranked: as `choose_reranker`, else the built-in one."""
    chosen = choose_reranker(settings, "", machine)
    return ModelChoice("lite", reranker_asked_for(settings)) if chosen is None and settings.reranker == "auto" else chosen


def embedder_asked_for(settings: Settings, kept: Mapping[str, str]) -> Choice:
    """The choice for an embedder by the settings and an index's memory (`kept`) alone, before this machine is looked at."""
    return _choice(with_memory(settings, kept), settings)


def _choice(value: Mapping[str, Any], settings: Settings) -> Choice:
    return Choice(
        model=value["model"],
        family=value["family"],
        urls=tuple(value["url"]),
        dim=value["dim"],
        query_instruction=value["query_instruction"],
        document_instruction=value["document_instruction"],
        **_connection(settings),
    )


def reranker_asked_for(settings: Settings) -> Choice:
    """The choice for a reranker by the settings alone, before this machine is looked at."""
    return Choice(
        model=settings.reranker_model,
        family=settings.reranker_family,
        urls=settings.reranker_url,
        rerank_instruction=settings.rerank_instruction,
        **_connection(settings),
    )


def remembered(chosen: ModelChoice, settings: Settings) -> dict[str, str]:
    """What an index remembers of the choice, as JSON texts by the setting's name."""
    value: dict[str, Any] = {"backend": chosen.backend, "model": chosen.choice.model, "family": chosen.choice.family}
    value |= {"url": list(settings.url or chosen.choice.urls), "dim": chosen.choice.dim}
    value |= {
        "query_instruction": chosen.choice.query_instruction,
        "document_instruction": chosen.choice.document_instruction,
    }
    return {key: json.dumps(value[key]) for key in REMEMBERED}


def query_print(settings: Settings) -> str:
    """A short hash, equal for settings that choose the same models and search alike, with the same ones set explicitly."""
    given = {key: [getattr(settings, key), key in settings.model_fields_set] for key in (*REMEMBERED, *_OF_RERANKER, *_OF_SEARCH)}
    return hashlib.blake2b(json.dumps(given, default=str).encode(), digest_size=8).hexdigest()


def this_machine() -> Capabilities:
    """The facts about this machine."""
    return Capabilities(
        lambda name: find_spec(name) is not None, _has_accelerator, lambda model: bool(folder_here(model)), _serving, key_for
    )


def with_memory(settings: Settings, kept: Mapping[str, str]) -> dict[str, Any]:
    """Each setting as given, else as the index remembers it. For a newly named model, nothing remembered applies."""
    given = settings.model_fields_set
    values = {key: getattr(settings, key) for key in REMEMBERED}
    if "model" in given or not kept.keys() >= set(REMEMBERED):
        return values
    values |= {key: json.loads(kept[key]) for key in REMEMBERED if key not in given}
    if "url" in given and "backend" not in given:
        values["backend"] = "server"
    return values


def _connection(settings: Settings) -> dict[str, Any]:
    return {
        "api_key": settings.api_key,
        "ca_bundle": settings.ca_bundle,
        "in_flight": settings.in_flight,
        "timeout": settings.timeout,
    }


def _chosen(backend: str, choice: Choice, machine: Capabilities, role: Task) -> ModelChoice:
    if backend == "auto" and choice.urls:
        return ModelChoice("server", choice)
    if backend == "lite":
        return _lite(choice)
    if ":" in backend:
        return ModelChoice(backend, choice)
    if role == "embedder" and (backend == "small" or (backend == "auto" and is_small(choice.model))):
        return ModelChoice("small", choice)
    if backend != "server" or not choice.urls:
        running = machine.serving(role, choice.model)
        if running:
            return _at(running, choice)
    if backend != "auto":
        return ModelChoice(backend, choice)
    if choice.model.lower().endswith(".gguf"):
        raise WrongRequest(
            f"{choice.model} is a GGUF file, which runs in a server of its own, and no server of it is running here",
            remedy=f"start it, and leave it running: rag serve {role} --engine llamacpp --model {choice.model}",
        )
    if choice.model:
        return _in_process(choice, machine)
    if role == "embedder" and machine.installed("vllm") and machine.accelerator():
        here = next((model for model in PREFERRED if machine.weights(model)), "")
        if here:
            return ModelChoice("vllm", _named(choice, here), "its weights and an accelerator are on this machine")
    return _lite(choice)


def _lite(choice: Choice) -> ModelChoice:
    return ModelChoice("lite", choice, LITE_IGNORES_DIM if choice.dim else "")


def _in_process(choice: Choice, machine: Capabilities) -> ModelChoice:
    if machine.installed("vllm") and machine.accelerator():
        return ModelChoice("vllm", choice, "vllm and an accelerator are on this machine")
    if machine.installed("sentence_transformers"):
        return ModelChoice("transformers", choice, "sentence-transformers is installed, and there is no vllm with an accelerator")
    if machine.installed("vllm"):
        return ModelChoice("vllm", choice, "vllm is installed, for the CPU")
    raise MissingExtra(
        f"nothing here can run {choice.model}: neither vllm nor sentence-transformers is installed, and no --url was given",
        "vllm",
    )


def _at(running: tuple[str, str], choice: Choice) -> ModelChoice:
    url, model = running
    return ModelChoice("server", replace(choice, urls=(url,), model=choice.model or model), f"a running `rag serve` at {url}")


def _with_key(chosen: ModelChoice, machine: Capabilities) -> ModelChoice:
    """The choice with the key of a running `rag serve`, which is sent to no other address; one that the user set comes first."""
    if chosen.backend != "server" or chosen.choice.api_key or len(chosen.choice.urls) != 1:
        return chosen
    return replace(chosen, choice=replace(chosen.choice, api_key=machine.key(chosen.choice.urls[0])))


def _named(choice: Choice, model: str) -> Choice:
    return replace(choice, model=model)


def _has_accelerator() -> bool:
    """Checks device files instead of running tools: quick, and loads no driver."""
    return any(Path(device).exists() for device in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/davinci0", "/dev/davinci_manager"))


def _serving(role: Task, model: str) -> tuple[str, str] | None:
    found = [one for one in running(role) if not model or is_same(one.model, model)]
    return (found[0].url, found[0].model) if found else None
