"""Model inputs from options and JSON lines, answered in batches; one that is refused has its reason.

Knows JSON and files by name; knows no model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from rag.cli.terminal import say
from rag.errors import ContentRefused, WrongRequest
from rag.humanize import counted

if TYPE_CHECKING:
    from rag.types import Content, Modality

T = TypeVar("T")
KEYS = ("text", "image", "video")
BATCH_BYTES = 128_000_000  # of decoded pixels, about
LINE_FORMAT = 'write {"text": "words", "image": "file", "video": "file"}, each key optional'


@dataclass(frozen=True, slots=True)
class Line:
    """The input on a line of stdin."""

    number: int  # from 1
    content: Content


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an input has no answer."""

    number: int  # from 1
    reason: str


def content_of(given: Mapping[str, object]) -> Content:
    """One model input of the keys `text`, `image` and `video`. WrongRequest for another key or an unreadable file."""
    from rag.decoding.ask_pool import shared_pool
    from rag.search.query_media import model_input

    for key, value in given.items():
        if key not in KEYS:
            raise WrongRequest(f"unknown key {key!r}", remedy=LINE_FORMAT)
        if not isinstance(value, str | None):
            raise WrongRequest(f"{key} is not a string", remedy=LINE_FORMAT)
    text, image, video = (str(given.get(key) or "") for key in KEYS)
    if "\0" in image + video:
        raise WrongRequest("a file name contains a zero byte", remedy=LINE_FORMAT)
    try:
        return model_input(text, image, video, shared_pool())
    except OSError as error:  # of a path without permission, or too long
        raise WrongRequest(f"{str(error.filename)[:200]}: {error.strerror}", remedy="name another file") from error


def read_lines(lines: Iterable[str]) -> Iterator[Line | Refusal]:
    """The input of each JSON line, or why it is refused, as the lines are read. Blank lines are skipped."""
    for number, line in enumerate(lines, start=1):
        stripped = line.strip().removeprefix("\ufeff")
        if stripped:
            try:
                yield Line(number, content_of(_parse_object(stripped)))
            except WrongRequest as error:
                yield Refusal(number, error.what)


def _parse_object(line: str) -> Mapping[str, object]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise WrongRequest(f"not valid JSON: {error.msg} at column {error.colno}", remedy=LINE_FORMAT) from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, deeply nested lists
        raise WrongRequest(f"not valid JSON: {error}", remedy=LINE_FORMAT) from error
    if not isinstance(value, dict):
        raise WrongRequest("not a JSON object", remedy=LINE_FORMAT)
    return value


def require_input(inputs: Iterable[T]) -> Iterator[T]:
    """The inputs, of which the first is read at once, so that no model is loaded for none. WrongRequest if there is none."""
    rest = iter(inputs)
    first = next(rest, None)
    if first is None:
        raise WrongRequest("there is no input", remedy="give --text, --image or --video, or JSON lines on stdin")
    return chain([first], rest)


def batches_of(lines: Iterable[Line | Refusal], size: int) -> Iterator[list[Line | Refusal]]:
    """The lines in order, in batches of `size`; a batch ends sooner when its decoded pixels reach BATCH_BYTES."""
    batch: list[Line | Refusal] = []
    held = 0
    for line in lines:
        batch.append(line)
        held += sum(pixels.nbytes for pixels in line.content.pixels) if isinstance(line, Line) else 0
        if len(batch) >= size or held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def answer(
    batch: Sequence[Line | Refusal], model: Callable[[list[Content]], Sequence[T]], modalities: frozenset[Modality]
) -> list[T | Refusal]:
    """The answer to each line of a batch, in order, from `model`, which accepts inputs of these modalities.

    A line that is not an input, or that the model does not accept, is answered by a Refusal; any other failure is raised.
    """
    accepted = [one for one in batch if isinstance(one, Line) and one.content.modality in modalities]
    reasons: dict[int, str] = {}
    try:
        answers = model([one.content for one in accepted]) if accepted else []
    except ContentRefused as refused:
        answers, reasons = refused.others, {accepted[at].number: reason for at, reason in refused.reasons.items()}
    answered = dict(zip((one.number for one in accepted if one.number not in reasons), answers, strict=True))

    def result(one: Line | Refusal) -> T | Refusal:
        if isinstance(one, Refusal):
            return one
        if one.number in answered:
            return answered[one.number]
        return Refusal(one.number, reasons.get(one.number, f"the model does not accept {one.content.modality} input"))

    return [result(one) for one in batch]


def report_refusals(answers: Iterable[T | Refusal], place: str, refused: list[Refusal]) -> Iterator[T | Refusal]:
    """Passes the answers on; prints each refusal on stderr, collects it in `refused`, and prints their number at the end."""
    count = 0
    for count, one in enumerate(answers, start=1):  # noqa: B007 (used after the loop)
        if isinstance(one, Refusal):
            refused.append(one)
            say(f"{place} {one.number}: {one.reason}")
        yield one
    if refused:
        have = "has" if len(refused) == 1 else "have"
        say(f"{len(refused)} of {counted(count, 'input')} {have} no answer")
