"""Sends batches to a server and, if it refuses one, finds the items that it refuses by halving.

Knows batches and results; knows no model and no connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, TypeVar

from rag.backends.server.client import Endpoints
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.errors import ContentRefused

TOO_LONG_REMEDY = (
    "index shorter passages (RAG_PASSAGE_CHARACTERS), use a shorter query, or let the server accept more (--max-model-len)"
)
CONTENT_STATUSES = frozenset({400, 413, 422, 500})  # a server's answer if it refuses, or fails on, the contents of a request
_TOO_LONG = re.compile(r"too (long|large|many|big)|maximum|longer than|at most|exceed|limit", re.IGNORECASE)

T = TypeVar("T")
R = TypeVar("R")


def answers_to(
    endpoints: Endpoints,
    path: str,
    batches: Sequence[Sequence[T]],
    body: Callable[[Sequence[T]], Mapping[str, Any]],
    read: Callable[[HttpResponse, Sequence[T]], Sequence[R]],
    harmless: Callable[[Sequence[T]], Mapping[str, Any]],
) -> list[R | HttpRefusal]:
    """One result per item of all batches, in order. `read` gets a response and the items it is for.

    A batch refused for its contents (400, 413, 422, or 500 at every attempt) is sent again as two halves, down to single items,
    whose refusals become their results: at most 2n − 1 requests for n items. First the server must accept `harmless(batch)`, a
    request that it has no reason to refuse; otherwise the refusal is raised, so that a server that refuses everything is not
    asked about every item. A refusal with any other status is raised at once.
    """
    found: dict[int, R | HttpRefusal] = {}
    accepted: list[Mapping[str, Any]] = []  # harmless requests
    starts = [0, *accumulate(len(batch) for batch in batches)]
    waiting: list[tuple[int, Sequence[T]]] = list(zip(starts, batches, strict=False))
    while waiting:
        answers = endpoints.ask_all(path, [partial(body, batch) for _, batch in waiting])
        halves: list[tuple[int, Sequence[T]]] = []
        for (start, batch), answer in zip(waiting, answers, strict=True):
            if isinstance(answer, HttpResponse):
                found |= enumerate(read(answer, batch), start)
                continue
            if answer.status not in CONTENT_STATUSES:
                raise answer
            _require_accepted(endpoints, path, harmless(batch), accepted, answer)
            if len(batch) == 1:
                found[start] = answer
            else:
                middle = len(batch) // 2
                halves += [(start, batch[:middle]), (start + middle, batch[middle:])]
        waiting = halves
    return [found[at] for at in range(starts[-1])]


def refusal_of(refused: Mapping[int, HttpRefusal], count: int, others: Any) -> ContentRefused:
    """The error for those of `count` contents that a server refuses. `others`: the vectors or scores of the rest, in order."""
    first = refused[min(refused)]
    also = f" (and {len(refused) - 1} more of {count})" if len(refused) > 1 else ""
    reasons = {number: f"the model server refuses it ({one.message or one.status})" for number, one in refused.items()}
    return ContentRefused(f"{first.what}{also}", TOO_LONG_REMEDY if is_too_long(first) else first.remedy, reasons, others)


def is_too_long(refused: HttpRefusal) -> bool:
    """Whether the refusal of a single text is about its length."""
    return refused.status == 413 or bool(_TOO_LONG.search(refused.message))


def _require_accepted(
    endpoints: Endpoints, path: str, harmless: Mapping[str, Any], accepted: list[Mapping[str, Any]], refused: HttpRefusal
) -> None:
    """Raises `refused` if the server refuses the harmless request too; one that it accepts is not sent a second time."""
    if harmless in accepted:
        return
    (answer,) = endpoints.ask_all(path, [lambda: harmless])
    if isinstance(answer, HttpRefusal):
        raise refused
    accepted.append(harmless)
