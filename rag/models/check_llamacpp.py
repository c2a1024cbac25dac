"""Checks that a llama.cpp server reads prompts and pictures as its model was trained to, and sends what scores are made of.

Knows /props, /tokenize, and what token counts and vectors reveal; knows no address and prints nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from rag.backends.base import Choice
from rag.backends.families import Family, instruction_for, native_dim
from rag.backends.media import picture as as_sent
from rag.backends.prompts import embedding_prompt, rerank_prompt
from rag.backends.server.exchange import HttpResponse
from rag.backends.server.llamacpp.inputs import LITERAL, input_of, size_of
from rag.backends.server.llamacpp.judge import judge_of
from rag.backends.server.llamacpp.properties import END, EOS_REMEDY, PROPS, Properties, parse_properties
from rag.backends.server.llamacpp.reranking import UNIT, gguf_at_hand
from rag.errors import BackendError, MissingExtra
from rag.models.check_embedder import OTHERS, QUERY, RELEVANT, SAME_VECTOR, known_pair, same_in_batch, vector_length
from rag.models.probe import Finding, Report, Verdict, ask, cosine, embed, reporter
from rag.types import Content

ENDOFTEXT = 151_643  # number of <|endoftext|> in the published vocabulary
YES, NO = 9693, 2152  # those of the two words
SMALL, LARGE = 64, 2048  # pixels on each side: less than llama.cpp's own least, and more than the reference's most
LIMIT_REMEDY = "start it with --image-min-tokens 4 --image-max-tokens 1280, as `rag serve --engine llamacpp` does"
MMPROJ_REMEDY = "start it with the model's mmproj: llama-server --mmproj FILE"
CONTEXT_REMEDY = "start it with a larger -c: each of the -np slots gets its share of it"


@dataclass(frozen=True, slots=True)
class _Server:
    """One server under examination, and what it says of itself."""

    client: httpx.Client
    report: Report
    choice: Choice
    family: Family
    model: str
    said: Properties

    def tokens(self, text: str, *, special: bool) -> list[int]:
        answer = ask(self.client, "/tokenize", {"content": text, "add_special": special, "parse_special": True})
        return [int(token) for token in answer.get("tokens", ())]

    def vectors(self, items: Sequence[Any], **more: Any) -> tuple[list[list[float]], int]:
        return embed(self.client, {"model": self.model, "input": list(items), **more})


def prove_llamacpp(client: httpx.Client, choice: Choice, family: Family, model: str, subject: str) -> list[Finding]:
    """The findings for one endpoint of a Qwen3 embedder or reranker. BackendError if it stops answering."""
    said = parse_properties(HttpResponse(f"{client.base_url}{PROPS}", ask(client, PROPS)))
    server = _Server(client, reporter(subject), choice, family, model, said)
    found = [_context(server), _end_token(server)]
    if family.sees:
        found.append(_sight(server))
    if any(one.verdict == "failed" for one in found):
        return found
    if family.sees:
        found += _pictures(server)
    return [*found, *(_judged(server) if family.rerank_instruction else _embedded(server))]


def _context(server: _Server) -> Finding:
    tokens, wanted = server.said.max_tokens, server.family.max_tokens
    if not tokens:
        return server.report("slot context", "skipped", "the server does not say how long a prompt may be", "")
    if tokens >= wanted:
        return server.report("slot context", "ok", f"{tokens} tokens in each of {server.said.slots}", "")
    detail = f"{tokens} tokens, and the model reads {wanted}: longer texts are cut, larger pictures refused"
    return server.report("slot context", "warning", detail, CONTEXT_REMEDY)


def _end_token(server: _Server) -> Finding:
    """One <|endoftext|> for an embedder, nothing for a reranker; and the numbers of yes and no in the published vocabulary."""
    name, reranks = "end token", bool(server.family.rerank_instruction)
    bare, whole = (server.tokens(RELEVANT, special=special) for special in (False, True))
    added = whole[len(bare) :] if whole[: len(bare)] == bare else whole
    end = server.tokens(END, special=False)
    yes, no = (server.tokens(word, special=False) for word in ("yes", "no"))
    if reranks and (len(yes), len(no)) != (1, 1):
        return server.report(name, "failed", f"yes and no are {yes} and {no}, not one token each", EOS_REMEDY)
    if reranks and end == [ENDOFTEXT] and (yes, no) != ([YES], [NO]):
        detail = f"yes is token {yes[0]} and no {no[0]}, not {YES} and {NO}: another vocabulary"
        return server.report(name, "failed", detail, EOS_REMEDY)
    if reranks:
        if not added:
            return server.report(name, "ok", f"nothing is appended; yes is {yes[0]}, no is {no[0]}", "")
        return server.report(name, "failed", f"{len(added)} tokens are appended, so a score is read at the wrong one", EOS_REMEDY)
    if added == end:
        return server.report(name, "ok", f"one {END} is appended", "")
    if not added:
        detail = f"the GGUF appends no {END}: this program writes it, any other gets vectors that rank badly"
        return server.report(name, "warning", detail, EOS_REMEDY)
    return server.report(name, "failed", f"the tokens {added} are added, not one {END}", EOS_REMEDY)


def _sight(server: _Server) -> Finding:
    marker = server.said.marker
    if not server.said.sees:
        return server.report("marker", "failed", "no mmproj is loaded, so no picture can be read", MMPROJ_REMEDY)
    if not marker:
        return server.report(
            "marker", "failed", f"{PROPS} names no marker for pictures", "use a llama.cpp from May 2026 or later"
        )
    if marker == LITERAL:
        detail = f"it is the literal {LITERAL}, which any text may hold; this program changes such texts, others do not"
        return server.report("marker", "warning", detail, "leave LLAMA_MEDIA_MARKER out: then it is another one in every process")
    return server.report("marker", "ok", "a random one, and a mmproj is loaded", "")


def _pictures(server: _Server) -> list[Finding]:
    small, large = _painted(SMALL), _painted(LARGE)
    began = time.monotonic()
    (seen,), used = server.vectors([_item(server, small)])
    seconds = time.monotonic() - began
    found = [_tokens(server, "small picture", small, used)]
    words = "" if server.family.rerank_instruction else "a slope"
    (other,), _ = server.vectors([_prompt(server, Content("text", text=words))])
    again, _ = server.vectors([_item(server, small), RELEVANT])
    blank, together = cosine(seen, other), cosine(seen, again[0])
    verdict: Verdict = "ok" if blank < SAME_VECTOR <= together else "failed"
    detail = f"cosine {blank:.4f} to a text without it, {together:.4f} to itself in a list"
    found.append(server.report("picture counts", verdict, detail, "" if verdict == "ok" else LIMIT_REMEDY))
    longest = seconds * _reference(large) / max(1, used)
    if longest > server.choice.timeout:
        detail = (
            f"a picture of the largest size would take about {longest:.0f} s here, and RAG_TIMEOUT is {server.choice.timeout:g} s"
        )
        remedy = f"set RAG_TIMEOUT={2 * math.ceil(longest):d}, or index smaller pictures: RAG_MAX_PIXELS=262144"
        return [*found, server.report("large picture", "warning", detail, remedy)]
    server.client.timeout = httpx.Timeout(server.choice.timeout)
    _, used = server.vectors([_item(server, large)])
    return [*found, _tokens(server, "large picture", large, used)]


def _tokens(server: _Server, name: str, shown: Content, used: int) -> Finding:
    """Whether a picture becomes as many tokens as in the reference code."""
    without = len(server.tokens(_prompt(server, shown), special=True)) - 1  # its placeholder is one token between two
    tokens, expected = used - without, _reference(shown)
    if tokens == expected:
        return server.report(name, "ok", f"{tokens} tokens", "")
    side = shown.pixels[0].shape[0]
    detail = f"{side} × {side} pixels are {tokens} tokens, not {expected}: the server resizes pictures"
    return server.report(name, "failed", detail, LIMIT_REMEDY)


def _embedded(server: _Server) -> list[Finding]:
    prompts = [_prompt(server, Content("text", text=text)) for text in (RELEVANT, *OTHERS)]
    (alone,), _ = server.vectors(prompts[:1])
    batch, _ = server.vectors([prompts[1], prompts[0], prompts[2]])
    instruction = instruction_for(server.family, server.choice, "query")
    asked = embedding_prompt(server.family, Content("text", text=QUERY), "query", instruction)
    (question,), _ = server.vectors([_finished(server, asked)])
    near, far = cosine(question, alone), max(cosine(question, batch[0]), cosine(question, batch[2]))
    native = native_dim(server.choice)
    return [
        vector_length(server.report, len(alone), native),
        same_in_batch(server.report, alone, batch),
        known_pair(server.report, near, far),
    ]


def _judged(server: _Server) -> list[Finding]:
    hidden, _ = server.vectors([_pair(server, text) for text in (RELEVANT, OTHERS[1])], embd_normalize=-1)
    lengths = np.linalg.norm(np.asarray(hidden), axis=1)
    if np.abs(lengths - 1).max() < UNIT:
        detail = "they have length 1 although embd_normalize is -1, so they cannot be judged"
        return [server.report("hidden states", "failed", detail, "use a newer llama.cpp, and its own address, not a proxy's")]
    states = server.report("hidden states", "ok", f"of length {lengths.min():.1f} to {lengths.max():.1f}", "")
    try:
        judge = judge_of(gguf_at_hand(server.choice, server.said, [str(server.client.base_url).rstrip("/")]))
        yes, no = judge.scores(np.asarray(hidden, np.float32))
    except (BackendError, MissingExtra, ValueError) as error:
        what = getattr(error, "what", "the GGUF at hand has rows of another length")
        return [states, server.report("scores", "failed", what, getattr(error, "remedy", ""))]
    detail = f"{yes:.4f} for an answer, {no:.4f} for another topic"
    if yes > 0.5 > no:
        return [states, server.report("scores", "ok", detail, "")]
    return [states, server.report("scores", "warning", detail, "check that these are the trained weights, and the right GGUF")]


def _pair(server: _Server, text: str) -> str:
    instruction = instruction_for(server.family, server.choice, "rerank")
    return rerank_prompt(server.family, Content("text", text=QUERY), Content("text", text=text), instruction)


def _prompt(server: _Server, content: Content) -> str:
    """The whole prompt of one content, as a document."""
    if server.family.rerank_instruction:
        instruction = instruction_for(server.family, server.choice, "rerank")
        return rerank_prompt(server.family, Content("text", text=QUERY), content, instruction)
    instruction = instruction_for(server.family, server.choice, "document")
    return _finished(server, embedding_prompt(server.family, content, "document", instruction))


def _finished(server: _Server, prompt: str) -> str:
    """The prompt with the end token, where the GGUF does not append it."""
    appended = server.tokens(prompt, special=True) != server.tokens(prompt, special=False)
    return prompt if appended else prompt + END


def _item(server: _Server, shown: Content) -> Any:
    return input_of(_prompt(server, shown), [shown], server.said.marker)


def _reference(shown: Content) -> int:
    """The tokens of a picture in the reference code: one per 32 × 32 pixels of its own size."""
    width, height = size_of(*as_sent(shown.pixels[0]).size)
    return width * height // 1024


def _painted(side: int) -> Content:
    """A slanted grey ramp, side × side: RGB uint8."""
    slope = (np.add.outer(np.arange(side), np.arange(side)) * 255 // (2 * side)).astype(np.uint8)
    return Content("image", pixels=(np.stack([slope] * 3, axis=-1),))
