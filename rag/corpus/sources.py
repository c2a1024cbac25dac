"""What differs between a folder and objects in a store for those who read what an index holds: the one seam, chosen by the place.

Knows both; knows no format, no model and no index. How they are walked is `rag.corpus.walk`, how a run gets at them
`rag.indexing.fetch`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rag.corpus.digests import stamp_of
from rag.errors import BackendError, WrongRequest
from rag.location import Location, ObjectPath

if TYPE_CHECKING:
    from rag.corpus.objects.cache import LocalFile


def is_there(root: Location) -> bool:
    """Whether the folder of a root is there. A store is not asked: it is taken to be there."""
    return isinstance(root, ObjectPath) or root.is_dir()


def is_reached(root: Location) -> bool:
    """The same, and a store is asked: whether it can be listed and holds something there."""
    if isinstance(root, Path):
        return root.is_dir()
    from rag.corpus.objects.store import StoreFailed, holds_objects

    try:
        return holds_objects(root)
    except StoreFailed:
        return False


def require_something(place: Location) -> None:
    """WrongRequest where nothing is at that place; BackendError, MissingExtra where a store cannot be asked."""
    if isinstance(place, Path):
        if not place.exists():
            raise WrongRequest(f"no such folder: {place}", remedy="nothing was changed; to forget a folder: rag rm FOLDER")
        return
    from rag.corpus.objects.store import holds_objects, is_object

    if not holds_objects(place) and not is_object(place):
        remedy = f"nothing was changed; check the name; to forget what is known of it: rag rm {place}"
        raise WrongRequest(f"nothing lies at {place}", remedy=remedy)


def root_of(place: Location) -> Location:
    """What becomes the root where a person names this place: a single file or object makes what holds it the root."""
    if isinstance(place, Path):
        real = place.resolve()
        return real if real.is_dir() else real.parent
    from rag.corpus.objects.store import is_object

    return place.parent if len(place.parts) > 2 and is_object(place) else place


def real_place(place: Location) -> Location:
    """The place without links."""
    return place.resolve() if isinstance(place, Path) else place


def local_file(file: Location) -> LocalFile:
    """The file, or a copy of the object as it is now, which stays while it is open. OSError where it cannot be had."""
    from rag.corpus.objects.cache import LocalFile

    if isinstance(file, Path):
        return LocalFile(file)
    from rag.corpus.objects.copies import copy_of
    from rag.corpus.objects.store import ObjectGone

    try:
        return copy_of(file)
    except ObjectGone as error:
        raise FileNotFoundError(str(file)) from error
    except BackendError as error:
        raise OSError(error.what) from error


def stamp_now(file: Location) -> str:
    """The stamp of the file alone, as a walk would give it. OSError where it cannot be looked at."""
    if isinstance(file, Path):
        return stamp_of(os.stat(file))  # noqa: PTH116 - as the walk looks
    from rag.corpus.objects.copies import stamp_now
    from rag.corpus.objects.store import StoreFailed

    try:
        return stamp_now(file)
    except StoreFailed as error:
        raise OSError(error.what) from error
