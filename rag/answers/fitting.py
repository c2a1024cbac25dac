"""Makes the request for an answer fit into what the model reads: counted before it is sent, sources dropped from the end.

Knows turns and token counts; knows no index and sends no question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rag.answers.answering import Request
from rag.answers.chat import ChatModel
from rag.answers.conversation import History
from rag.answers.evidence import Evidence, Source
from rag.answers.prompt import messages
from rag.answers.tokens import BOUND, TURN, bound, picture_bound
from rag.errors import TooLarge
from rag.humanize import counted
from rag.types import Content

ASSUMED_CONTEXT = 8_192  # tokens, of a server that does not say
NO_CONTEXT = (
    f"the server does not say how much its model reads: {ASSUMED_CONTEXT:,} tokens are assumed; RAG_ANSWER_CONTEXT sets it"
)
BOUNDED = f"the server counts no tokens: sizes are an {BOUND}"


def context_of(chat: ChatModel) -> int:
    """The tokens of prompt and answer together."""
    return chat.context or ASSUMED_CONTEXT


def fit(
    chat: ChatModel, evidence: Evidence, most: int, *, asked: Content | None = None, history: History = (), strict: bool = False
) -> tuple[Evidence, Request]:
    """The evidence that fits, and the request with it. TooLarge if not even the question alone fits: nothing is sent then."""
    limit = context_of(chat) - most
    sources: Sequence[Source] = evidence.sources
    while True:
        turns = messages(evidence.question, sources, asked=asked, history=history)
        size, exact = size_of(chat, turns, sources, asked)
        if size <= limit:
            break
        if not sources:
            raise TooLarge(
                f"the question takes {size:,} tokens ({'counted' if exact else 'at most'}), and {limit:,} are left of the "
                f"{context_of(chat):,} that {chat.name} reads, with {most:,} for the answer",
                remedy="ask a shorter question, start a new conversation, or use a model that reads more",
            )
        sources = sources[:-1]
    notes: list[str] = []
    dropped = len(evidence.sources) - len(sources)
    if dropped:
        notes.append(f"{counted(dropped, 'source')} left out: {chat.name} reads {context_of(chat):,} tokens")
    if not chat.context:
        notes.append(NO_CONTEXT)
    if not exact and not any(source.pictures for source in sources):
        notes.append(BOUNDED)
    kept = replace(evidence, sources=tuple(sources), left_out=evidence.left_out + dropped, exact=exact)
    return kept, Request(turns, most, size, exact, strict, tuple(notes))


def size_of(
    chat: ChatModel, turns: Sequence[Mapping[str, Any]], sources: Sequence[Source], asked: Content | None
) -> tuple[int, bool]:
    """The tokens of a request, and whether they are counted: those of pictures, and of all else where the server does not count,
    are an upper bound.
    """
    shown = [(picture.width, picture.height) for source in sources for picture in source.pictures]
    shown += [(pixels.shape[1], pixels.shape[0]) for pixels in (asked.pixels if asked else ())]
    pictures = sum(picture_bound(width, height) for width, height in shown)
    texts = [{**turn, "content": _text(turn["content"])} for turn in turns]
    counted_tokens = chat.count_turns(texts)
    if counted_tokens is not None:
        return counted_tokens + pictures, not shown
    return sum(bound([turn["content"]])[0] + TURN for turn in texts) + pictures, False


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
