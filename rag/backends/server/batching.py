"""Many inputs to a server in few requests: packed evenly, and cut in halves where a server takes fewer at once.

Knows how answers are joined; knows no model and no connection.
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

TOO_LONG = "index shorter passages (RAG_PASSAGE_CHARACTERS), ask something shorter, or let the server take more (--max-model-len)"
OF_CONTENT = frozenset({400, 413, 422, 500})  # what a server answers where it does not take, or fails at, what is in a request
_TOO_LONG = re.compile(r"too (long|large|many|big)|maximum|longer than|at most|exceed|limit", re.IGNORECASE)

T = TypeVar("T")
R = TypeVar("R")


def answers_to(
    endpoints: Endpoints,
    path: str,
    batches: Sequence[Sequence[T]],
    body: Callable[[Sequence[T]], Mapping[str, Any]],
    read: Callable[[HttpResponse, int], Sequence[R]],
    harmless: Callable[[Sequence[T]], Mapping[str, Any]],
) -> list[R | HttpRefusal]:
    """One result for each item of all batches, in order; `read` gets an answer and how many items it is for.

    A batch refused for what is in it (400, 413, 422, and 500 each time) is sent again as two halves, down to single items, whose
    refusal then stands in their place: at most 2n − 1 requests for n items. First the server must take `harmless`, a request that
    it has no reason to refuse, so that one that refuses everything is not asked about every item; its refusal, and any other one,
    is raised.
    """
    found: dict[int, R | HttpRefusal] = {}
    taken: list[Mapping[str, Any]] = []
    starts = [0, *accumulate(len(batch) for batch in batches)]
    waiting: list[tuple[int, Sequence[T]]] = list(zip(starts, batches, strict=False))
    while waiting:
        answers = endpoints.ask_all(path, [partial(body, batch) for _, batch in waiting])
        halves: list[tuple[int, Sequence[T]]] = []
        for (start, batch), answer in zip(waiting, answers, strict=True):
            if isinstance(answer, HttpResponse):
                found |= enumerate(read(answer, len(batch)), start)
                continue
            if answer.status not in OF_CONTENT:
                raise answer
            _require_taken(endpoints, path, harmless(batch), taken, answer)
            if len(batch) == 1:
                found[start] = answer
            else:
                middle = len(batch) // 2
                halves += [(start, batch[:middle]), (start + middle, batch[middle:])]
        waiting = halves
    return [found[at] for at in range(starts[-1])]


def refusal_of(refused: Mapping[int, HttpRefusal], count: int, others: Any) -> ContentRefused:
    """The error for those of `count` contents that a server refuses, with what came of the others."""
    first = refused[min(refused)]
    also = f" (and {len(refused) - 1} more of {count})" if len(refused) > 1 else ""
    reasons = {number: f"the model server refuses it ({one.message or one.status})" for number, one in refused.items()}
    return ContentRefused(f"{first.what}{also}", TOO_LONG if is_too_long(first) else first.remedy, reasons, others)


def is_too_long(refused: HttpRefusal) -> bool:
    """Whether a single text is refused for its length."""
    return refused.status == 413 or bool(_TOO_LONG.search(refused.message))


def _require_taken(
    endpoints: Endpoints, path: str, harmless: Mapping[str, Any], taken: list[Mapping[str, Any]], refused: HttpRefusal
) -> None:
    """Raises `refused` where the server refuses a harmless request as well; asks once for each in `taken`."""
    if harmless in taken:
        return
    (answer,) = endpoints.ask_all(path, [lambda: harmless])
    if isinstance(answer, HttpRefusal):
        raise refused
    taken.append(harmless)
