"""`rag ask --chat`: a conversation on a terminal or from a pipe, kept under a name. Knows printing and reading lines only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag.cli.terminal import say

if TYPE_CHECKING:
    from rag.search.federated import FederatedSearcher
    from rag.search.options import SearchOptions
    from rag.search.searcher import Searcher

PROMPT = "› "


def chat(searcher: Searcher | FederatedSearcher, first: str, options: SearchOptions, *, session: str, strict: bool) -> bool:
    """Answers `first`, if it is not empty, and then each line of stdin, until it ends. Whether anything was answered.

    The conversation goes on where `session` ended, and is kept after each answer. Errors as `Searcher.ask`.
    """
    from rag.answers.sessions import load_session, save_session
    from rag.cli.ask_formats import show_answers
    from rag.humanize import counted

    name = session or f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}"
    turns = load_session(name)
    if turns:
        say(f"session {name}: {counted(len(turns), 'earlier question')}")
    enough = False
    for question in _questions(first):
        answering = searcher.ask(question, options, strict=strict, history=turns)
        enough = show_answers([(question, answering)], "text", many=False) or enough
        turns.append((question, answering.whole().text))
        save_session(name, turns)
    if turns:
        say(f"go on with: rag ask --chat --session {name}")
    return enough


def _questions(first: str) -> Iterator[str]:
    if first:
        yield first
    while True:
        if sys.stdin.isatty():
            print(PROMPT, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()
