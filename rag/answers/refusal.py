"""The answer that the files do not tell: how it is recognised, and how it is said.

Knows the words that the prompt asks for; knows no source and no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rag.answers.prompt import NOT_TOLD

THE_FILES_DO_NOT_TELL = "The files do not tell."
_WORDS = r"[\s_]+".join(NOT_TOLD.split())
_OPENING = re.compile(
    rf"[\s*_\"'#>`\[(]*{_WORDS}(?:[*_\"'`\])]*(?:[.:!,;–—-]|\n|$)[\s*_\"'`\])–—-]*|\s+[–—-]+\s*)", re.IGNORECASE
)
_LONGEST = len(NOT_TOLD) + 24  # characters of the opening, with what models put around it


def refused(answer: str) -> str | None:
    """What a refusal says after its opening words; None if the answer is no refusal."""
    opening = _OPENING.match(answer)
    return None if opening is None else answer[opening.end() :].strip()


def opened(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of an answer, a refusal in plain words: its opening is held back until it is known to be one or not."""
    held, known = "", False
    for piece in pieces:
        if known:
            yield piece
            continue
        held += piece
        if len(held.strip()) >= _LONGEST or not _may_open(held):
            known = True
            yield _plain(held)
    if not known and held:
        yield _plain(held)


def _plain(text: str) -> str:
    rest = refused(text)
    return text if rest is None else f"{THE_FILES_DO_NOT_TELL} {rest}".rstrip()


def _may_open(text: str) -> bool:
    """Whether the text so far can become the opening of a refusal."""
    letters = re.sub(r"[\W_]+", "", text).upper()
    wanted = NOT_TOLD.replace(" ", "")
    return wanted.startswith(letters) or letters.startswith(wanted)
