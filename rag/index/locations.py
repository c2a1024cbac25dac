"""Which index folder is meant, how it reads its corpus, and which models the settings name.

Knows settings and folders; knows neither path, no terminal and no HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config import load_settings
from rag.corpus.file_types import CATALOG_FILE
from rag.errors import IndexDamaged, IndexNotFound, WrongRequest
from rag.index.files.layout import is_index

if TYPE_CHECKING:
    pass

FOLDER = "indexes"


def expand_home(path: str | os.PathLike[str]) -> Path:
    """The path, with `~` and `~name` as the home they mean; a name that has no home here stands for itself."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (that of Path fails where the home is not known)


def index_folder(named: str) -> Path:
    """The folder that a name, a path or nothing means.

    A path (with a separator, or an existing index folder) is taken as it is; a name lies in the nearest `indexes` folder
    from here upward, else in ./indexes; nothing means the name `default`.
    """
    if named and (os.sep in named or is_index(Path(named))):
        return finish_rebuild(expand_home(named).absolute())
    here = Path.cwd()
    name = named or "default"
    above = (finish_rebuild(folder / FOLDER / name) for folder in (here, *here.parents))
    return next((folder for folder in above if folder.is_dir()), here / FOLDER / name)


def places_of_rebuild(folder: Path) -> tuple[Path, Path]:
    """Where a rebuild makes the new index, and where it puts the old one before the new one takes its place."""
    return folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")


def finish_rebuild(folder: Path) -> Path:
    """Ends a rebuild that was killed after the old index had gone and before the new one had come; gives the folder."""
    fresh, old = places_of_rebuild(folder)
    if not folder.exists() and old.is_dir():
        try:
            (fresh if fresh.is_dir() else old).rename(folder)
        except OSError:  # read-only, or another process was faster
            return folder
    return folder


def known_indexes() -> list[str]:
    """The names in the nearest `indexes` folders from here upward."""
    here = Path.cwd()
    files = (file for folder in (here, *here.parents) for file in (folder / FOLDER).glob(f"*/{CATALOG_FILE}"))
    return sorted({file.parent.name for file in files})


def existing_index(index: str = "") -> Path:
    """The folder of an index that is there. IndexNotFound names the indexes there are."""
    named = index or load_settings({}).index
    folder = index_folder(named)
    if not is_index(folder):
        error = IndexNotFound(folder)
        others = known_indexes()
        if others:
            error.remedy += f"; there are: {', '.join(others)}"
        raise error
    return up_to_date(folder)


def by_name(folders: Iterable[Path]) -> dict[str, Path]:
    """Each folder once, by its name, which is what a hit says of its index. WrongRequest where two have one name."""
    found: dict[str, Path] = {}
    for folder in {folder.resolve(): folder for folder in folders}.values():
        if found.setdefault(folder.name, folder) != folder:
            what = f"two indexes are called {folder.name}: {found[folder.name]} and {folder}"
            raise WrongRequest(what, remedy="name one of them, or rename a folder")
    return found


def up_to_date(folder: Path) -> Path:
    """The folder, after its index was brought to the format of this version. IndexTooOld where it may not be written."""
    from rag.index.catalog.connection import format_on_disk
    from rag.index.catalog.schema import FORMAT

    if format_on_disk(folder) < FORMAT:
        from rag.index.upkeep.migration import bring_up_to_date

        bring_up_to_date(folder)
    return folder


def warm_up(folder: Path, tell: Callable[[str], None] = lambda _: None) -> tuple[str, ...]:
    """Makes what makes searches of an index fast; says what was made, and tells before what takes long."""
    from rag.index.reader.open_index import open_index

    try:
        with open_index(folder, load_settings({}).search) as opened:
            if opened.scanned:
                opened.ready()
            opened.keep_words(tell)
            return opened.remarks()
    except IndexDamaged as error:
        return (f"{error.what}; {error.remedy}",)


def is_lite(folder: Path) -> bool:
    """Whether the index was made by the built-in model."""
    from rag.index.catalog.index_folder import fingerprint_of

    return fingerprint_of(folder).model == "lite"
