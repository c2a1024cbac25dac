"""What killed runs and compactions left in the folder of an index, and its removal by the next writer.

Knows the folder and the table `segments`; knows nothing of what is in the files.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from rag.corpus.file_types import CATALOG_FILE
from rag.errors import StorageFailed
from rag.index.files.layout import SEGMENTS


def remove_garbage(folder: Path, connection: apsw.Connection) -> None:
    """Removes a half-made catalog, and in `segments` every file that belongs to no live segment or was never finished.

    Files beside a live segment (`000012.coarse`) stay: they are derived from it. Hold the lock. StorageFailed.
    """
    live = {f"{number:06d}" for (number,) in connection.execute("SELECT number FROM segments WHERE ended IS NULL")}
    try:
        (folder / SEGMENTS).mkdir(exist_ok=True)
        left = [file for file in (folder / SEGMENTS).iterdir() if file.suffix == ".new" or file.name.split(".")[0] not in live]
        for file in sorted([*left, *folder.glob(f"{CATALOG_FILE}.new*"), *folder.glob("passages.*.new")]):
            file.unlink(missing_ok=True)  # a reader may just have finished it, under another name
    except OSError as error:
        raise StorageFailed(folder, f"what an interrupted run left cannot be removed: {error.strerror}") from error
