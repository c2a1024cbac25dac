"""Says which indexes a server has, and of each what keeps it from being searched now.

Knows rooms and the terminal; knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rag.cli.terminal import harmless, say
from rag.errors import IndexFailure

if TYPE_CHECKING:
    from rag.index.room import Room


def say_indexes(rooms: Iterable[Room], remedy: str) -> None:
    """A line for each; `remedy` is for those that do not exist yet. A database that is down may be up at the first search."""
    for room in rooms:
        try:
            state = "" if room.exists() else f" does not exist yet; {remedy}"
        except IndexFailure as error:
            state = f" cannot be used now: {harmless(error.what)}; {error.remedy}"
        say(f"index {harmless(room.name)}: {harmless(str(room.place))}{state}")
