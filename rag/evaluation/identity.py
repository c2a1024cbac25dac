"""Which document of a judged set a file of an index is, where judgements name documents by ids and not by paths.

Knows paths and ids; knows no index and no format.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import unquote


def identity_of(ids: Collection[str]) -> Callable[[str], str]:
    """Gives the id of a path: the path, the path without its suffix, the name, the name without its suffix, each also unquoted.

    The first of them that is one of `ids` counts; a path that is none of them keeps its own name.
    """

    def identity(path: str) -> str:
        name = path.rpartition("/")[2]
        forms = (path, _stem(path), name, _stem(name))
        return next((form for one in forms for form in (one, unquote(one)) if form in ids), path)

    return identity


def _stem(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    dot = name.rfind(".")
    return f"{folder}{slash}{name[:dot]}" if dot > 0 else path
