"""Checks that a reranking server applies the right template, completely and only once, with the request's instruction.

Knows prompts, and what token counts and scores reveal about them; knows no address and prints nothing.
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
from rag.models.probe import RERANK, UNVERSIONED, Finding, NotOffered, Report, Verdict, count_tokens, reporter, rerank
from rag.types import Content

SAME_SCORE = 0.02  # 16-bit arithmetic in another batch changes no more: a quarter of a step of bf16 near log-odds of 8
NEAR_HALF = 0.03  # if every score is this close to 0.5, the model was not asked to judge
OWN_INSTRUCTION = "Retrieve the passages that a geography teacher would quote in the first lesson of the year."
TAIL = 2  # the most tokens that a template loses with its last newline
TEMPLATE_REMEDY = "start it with `rag serve reranker`, or give vLLM the --chat-template that `rag serve reranker --dry-run` names"


def prove_reranker(client: httpx.Client, choice: Choice, family: Family, model: str, subject: str) -> list[Finding]:
    """The findings for one endpoint of a reranker. BackendError if it stops answering."""
    report = reporter(subject)
    instruction = instruction_for(family, choice, "rerank")
    documents = [RELEVANT, *OTHERS]
    found: list[Finding] = []
    path = RERANK
    try:
        (alone,), used = _reranked(client, family, model, [RELEVANT], instruction)
    except NotOffered:
        path = UNVERSIONED
        (alone,), used = _reranked(client, family, model, [RELEVANT], instruction, path)
        if family.templated:
            detail = f"only at {UNVERSIONED}, like TEI: without the chat template and the instruction of {family.name}"
            return [report("reranks", "failed", detail, TEMPLATE_REMEDY)]
        found.append(report("reranks", "ok", f"only at {UNVERSIONED}, like TEI; that path is used", ""))
    counted = False
    if family.templated:
        tokens = _rerank_tokens(report, client, family, model, instruction, used)
        counted = tokens.verdict == "ok"
        found.append(tokens)
        if counted and family.takes_instruction:
            found.append(_own_instruction(report, client, family, model))
    if family.sees:
        found += _media(report, client, family, model, instruction)
    batch, _ = _reranked(client, family, model, [OTHERS[0], RELEVANT, OTHERS[1]], instruction, path)
    found.append(_agreement(report, "alone and in a batch", [alone, batch[1]], "a score must not depend on its neighbours"))
    again = [_reranked(client, family, model, documents, instruction, path)[0] for _ in range(REPEATS)]
    apart = [max(abs(one[at] - again[0][at]) for one in again) for at in range(len(documents))]
    found.append(_agreement(report, "repeated requests", [0.0, max(apart)], CACHE_REMEDY))
    if all(abs(score - 0.5) <= NEAR_HALF for score in batch):
        verdict: Verdict = "warning" if counted or not family.templated else "failed"
        found.append(report("scores", verdict, f"everything scores ≈ 0.5 ({_scores(batch)})", TEMPLATE_REMEDY))
    found.append(known_pair(report, batch[1], max(batch[0], batch[2])))
    return found


def name_difference(expected: int, used: int, raw: int) -> str:
    """The mistake that a wrong number of prompt tokens reveals; "" if the number is right.

    `expected`: tokens of our rendered prompt; `used`: those the server reports; `raw`: those of query and document alone.
    """
    frame = expected - raw
    if used == expected:
        return ""
    if used <= raw + TAIL:
        return "no chat template: the server joins query and document without a prompt, and everything scores about 0.5"
    if used - expected >= frame * 0.6:
        return "wrapped twice: the template is applied to text that already has one"
    if 0 < expected - used <= TAIL:
        return "the template lost its last newline, so the score is read at the wrong token"
    return "not the template that the model was trained with"


def _rerank_tokens(report: Report, client: httpx.Client, family: Family, model: str, instruction: str, used: int) -> Finding:
    prompt = rerank_prompt(family, Content("text", QUERY), Content("text", RELEVANT), instruction)
    counts = [count_tokens(client, model, text, special=False) for text in (prompt, QUERY, RELEVANT)]
    expected, *parts = (count or 0 for count in counts)
    expected += len(family.appended)
    if None in counts or not used:
        why = "the server has no /tokenize" if None in counts else "the server does not report how many tokens it used"
        return report("prompt tokens", "skipped", why, "")
    wrong = name_difference(expected, used, sum(parts))
    if wrong:
        return report("prompt tokens", "failed", f"{wrong} ({used} tokens, not {expected})", TEMPLATE_REMEDY)
    return report("prompt tokens", "ok", f"{used}, as rendered", "")


def _own_instruction(report: Report, client: httpx.Client, family: Family, model: str) -> Finding:
    """Whether the request's instruction gets into the prompt: a template may ignore it, or expect it in a system turn."""
    name = "own instruction"
    _, used = _reranked(client, family, model, [RELEVANT], OWN_INSTRUCTION)
    prompt = rerank_prompt(family, Content("text", QUERY), Content("text", RELEVANT), OWN_INSTRUCTION)
    expected = count_tokens(client, model, prompt, special=False)
    if used == expected:
        return report(name, "ok", "reaches the prompt", "")
    return report(name, "failed", f"does not reach the prompt ({used} tokens, not {expected})", TEMPLATE_REMEDY)


def _reranked(
    client: httpx.Client, family: Family, model: str, documents: Sequence[str], instruction: str, path: str = RERANK
) -> tuple[list[float], int]:
    body = {"model": model, "query": QUERY, "documents": list(documents)}
    return rerank(client, {**body, "instruction": instruction} if instruction else body, path)


def _agreement(report: Report, name: str, scores: Sequence[float], remedy: str) -> Finding:
    apart = max(scores) - min(scores)
    verdict: Verdict = "ok" if apart <= SAME_SCORE * max(1.0, *map(abs, scores)) else "failed"  # some servers return log-odds
    return report(name, verdict, f"scores differ by {apart:.4f}", "" if verdict == "ok" else remedy)


def _media(report: Report, client: httpx.Client, family: Family, model: str, instruction: str) -> list[Finding]:
    """A picture and a video as the document."""

    def ask(parts: Sequence[Mapping[str, Any]]) -> int:
        body = {"model": model, "query": QUERY, "documents": [{"content": parts}]}
        return rerank(client, {**body, "instruction": instruction} if instruction else body)[1]

    render = partial(rerank_prompt, family, Content("text", QUERY), instruction=instruction)
    return prove_media(report, ask, render, partial(count_tokens, client, model, special=False), family)


def _scores(scores: Sequence[float]) -> str:
    return ", ".join(f"{score:.3f}" for score in scores)
