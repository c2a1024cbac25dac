"""Inputs of models from options and JSON lines, a few at a time, and what became of each.

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
HELD_BYTES = 128_000_000  # of decoded pixels at once
AS_LINE = 'write {"text": "words", "image": "file", "video": "file"}, each key optional'


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of stdin asks for."""

    number: int  # from 1
    content: Content


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line of stdin has no answer."""

    number: int  # from 1
    reason: str


def content_of(given: Mapping[str, object]) -> Content:
    """One input. WrongRequest where it has unknown keys or names an unreadable file."""
    from rag.decoding.ask_pool import shared_pool
    from rag.search.query_media import model_input

    for key, value in given.items():
        if key not in KEYS:
            raise WrongRequest(f"{key} is no input", remedy=AS_LINE)
        if not isinstance(value, str | None):
            raise WrongRequest(f"{key} is no string", remedy=AS_LINE)
    text, image, video = (str(given.get(key) or "") for key in KEYS)
    if "\0" in image + video:
        raise WrongRequest("no file has a zero byte in its name", remedy=AS_LINE)
    try:
        return model_input(text, image, video, shared_pool())
    except OSError as error:  # a name that may not even be looked at
        raise WrongRequest(f"{str(error.filename)[:200]}: {error.strerror}", remedy="name another file") from error


def lines_of(lines: Iterable[str]) -> Iterator[Line | Refusal]:
    """The input of each JSON line, or why it is none, as it is read. Blank lines ask for nothing."""
    for number, line in enumerate(lines, start=1):
        said = line.strip().removeprefix("\ufeff")
        if said:
            try:
                yield Line(number, content_of(_object_of(said)))
            except WrongRequest as error:
                yield Refusal(number, error.what)


def _object_of(line: str) -> Mapping[str, object]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise WrongRequest(f"not JSON: {error.msg} at column {error.colno}", remedy=AS_LINE) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
        raise WrongRequest(f"not JSON: {error}", remedy=AS_LINE) from error
    if not isinstance(value, dict):
        raise WrongRequest("not an object", remedy=AS_LINE)
    return value


def begun(asked: Iterable[T]) -> Iterator[T]:
    """What was asked, of which the first is read already, so that nothing is loaded for none. WrongRequest for nothing."""
    rest = iter(asked)
    first = next(rest, None)
    if first is None:
        raise WrongRequest("nothing was given", remedy="give --text, --image or --video, or JSON lines on stdin")
    return chain([first], rest)


def few_of(lines: Iterable[Line | Refusal], most: int) -> Iterator[list[Line | Refusal]]:
    """The lines in order, at most so many at once, and fewer where their pixels take more than HELD_BYTES."""
    few: list[Line | Refusal] = []
    held = 0
    for line in lines:
        few.append(line)
        held += sum(pixels.nbytes for pixels in line.content.pixels) if isinstance(line, Line) else 0
        if len(few) >= most or held >= HELD_BYTES:
            yield few
            few, held = [], 0
    if few:
        yield few


def answers_of(
    few: Sequence[Line | Refusal], ask: Callable[[list[Content]], Sequence[T]], seen: frozenset[Modality]
) -> list[T | Refusal]:
    """What a model answers to each line, in their order: `ask` asks it, and it takes in what is `seen`.

    A refusal stands for a line that is no input, that the model cannot see, or that it refuses; any other failure is raised.
    """
    taken = [one for one in few if isinstance(one, Line) and one.content.modality in seen]
    reasons: dict[int, str] = {}
    try:
        answers = ask([one.content for one in taken]) if taken else []
    except ContentRefused as refused:
        answers, reasons = refused.others, {taken[at].number: reason for at, reason in refused.reasons.items()}
    made = dict(zip((one.number for one in taken if one.number not in reasons), answers, strict=True))

    def answer(one: Line | Refusal) -> T | Refusal:
        if isinstance(one, Refusal):
            return one
        if one.number in made:
            return made[one.number]
        return Refusal(one.number, reasons.get(one.number, f"the model takes no {one.content.modality}"))

    return [answer(one) for one in few]


def telling(answers: Iterable[T | Refusal], place: str, refused: list[Refusal]) -> Iterator[T | Refusal]:
    """The answers as they come; says on stderr what has none, and at the end how many, and keeps those in `refused`."""
    count = 0
    for count, one in enumerate(answers, start=1):  # noqa: B007 (used after the loop)
        if isinstance(one, Refusal):
            refused.append(one)
            say(f"{place} {one.number}: {one.reason}")
        yield one
    if refused:
        have = "has" if len(refused) == 1 else "have"
        say(f"{len(refused)} of {counted(count, 'input')} {have} no answer")
