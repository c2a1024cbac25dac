"""Inputs of models from options and JSON lines, a few at a time. Knows JSON and files by name; knows no model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from rag.errors import WrongRequest

if TYPE_CHECKING:
    from rag.types import Content

KEYS = ("text", "image", "video")
HELD_BYTES = 128_000_000  # of decoded pixels at once
AS_LINE = 'write {"text": "words", "image": "file", "video": "file"}, each key optional'


def content_of(given: Mapping[str, object], place: str = "") -> Content:
    """One input. WrongRequest, with the place it stood at, where it has unknown keys or names an unreadable file."""
    from rag.pictures import model_input

    before = f"{place}: " if place else ""
    for key, value in given.items():
        if key not in KEYS:
            raise WrongRequest(f"{before}{key} is no input", remedy=AS_LINE)
        if not isinstance(value, str | None):
            raise WrongRequest(f"{before}{key} is no string", remedy=AS_LINE)
    text, image, video = (str(given.get(key) or "") for key in KEYS)
    try:
        return model_input(text, image, video)
    except WrongRequest as error:
        raise WrongRequest(f"{before}{error.what}", error.remedy) from error


def lines_of(lines: Iterable[str]) -> Iterator[Content]:
    """The input of each JSON line, as it is read. WrongRequest names the line that is none."""
    for number, line in enumerate(lines, start=1):
        said = line.strip().removeprefix("\ufeff")
        if not said:
            continue
        place = f"stdin, line {number}"
        try:
            value = json.loads(said)
        except (ValueError, RecursionError) as error:
            raise WrongRequest(f"{place}: not JSON: {error}", remedy='write {"text": "words"} a line') from error
        if not isinstance(value, dict):
            raise WrongRequest(f"{place}: not an object", remedy='write {"text": "words"} a line')
        yield content_of(value, place)


def begun(contents: Iterable[Content]) -> Iterator[Content]:
    """The contents, of which the first is read already, so that nothing is loaded for none. WrongRequest where there is none."""
    rest = iter(contents)
    first = next(rest, None)
    if first is None:
        raise WrongRequest("nothing was given", remedy="give --text, --image or --video, or JSON lines on stdin")
    return chain([first], rest)


def few_of(contents: Iterable[Content], most: int) -> Iterator[list[Content]]:
    """The contents in order, at most so many at once, and fewer where their pixels take more than HELD_BYTES."""
    few: list[Content] = []
    held = 0
    for content in contents:
        few.append(content)
        held += sum(pixels.nbytes for pixels in content.pixels)
        if len(few) >= most or held >= HELD_BYTES:
            yield few
            few, held = [], 0
    if few:
        yield few
