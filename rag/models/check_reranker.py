"""Proofs of format for rerankers: whether the server's template is there, once, whole, and hears the instruction.

Knows prompts and what counts of tokens and scores give away; knows no address and prints nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx

from rag.backends.base import Choice
from rag.backends.families import Family
from rag.backends.prompts import instruction_for, rerank_prompt
from rag.models.check_embedder import CACHE_REMEDY, OTHERS, QUERY, RELEVANT, REPEATS, known_pair
from rag.models.check_media import prove_media
from rag.models.probe import OLDER, RERANK, Finding, NotOffered, Report, Verdict, count_tokens, reporter, rerank
from rag.types import Content

SAME_SCORE = 0.02  # what 16-bit arithmetic in another batch may change: a quarter of a step of bf16 near log-odds of 8
HALF = 0.03  # scores this near to 0.5 for everything say that no question was asked
OWN_INSTRUCTION = "Retrieve the passages that a geography teacher would quote in the first lesson of the year."
TAIL = 2  # tokens a template loses with its last newline, at most
TEMPLATE_REMEDY = "start it with `rag serve reranker`, or give vLLM the --chat-template that `rag serve reranker --dry-run` names"


def prove_reranker(client: httpx.Client, choice: Choice, family: Family, model: str, subject: str) -> list[Finding]:
    """The findings for one endpoint of a reranker. BackendError where it stops answering."""
    report = reporter(subject)
    told = instruction_for(family, choice, "rerank")
    documents = [RELEVANT, *OTHERS]
    found: list[Finding] = []
    path = RERANK
    try:
        (alone,), used = _reranked(client, family, model, [RELEVANT], told)
    except NotOffered:
        path = OLDER
        (alone,), used = _reranked(client, family, model, [RELEVANT], told, path)
        if family.templated:
            detail = f"only at {OLDER}, as TEI does: without the chat template and the instruction of {family.name}"
            return [report("reranks", "failed", detail, TEMPLATE_REMEDY)]
        found.append(report("reranks", "ok", f"only at {OLDER}, as TEI does; that is used", ""))
    counted = False
    if family.templated:
        tokens = _rerank_tokens(report, client, family, model, told, used)
        counted = tokens.verdict == "ok"
        found.append(tokens)
        if counted:
            found.append(_own_instruction(report, client, family, model))
    if family.sees:
        found += _media(report, client, family, model, told)
    batch, _ = _reranked(client, family, model, [OTHERS[0], RELEVANT, OTHERS[1]], told, path)
    found.append(_agreement(report, "alone and in a batch", [alone, batch[1]], "a score must not depend on its neighbours"))
    again = [_reranked(client, family, model, documents, told, path)[0] for _ in range(REPEATS)]
    apart = [max(abs(one[at] - again[0][at]) for one in again) for at in range(len(documents))]
    found.append(_agreement(report, "repeated requests", [0.0, max(apart)], CACHE_REMEDY))
    if all(abs(score - 0.5) <= HALF for score in batch):
        verdict: Verdict = "warning" if counted or not family.templated else "failed"
        found.append(report("scores", verdict, f"everything scores ≈ 0.5 ({_scores(batch)})", TEMPLATE_REMEDY))
    found.append(known_pair(report, batch[1], max(batch[0], batch[2])))
    return found


def name_difference(expected: int, used: int, raw: int) -> str:
    """What a wrong number of prompt tokens gives away; "" where it is right.

    `expected`: of our rendered prompt; `used`: what the server says it read; `raw`: of query and document without any template.
    """
    frame = expected - raw
    if used == expected:
        return ""
    if used <= raw + TAIL:
        return "no chat template: the server joins query and document as they are, and everything scores about 0.5"
    if used - expected >= frame * 0.6:
        return "wrapped twice: the template stands inside another template"
    if 0 < expected - used <= TAIL:
        return "the template lost its last newline, so the score is read at the wrong token"
    return "another template than the one the model was trained with"


def _rerank_tokens(report: Report, client: httpx.Client, family: Family, model: str, told: str, used: int) -> Finding:
    prompt = rerank_prompt(family, Content("text", QUERY), Content("text", RELEVANT), told)
    counts = [count_tokens(client, model, text, special=False) for text in (prompt, QUERY, RELEVANT)]
    expected, *parts = (count or 0 for count in counts)
    if None in counts or not used:
        why = "the server has no /tokenize" if None in counts else "the server does not say how many tokens it used"
        return report("prompt tokens", "skipped", why, "")
    wrong = name_difference(expected, used, sum(parts))
    if wrong:
        return report("prompt tokens", "failed", f"{wrong} ({used} tokens, not {expected})", TEMPLATE_REMEDY)
    return report("prompt tokens", "ok", f"{used}, as rendered", "")


def _own_instruction(report: Report, client: httpx.Client, family: Family, model: str) -> Finding:
    """An instruction of one's own arrives in the prompt: a template may read it from nowhere, or from a turn nobody sends."""
    name = "own instruction"
    _, used = _reranked(client, family, model, [RELEVANT], OWN_INSTRUCTION)
    prompt = rerank_prompt(family, Content("text", QUERY), Content("text", RELEVANT), OWN_INSTRUCTION)
    expected = count_tokens(client, model, prompt, special=False)
    if used == expected:
        return report(name, "ok", "reaches the prompt", "")
    return report(name, "failed", f"does not reach the prompt ({used} tokens, not {expected})", TEMPLATE_REMEDY)


def _reranked(
    client: httpx.Client, family: Family, model: str, documents: Sequence[str], told: str, path: str = RERANK
) -> tuple[list[float], int]:
    body = {"model": model, "query": QUERY, "documents": list(documents)}
    return rerank(client, {**body, "instruction": told} if family.templated else body, path)


def _agreement(report: Report, name: str, scores: Sequence[float], remedy: str) -> Finding:
    apart = max(scores) - min(scores)
    verdict: Verdict = "ok" if apart <= SAME_SCORE * max(1.0, *map(abs, scores)) else "failed"  # some servers give log-odds
    return report(name, verdict, f"scores differ by {apart:.4f}", "" if verdict == "ok" else remedy)


def _media(report: Report, client: httpx.Client, family: Family, model: str, told: str) -> list[Finding]:
    """A picture and a video as the document."""

    def ask(parts: Sequence[Mapping[str, Any]]) -> int:
        documents = [{"content": parts}]
        return rerank(client, {"model": model, "query": QUERY, "documents": documents, "instruction": told})[1]

    render = partial(rerank_prompt, family, Content("text", QUERY), instruction=told)
    return prove_media(report, ask, render, partial(count_tokens, client, model, special=False))


def _scores(scores: Sequence[float]) -> str:
    return ", ".join(f"{score:.3f}" for score in scores)
