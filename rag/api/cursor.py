"""Where the next page of results begins, as a word for the client to send back.

Knows places in a list and the commits it was made of; knows no results.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from rag.errors import WrongRequest

_FORM = re.compile(r"([0-9]{1,5})-([0-9a-f]{8})", re.ASCII)
CHANGED = "the index was changed since the first page: a result may be missing or shown twice"


class Cursor(NamedTuple):
    """A place in a list of results."""

    offset: int  # results before it
    commits: str  # a checksum of the commits that gave the list


def commits_of(generations: Mapping[str, int]) -> str:
    """The checksum of the commits of all indexes that answered: 8 hexadecimal digits."""
    named = "\0".join(f"{name}\0{generation}" for name, generation in sorted(generations.items()))
    return f"{zlib.crc32(named.encode('utf-8', 'surrogatepass')):08x}"


def written(cursor: Cursor) -> str:
    """The cursor as a word."""
    return f"{cursor.offset}-{cursor.commits}"


def read(word: str) -> Cursor:
    """The reverse. WrongRequest for any other word."""
    found = _FORM.fullmatch(word)
    if found is None:
        raise WrongRequest("the cursor is none that this server gave", remedy="send `next` of the answer before, or none")
    return Cursor(int(found[1]), found[2])
