"""Finds an index by its name, path or address, and brings what it finds up to date.

Knows settings and folders; knows neither the read path nor the write path, no terminal and no HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config import load_settings
from rag.corpus.file_types import CATALOG_FILE
from rag.errors import IndexNotFound, WrongRequest
from rag.index.files.layout import is_index

if TYPE_CHECKING:
    from rag.index.room import Place, Room

FOLDER = "indexes"
ADDRESS = "://"  # in what is no folder: milvus://HOST:19530/NAME


def expand_home(path: str | os.PathLike[str]) -> Path:
    """The path with `~` and `~name` expanded; a user name that has no home on this machine is left as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (Path.expanduser fails where the home is unknown)


def index_folder(named: str | Path) -> Path:
    """The index folder for a name, a path, or the empty string.

    A path (a `Path`, or words with a separator, or that name an existing index folder) is used as it is. A name is looked up in
    the `indexes` folders from the current folder upward; where none has it, it means ./indexes/NAME. The empty string means the
    name `default`. WrongRequest for the address of a database: what asks for a folder works with files.
    """
    if is_address(named):
        raise WrongRequest(
            f"{named} is not a folder, and this works with index folders only",
            remedy="with Milvus work: rag index, query, ask, eval, status, show, rm, check, compact, doctor, ui and mcp",
        )
    if named and (isinstance(named, Path) or os.sep in named or is_index(Path(named))):
        return finish_rebuild(expand_home(named).absolute())
    here = Path.cwd()
    name = named or "default"
    above = (finish_rebuild(folder / FOLDER / name) for folder in (here, *here.parents))
    return next((folder for folder in above if folder.is_dir()), here / FOLDER / name)


def is_address(named: str | Path) -> bool:
    """Whether an index is named by the address of a database, not by a folder."""
    return isinstance(named, str) and ADDRESS in named


def index_room(named: str | Path) -> Room:
    """The index for an address, a name, a path, or the empty string; it need not exist. WrongRequest for an unusable address."""
    from rag.index import INDEXES
    from rag.plugins import resolve

    if is_address(named):
        room: Room = resolve(INDEXES, "milvus", "place of an index")(str(named))
        return room
    room = resolve(INDEXES, "folder", "place of an index")(index_folder(named))
    return room


def existing_room(index: str | Path = "") -> Room:
    """An existing index, in the current format. IndexNotFound lists the folders that exist; IndexTooOld."""
    named = index or load_settings({}).index
    if is_address(named):
        room = index_room(named)
        if not room.exists():
            raise IndexNotFound(room.place)
        return room.up_to_date()
    return index_room(existing_index(named))


def places_of_rebuild(folder: Path) -> tuple[Path, Path]:
    """The temporary folders of a rebuild: where the new index is built, and where the old one is moved before it is replaced."""
    return folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")


def finish_rebuild(folder: Path) -> Path:
    """Completes a rebuild that was killed after the old index was moved away and before the new one took its place.

    Returns the folder.
    """
    fresh, old = places_of_rebuild(folder)
    if not folder.exists() and old.is_dir():
        try:
            (fresh if fresh.is_dir() else old).rename(folder)
        except OSError:  # read-only, or another process did it first
            return folder
    return folder


def known_indexes() -> list[str]:
    """The names of all indexes in `indexes` folders from the current folder upward, sorted."""
    here = Path.cwd()
    files = (file for folder in (here, *here.parents) for file in (folder / FOLDER).glob(f"*/{CATALOG_FILE}"))
    return sorted({file.parent.name for file in files})


def existing_index(index: str | Path = "") -> Path:
    """The folder of an existing index, in the current format. IndexNotFound lists the indexes that exist; IndexTooOld."""
    named = index or load_settings({}).index
    folder = index_folder(named)
    if not is_index(folder):
        error = IndexNotFound(folder)
        others = known_indexes()
        if others:
            error.remedy += f"; there are: {', '.join(others)}"
        raise error
    return up_to_date(folder)


def distinct_rooms(rooms: Iterable[Room]) -> list[Room]:
    """Each index once. WrongRequest where two have one name, which is what a hit says of its index."""
    found: dict[str, Room] = {}
    for room in rooms:
        other = found.setdefault(room.name, room)
        if identity(other.place) != identity(room.place):
            what = f"two indexes are called {room.name}: {other.place} and {room.place}"
            raise WrongRequest(what, remedy="name one of them, or rename a folder")
    return list(found.values())


def identity(place: Place) -> str:
    """The place of an index as every process of this machine writes it."""
    return os.path.realpath(place) if isinstance(place, Path) else place


def up_to_date(folder: Path) -> Path:
    """Converts an index of an older format to the current one; returns the folder. IndexTooOld where it is read-only."""
    from rag.index.catalog.connection import format_on_disk
    from rag.index.catalog.schema import FORMAT

    if format_on_disk(folder) < FORMAT:
        from rag.index.upkeep.migration import bring_up_to_date

        bring_up_to_date(folder)
    return folder


def warm_up(folder: Path, tell: Callable[[str], None] = lambda _: None) -> tuple[str, ...]:
    """Builds the derived files that make searches fast; returns a remark for each file built. Calls `tell` before a long step."""
    return index_room(folder).warm_up(load_settings({}), tell)


def is_lite(room: Room) -> bool:
    """Whether the index was made with the built-in model."""
    return room.fingerprint().model == "lite"
