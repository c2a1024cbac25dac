"""Checks that an embedding server reads exactly the prompts its model was trained on. No check needs the weights here.

Knows prompts, and what token counts and vectors reveal about them; knows no address and prints nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx

from rag.backends.base import Choice
from rag.backends.families import Family, instruction_for, native_dim
from rag.backends.prompts import embedding_prompt, embedding_request
from rag.backends.server.embedding_forms import tokenizing_of
from rag.errors import BackendError
from rag.models.check_media import prove_media
from rag.models.probe import Finding, NotOffered, Report, Verdict, cosine, count_tokens, embed, reporter
from rag.types import Content

SAME_VECTOR = 0.999  # cosine: 16-bit arithmetic in another batch changes no more
REPEATS = 3
QUERY = "What is the capital of China?"
RELEVANT = "The capital of China is Beijing."
OTHERS = (
    "Gravity is a force that attracts two bodies towards each other.",
    "To make bread, mix flour, water, salt and yeast, and let the dough rest for an hour.",
)
NO_PROXY_REMEDY = "use vLLM's own address, not a proxy's"
CACHE_REMEDY = "vllm-ascend before 0.19.1 needs --no-enable-prefix-caching; `rag serve` sets it"
SPECIAL_REMEDY = "use the checkpoint's own tokenizer: it appends <|endoftext|>, where the vector is read"


def prove_embedder(client: httpx.Client, choice: Choice, family: Family, model: str, subject: str) -> list[Finding]:
    """The findings for one endpoint of an embedder. BackendError if it stops answering."""
    report = reporter(subject)
    texts = (RELEVANT, *OTHERS)
    instruction = instruction_for(family, choice, "document")
    prompts = [embedding_prompt(family, Content("text", text), "document", instruction) for text in texts]
    rest: dict[str, Any] = {"model": model} | ({"dimensions": choice.dim} if choice.dim else {})
    of_texts = {**rest, **tokenizing_of(family)}
    (alone,), used = embed(client, {**of_texts, "input": [prompts[0]]})
    found = [vector_length(report, len(alone), choice.dim or native_dim(choice))]
    if family.templated:
        found += _embedding_tokens(report, client, family, model, prompts[0], used)
    if family.sees:
        if family.mixed:
            conversation = embedding_request(family, [{"type": "text", "text": texts[0]}], instruction)
            found += [_conversation(report, client, {**rest, **conversation}, alone, used)]
        found += _media(report, client, rest, family, instruction)
    batch, _ = embed(client, {**of_texts, "input": [prompts[1], prompts[0], prompts[2]]})
    found.append(same_in_batch(report, alone, batch))
    again = [embed(client, {**of_texts, "input": [prompts[0]]})[0][0] for _ in range(REPEATS)]
    found.append(_steady_vectors(report, alone, again))
    asked = embedding_prompt(family, Content("text", QUERY), "query", instruction_for(family, choice, "query"))
    (question,), _ = embed(client, {**of_texts, "input": [asked]})
    near, far = cosine(question, alone), max((cosine(question, batch[at]) for at in (0, 2) if at < len(batch)), default=0.0)
    return [*found, known_pair(report, near, far)]


def _embedding_tokens(report: Report, client: httpx.Client, family: Family, model: str, prompt: str, used: int) -> list[Finding]:
    """Whether the request used as many tokens as the rendered prompt has, and the tokenizer appends the token that is pooled."""
    if family.tokenizing:
        return [report("prompt tokens", "skipped", "texts are padded, so their tokens say nothing", "")]
    expected = count_tokens(client, model, prompt, special=True)
    bare = count_tokens(client, model, prompt, special=False)
    if expected is None or bare is None:
        return [report("prompt tokens", "skipped", "the server has no /tokenize", "")]
    if not used:
        return [report("prompt tokens", "skipped", "the server does not report how many tokens it used", "")]
    if not family.special_tokens:
        if used == bare:
            return [report("prompt tokens", "ok", f"{used}, as rendered", "")]
        detail = f"the server read {used} tokens, but the prompt has {bare}"
        return [report("prompt tokens", "failed", detail, f"something changes the text: {NO_PROXY_REMEDY}")]
    if expected == bare:
        detail = f"the tokenizer appends no <|endoftext|> ({bare} tokens with special tokens and without)"
        return [report("prompt tokens", "failed", detail, SPECIAL_REMEDY)]
    if used == bare:
        detail = f"the server read {used} tokens, not {expected}: special tokens were not added"
        return [report("prompt tokens", "failed", detail, f"something sets add_special_tokens to false: {NO_PROXY_REMEDY}")]
    if used != expected:
        detail = f"the server read {used} tokens, but the prompt has {expected}"
        return [report("prompt tokens", "failed", detail, f"something changes the text: {NO_PROXY_REMEDY}")]
    return [report("prompt tokens", "ok", f"{used}, as rendered", "")]


def _conversation(report: Report, client: httpx.Client, body: dict[str, Any], alone: Sequence[float], used: int) -> Finding:
    """Whether a text sent as a conversation, as pictures are, becomes the same prompt and gives the same vector."""
    name = "conversation"
    try:
        (vector,), counted = embed(client, body)
    except NotOffered:
        raise
    except BackendError as error:
        what = f"the server refuses a conversation, so no picture can be sent: {error.what}"
        return report(name, "failed", what, "serve the model with vLLM")
    near = cosine(vector, alone)
    figures = f"cosine {near:.4f} to the rendered prompt, {counted or '?'} tokens instead of {used or '?'}"
    if near >= SAME_VECTOR and counted == used:
        return report(name, "ok", figures, "")
    if used and counted == used - 1:
        return report(name, "failed", f"add_special_tokens does not reach the engine: {figures}", NO_PROXY_REMEDY)
    if used and counted < used:
        why = "add_generation_prompt, add_special_tokens or the system turn does not reach the engine"
        return report(name, "failed", f"{why}: {figures}", "use vLLM's own address, and the checkpoint's own chat template")
    return report(name, "failed", f"not the prompt it was trained with: {figures}", "use the checkpoint's own chat template")


def _media(report: Report, client: httpx.Client, rest: dict[str, Any], family: Family, instruction: str) -> list[Finding]:
    def ask(parts: Sequence[Mapping[str, Any]]) -> int:
        return embed(client, {**rest, **embedding_request(family, parts, instruction)})[1]

    render = partial(embedding_prompt, family, role="document", instruction=instruction)
    return prove_media(report, ask, render, partial(count_tokens, client, rest["model"], special=family.special_tokens), family)


def same_in_batch(report: Report, alone: Sequence[float], batch: Sequence[Sequence[float]]) -> Finding:
    """Whether a text's vector is the same alone and as the second of a batch of three."""
    near = cosine(alone, batch[1]) if len(batch) == 3 else 0.0
    verdict: Verdict = "ok" if near >= SAME_VECTOR else "failed"
    detail = f"cosine {near:.4f} for a text alone and in a batch" if len(batch) == 3 else f"{len(batch)} vectors for 3 texts"
    return report(
        "alone and in a batch", verdict, detail, "" if verdict == "ok" else "a vector must not depend on its neighbours"
    )


def _steady_vectors(report: Report, alone: Sequence[float], again: Sequence[Sequence[float]]) -> Finding:
    near = min(cosine(alone, vector) for vector in again)
    verdict: Verdict = "ok" if near >= SAME_VECTOR else "failed"
    detail = f"cosine {near:.4f} at least, over {REPEATS} repetitions"
    return report("repeated requests", verdict, detail, "" if verdict == "ok" else CACHE_REMEDY)


def vector_length(report: Report, found: int, wanted: int | None) -> Finding:
    """Whether vectors have as many numbers as wanted; None or 0: any."""
    if not wanted or found == wanted:
        return report("vector length", "ok", f"{found} numbers", "")
    return report("vector length", "failed", f"{found} numbers, not {wanted}", "check the model's name and --dim")


def known_pair(report: Report, near: float, far: float) -> Finding:
    """Whether a known answer scores higher than the best wrong one; both are cosines or rerank scores."""
    detail = f"{near:.4f} for a known answer, {far:.4f} for the best wrong one"
    if near > far:
        return report("known answer", "ok", detail, "")
    return report("known answer", "warning", detail, "check that these are the trained weights, and that the family is right")
