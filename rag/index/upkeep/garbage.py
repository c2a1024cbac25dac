"""Removes the files that killed runs and compactions left in an index folder.

Knows the folder and the table `segments`; knows nothing of the files' content.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from rag.corpus.file_types import CATALOG_FILE
from rag.errors import StorageFailed
from rag.index.files.layout import SEGMENTS


def remove_garbage(folder: Path, connection: apsw.Connection) -> None:
    """Removes unfinished files, and every file in `segments` that belongs to no live segment. Hold the lock. StorageFailed.

    Files beside a live segment (`000012.coarse`) stay: they are derived from it.
    """
    live = {f"{number:06d}" for (number,) in connection.execute("SELECT number FROM segments WHERE ended IS NULL")}
    try:
        (folder / SEGMENTS).mkdir(exist_ok=True)
        left = [file for file in (folder / SEGMENTS).iterdir() if file.suffix == ".new" or file.name.split(".")[0] not in live]
        spaces = {str(number) for (number,) in connection.execute("SELECT number FROM spaces WHERE ended IS NULL")}
        left += [file for file in folder.glob("passages.members*") if file.name.removeprefix("passages.members") not in spaces]
        for file in sorted([*left, *folder.glob(f"{CATALOG_FILE}.new*"), *folder.glob("passages.*.new")]):
            file.unlink(missing_ok=True)  # a reader may have renamed it meanwhile
    except OSError as error:
        raise StorageFailed(folder, f"leftovers of an interrupted run cannot be removed: {error.strerror}") from error
