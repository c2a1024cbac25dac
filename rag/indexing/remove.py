"""Forgets documents, folders and roots: the files stay, the index knows them no more.

Knows paths and the writer; knows no model and no terminal.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.errors import WrongRequest
from rag.index.locations import existing_room
from rag.location import Location, ObjectPath, named_location

if TYPE_CHECKING:
    from rag.index.writing import IndexWriter


def remove_documents(path: str, index: str = "", *, say: Callable[[str], None] = lambda _: None) -> int:
    """Forgets a document, a folder or a whole root, by its path on disk or below a root. Returns how many documents went.

    What lies on disk at that path is meant first; only where the index holds nothing of it, what has that path below a root.
    The files stay. `say` is told where a run that fills models is waited for. WrongRequest where the index holds nothing of that
    name, or where several roots do.
    """
    room = existing_room(index)
    if not path.strip():
        raise WrongRequest("a path without a name was given", remedy="name a document, a folder or a root")
    asked = named_location(path)
    places = {asked} if isinstance(asked, ObjectPath) else _real_places(asked)
    below = posixpath.normpath(path).strip("/")
    with room.writing(say) as writer:
        roots = writer.roots()
        whole = [name for name, base in roots.items() if base in places]
        inside = {
            (name, PurePosixPath(*place.parts[len(base.parts) :]).as_posix())
            for name, base in roots.items()
            for place in places - {base}
            if base in place.parents
        }
        removed = sum(_forget(writer, name, "") for name in whole)
        for name in whole:
            writer.remove_root(name)
        if not whole:
            removed = sum(_forget(writer, name, under) for name, under in sorted(inside))
            if not removed and below:
                holders = [name for name in roots if any(writer.stamps(name, below))]
                if len(holders) > 1:
                    where = ", ".join(str(roots[name] / below) for name in holders)
                    raise WrongRequest(f"several roots hold {path}", remedy=f"name one of them: {where}")
                removed = sum(_forget(writer, name, below) for name in holders)
        writer.commit()
    if not removed and not whole:
        raise WrongRequest(
            f"{room.place} holds nothing called {path}", remedy="`rag status` lists its roots; paths are below a root"
        )
    return removed


def _real_places(asked: Path) -> set[Location]:
    """A link, and what it points at."""
    return {Path(os.path.realpath(asked)), Path(os.path.realpath(asked.parent)) / asked.name}


def _forget(writer: IndexWriter, root: str, under: str) -> int:
    return sum([writer.remove(root, path) for path, _ in writer.stamps(root, under)])
