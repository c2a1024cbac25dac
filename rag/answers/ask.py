"""Asks a question of an index: chooses the chat model, collects evidence for it, and starts its answer.

Knows settings, searchers and chat models; knows no terminal and no HTTP.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rag.answers.answering import Answering
from rag.answers.chat import ChatModel
from rag.answers.collect import Room, collect
from rag.answers.conversation import History, recent, standalone
from rag.answers.evidence import Evidence
from rag.answers.fitting import context_of, fit
from rag.answers.prompt import messages
from rag.answers.tokens import TURN, bound
from rag.backends.base import Choice
from rag.config import Settings
from rag.errors import NoChatModel, TooLarge
from rag.models.run_files import running
from rag.search.federated import FederatedSearcher
from rag.search.options import SearchOptions
from rag.search.question import given_medium, picture_content
from rag.search.searcher import Searcher
from rag.types import Content

MOST_PICTURES = 8  # of one prompt, as `rag serve answerer` lets vLLM take
BELIEVED_SECONDS = 600  # then a server is asked anew what it serves: it may have been started with another model
WEAK = "no hit is a good match: the evidence covers only part of the question"
LEAST_EVIDENCE = 500  # tokens, without which a question is not worth asking


def ask(
    searcher: Searcher | FederatedSearcher,
    question: str,
    options: SearchOptions | None = None,
    *,
    strict: bool = False,
    history: History = (),
    query: str = "",
    **asked: Any,
) -> Answering:
    """Starts the answer to a question; keywords are the fields of `SearchOptions`.

    `strict`: only claims that a source bears out. `history`: earlier questions and answers, oldest first; the model then
    writes what to search for, unless it is given as `query`. NoChatModel, with the evidence, if no chat model is set; TooLarge
    if the question does not fit into the model; BackendError; errors as `Searcher.search`.
    """
    settings = settings_of(searcher)
    wanted = replace(options or SearchOptions(), **asked)
    chat = chat_model(settings)
    if chat is None:
        room = Room(settings.evidence_tokens)
        raise NoChatModel(collect(searcher, query or question, room, wanted))
    query = query or standalone(chat, history, question)
    history = recent(history)
    shown = _asked_picture(searcher, wanted) if chat_sees(chat, settings) else None
    room = room_of(chat, settings, question, history, shown)
    evidence = replace(collect(searcher, query, room, wanted), question=question)
    if not evidence.sources and evidence.left_out:
        remedy = "raise RAG_EVIDENCE_TOKENS, or use a model that reads more (RAG_ANSWER_CONTEXT, if its server does not say)"
        raise TooLarge(f"no passage that was found fits into {room.tokens:,} tokens of evidence", remedy=remedy)
    if not evidence.sources:
        return Answering(evidence, None, None)
    if evidence.good is False:
        evidence = replace(evidence, notes=(*evidence.notes, WEAK))
    kept, request = fit(chat, evidence, settings.answer_tokens, asked=shown, history=history, strict=strict)
    return Answering(kept, chat, request)


def evidence_for(
    searcher: Searcher | FederatedSearcher, question: str, options: SearchOptions | None = None, *, tokens: int = 0, **asked: Any
) -> Evidence:
    """The evidence for a question, without any chat model, as words. `tokens`: at most, by the upper bound; 0: the setting."""
    wanted = replace(options or SearchOptions(), **asked)
    return collect(searcher, question, Room(tokens or settings_of(searcher).evidence_tokens), wanted)


def room_of(chat: ChatModel, settings: Settings, question: str, history: History, asked: Content | None) -> Room:
    """What is left for evidence beside rules, history, question and answer. TooLarge if that is next to nothing."""
    frame = messages(question, (), history=history)
    fixed = sum(bound([str(turn["content"])])[0] + TURN for turn in frame)
    counted = chat.count_turns(frame)
    left = (
        context_of(chat)
        - settings.answer_tokens
        - (fixed if counted is None else counted)
        - 2_000 * (len(asked.pixels) if asked else 0)
    )
    if left < LEAST_EVIDENCE:
        raise TooLarge(
            f"{chat.name} reads {context_of(chat):,} tokens: {settings.answer_tokens:,} for the answer, and the question and the "
            f"rules leave {max(0, left):,} for evidence",
            remedy="ask a shorter question, lower RAG_ANSWER_TOKENS, or use a model that reads more",
        )
    counts = None if counted is None else lambda texts: chat.count(texts) or bound(texts)
    return Room(min(left, settings.evidence_tokens), pictures_of(chat, settings), counts)


def pictures_of(chat: ChatModel, settings: Settings) -> int:
    """The most pictures of one prompt: as set, else 8 for a model that sees."""
    if settings.answer_pictures != "auto":
        return settings.answer_pictures
    return MOST_PICTURES if chat.sees() else 0


def chat_sees(chat: ChatModel, settings: Settings) -> bool:
    """Whether pictures are shown to the model."""
    return pictures_of(chat, settings) > 0


def chat_model(settings: Settings) -> ChatModel | None:
    """The chat model of the settings, else of a `rag serve answerer` on this machine; None without one. BackendError."""
    choice = choice_of(settings)
    return None if choice is None else _opened(choice, settings.answer_context, int(time.monotonic() / BELIEVED_SECONDS))


def choice_of(settings: Settings) -> Choice | None:
    """The address, name and key of the chat model; None if there is none."""
    url, model = settings.answer_url, settings.answer_model
    if not url:
        found = [one for one in running("answerer") if model in ("", one.model)]
        if not found:
            return None
        url = found[0].url
    return Choice(
        model=model,
        urls=(url,),
        api_key=settings.answer_key,
        ca_bundle=settings.ca_bundle,
        in_flight=settings.in_flight,
        timeout=settings.timeout,
    )


def settings_of(searcher: Searcher | FederatedSearcher) -> Settings:
    """The settings of a searcher; of several, those of the first."""
    return searcher.searchers[0].settings if isinstance(searcher, FederatedSearcher) else searcher.settings


@lru_cache(maxsize=4)
def _opened(choice: Choice, context: int, period: int) -> ChatModel:
    return ChatModel(choice, context)


def _asked_picture(searcher: Searcher | FederatedSearcher, wanted: SearchOptions) -> Content | None:
    """The pictures or frame of the question, for a model that sees. WrongRequest."""
    if given_medium(wanted) not in ("image", "video"):
        return None
    first = searcher.searchers[0] if isinstance(searcher, FederatedSearcher) else searcher
    return picture_content("", wanted, replace(first.policy, ocr="never"), first.files)
