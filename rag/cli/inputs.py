"""Inputs of models from options and JSON lines. Knows JSON and files by name; knows no model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rag.errors import WrongRequest

if TYPE_CHECKING:
    from rag.types import Content

KEYS = ("text", "image", "video")


def content_of(given: Mapping[str, object], place: str) -> Content:
    """One input. WrongRequest, with the place it stood at, where it is empty, has unknown keys or names an unreadable file."""
    from rag.pictures import model_input

    strange = [key for key, value in given.items() if key not in KEYS or not isinstance(value, str)]
    if strange:
        raise WrongRequest(
            f"{place}: {strange[0]} is no input", remedy='write {"text": "words", "image": "file", "video": "file"}'
        )
    text, image, video = (str(given.get(key, "")) for key in KEYS)
    return model_input(text, image, video)


def lines_of(lines: Iterable[str]) -> list[Content]:
    """The input of each JSON line. WrongRequest names the line that is none."""
    contents = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise WrongRequest(f"stdin, line {number}: not JSON: {error}", remedy='write {"text": "words"} a line') from error
        if not isinstance(value, dict):
            raise WrongRequest(f"stdin, line {number}: not an object", remedy='write {"text": "words"} a line')
        contents.append(content_of(value, f"stdin, line {number}"))
    if not contents:
        raise WrongRequest("nothing was given", remedy="give --text, --image or --video, or JSON lines on stdin")
    return contents
