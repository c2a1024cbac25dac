"""Many inputs to a server in few requests: packed evenly, and cut in halves where a server takes fewer at once.

Knows how answers are joined; knows no model and no connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from rag.backends.exchange import Answer, Refused
from rag.backends.http import Endpoints

TOO_LONG = "index shorter passages (RAG_PASSAGE_CHARACTERS), ask something shorter, or let the server take more (--max-model-len)"
_TOO_MUCH = re.compile(r"too (long|large|many|big)|batch|maximum|at most|exceed|limit", re.IGNORECASE)

T = TypeVar("T")
R = TypeVar("R")


def packed(items: Sequence[T], most: int, size: Callable[[T], int], most_bytes: int) -> list[list[T]]:
    """The items in order, in as few requests as hold at most `most` items and `most_bytes` each, all about equally long.

    An item larger than `most_bytes` travels alone.
    """
    if not items:
        return []
    length = -(-len(items) // -(-len(items) // most))  # even: 40 items are 20 + 20, not 32 + 8
    batches: list[list[T]] = [[]]
    held = 0
    for item in items:
        weight = size(item)
        if batches[-1] and (len(batches[-1]) >= length or held + weight > most_bytes):
            batches.append([])
            held = 0
        batches[-1].append(item)
        held += weight
    return batches


def answers_to(
    endpoints: Endpoints,
    path: str,
    batches: Sequence[Sequence[T]],
    body: Callable[[Sequence[T]], Mapping[str, Any]],
    read: Callable[[Answer, int], Sequence[R]],
) -> Iterator[R]:
    """One result for each item of all batches, in order; `read` gets an answer and how many items it is for.

    A batch that a server refuses as too much is sent again as two halves. BackendError where a server refuses a single item.
    """
    answers = endpoints.ask_all(path, (body(batch) for batch in batches))
    for batch, answer in zip(batches, answers, strict=True):
        if isinstance(answer, Answer):
            yield from read(answer, len(batch))
        elif len(batch) > 1 and _is_too_much(answer):
            middle = len(batch) // 2
            yield from answers_to(endpoints, path, [batch[:middle], batch[middle:]], body, read)
        else:
            if _is_too_much(answer):
                answer.remedy = TOO_LONG
            raise answer


def _is_too_much(refused: Refused) -> bool:
    return refused.status == 413 or (refused.status in (400, 422) and bool(_TOO_MUCH.search(refused.message)))
