"""Proves that a chat server answers as `rag ask` needs it: streams, counts, sees, how many pictures, how much it reads.

Knows requests of a few tokens; knows no index, and prints nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rag.answers.ask import MOST_PICTURES, choice_of
from rag.answers.chat import ChatModel
from rag.answers.fitting import ASSUMED_CONTEXT
from rag.answers.tokens import picture_bound
from rag.backends.media import image_url
from rag.config import Settings
from rag.errors import BackendError, RagError
from rag.models.probe import Finding, Report, reporter

QUESTION = "Say yes."
SIDE = 256  # pixels of a test picture
ANSWER_TOKENS = 16


def examine_answerer(settings: Settings) -> list[Finding]:
    """The findings for the chat model of the settings, else for a running `rag serve answerer`. Whatever goes wrong is one."""
    choice = choice_of(settings)
    if choice is None:
        return [Finding("answerer", "endpoint", "skipped", "none is named, and no `rag serve answerer` is running here")]
    report = reporter(f"answerer {choice.urls[0]}")
    try:
        chat = ChatModel(choice, settings.answer_context)
        return [*_answers(report, chat), _streams(report, chat), _counts(report, chat), _sees(report, chat)]
    except RagError as error:
        return [report("answers", "failed", error.what, error.remedy)]


def _answers(report: Report, chat: ChatModel) -> list[Finding]:
    found = [report("answers", "ok", chat.name, "")]
    if chat.context:
        return [*found, report("context", "ok", f"{chat.context:,} tokens of prompt and answer", "")]
    detail = f"the server does not say; {ASSUMED_CONTEXT:,} tokens are assumed"
    return [*found, report("context", "warning", detail, "set RAG_ANSWER_CONTEXT to the model's context length")]


def _streams(report: Report, chat: ChatModel) -> Finding:
    stream = chat.stream(_turns(QUESTION), ANSWER_TOKENS)
    pieces = list(stream)
    if not pieces:
        return report("streams", "failed", "the answer is empty", "look at the server's chat template and its log")
    return report("streams", "ok", f"{len(pieces)} pieces, ended by {stream.finish or 'the end of the stream'}", "")


def _counts(report: Report, chat: ChatModel) -> Finding:
    counted = chat.count_turns(_turns(QUESTION))
    _, used = chat.ask(_turns(QUESTION), 1)
    if counted is None:
        remedy = "use vLLM or llama-server for exact counts; until then less evidence fits"
        return report("tokens", "warning", "the server counts no tokens before it answers: an upper bound is used", remedy)
    if used and counted != used:
        remedy = "the server's /tokenize and its chat use different templates: restart it, or report it there"
        return report("tokens", "failed", f"counts {counted} tokens for a prompt of {used}", remedy)
    return report("tokens", "ok", f"{counted} counted, as used", "")


def _sees(report: Report, chat: ChatModel) -> Finding:
    if not chat.sees():
        detail = "the model only reads: pictures go to it as their words"
        return report("pictures", "ok", detail, "")
    most = next((count for count in (MOST_PICTURES, 4, 2, 1) if _takes(chat, count)), 0)
    _, plain = chat.ask(_turns(QUESTION), 1)
    _, seeing = chat.ask(_turns(_parts(1)), 1)
    tokens = seeing - plain if seeing and plain else 0
    if tokens > picture_bound(SIDE, SIDE):
        detail = f"{tokens} tokens for one of {SIDE} × {SIDE} pixels, and at most {picture_bound(SIDE, SIDE)} are reckoned with"
        return report("pictures", "warning", detail, "set RAG_ANSWER_PICTURES to a small number")
    shown = f"; {tokens} tokens for one of {SIDE} × {SIDE} pixels" if tokens else ""
    if most < MOST_PICTURES:
        remedy = f"set RAG_ANSWER_PICTURES={most}, or start the server with --limit-mm-per-prompt"
        return report("pictures", "warning", f"sees at most {most} in one prompt{shown}", remedy)
    return report("pictures", "ok", f"sees at least {most} in one prompt{shown}", "")


def _takes(chat: ChatModel, count: int) -> bool:
    try:
        chat.ask(_turns(_parts(count)), 1)
    except BackendError:
        return False
    return True


def _parts(pictures: int) -> list[dict[str, Any]]:
    slope = np.add.outer(np.arange(SIDE), np.arange(SIDE)) // 2
    shown = {"type": "image_url", "image_url": {"url": image_url(np.stack([slope] * 3, axis=-1).astype(np.uint8))}}
    return [*[shown] * pictures, {"type": "text", "text": QUESTION}]


def _turns(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]
