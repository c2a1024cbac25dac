"""Files that killed their reader twice, by what is in them: they are not tried again until they change.

Knows the file `quarantine.json` of an index; knows no process. A rebuild, or a newer version of the loader, tries them again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from rag.errors import StorageFailed

FILE = "quarantine.json"


def read_quarantine(folder: Path) -> dict[str, str]:
    """The reasons, by `name_of` a document. A file that cannot be read quarantines nothing: it is only there to spare time."""
    try:
        kept = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(name): str(reason) for name, reason in kept.items()} if isinstance(kept, dict) else {}


def write_quarantine(folder: Path, reasons: dict[str, str]) -> None:
    """Keeps the reasons. StorageFailed where the folder cannot be written."""
    temporary = folder / f"{FILE}.new"
    try:
        with temporary.open("w", encoding="utf-8") as out:
            json.dump(reasons, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        temporary.rename(folder / FILE)
    except OSError as error:
        raise StorageFailed(folder, error.strerror or str(error)) from error


def name_of(digest: bytes, reading: str) -> str:
    """One name for the same bytes read the same way."""
    return f"{digest.hex()}:{reading}"
