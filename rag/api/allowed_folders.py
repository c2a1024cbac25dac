"""The folders that may be browsed and indexed over HTTP: some roots and all below them.

Knows paths; knows no HTTP and no index. Links are resolved first, so that none leads out of a root.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.errors import WrongRequest

MOST_LISTED = 1_000  # folders in one listing
MOST_COUNTED = 10_000  # files of a folder


class AllowedFolders:
    """Roots given at start, with the folders that the server itself keeps files in."""

    def __init__(self, roots: Sequence[Path], own: Sequence[Path] = ()) -> None:
        """`roots` can be browsed; `own` are folders for uploads and the like, which need not exist yet and are not shown."""
        self.roots = tuple(dict.fromkeys(folder.resolve() for folder in roots))
        self.samples = samples_folder()
        self._own = (*(folder.resolve() for folder in own), *([self.samples] if self.samples else ()))

    def checked(self, given: str) -> Path:
        """The real folder that somebody named; `~` is the home. WrongRequest if it is none, or not allowed."""
        folder = _real(given)
        if not any(folder.is_relative_to(one) for one in (*self.roots, *self._own)):
            raise WrongRequest(
                f"{given} is outside of the folders that this server may show",
                remedy=f"it may show {', '.join(map(str, self.roots))}; for others: rag ui --browse FOLDER",
            )
        if not folder.is_dir():
            raise WrongRequest(f"{given} is not a folder", remedy="name a folder that exists on the machine of the server")
        return folder

    def listing(self, given: str) -> dict[str, Any]:
        """A folder as JSON: `path`, `parent` (None at a root), `folders` in it by name, hidden ones left out, and its `files`.

        WrongRequest as `checked`, and where it cannot be read. `files` counts up to `MOST_COUNTED`, without folders below;
        `more` is how many folders are left out of the list.
        """
        folder = self.checked(given) if given else self.roots[0]
        names: list[str] = []
        files = 0
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if _is_folder(entry):
                        names.append(entry.name)
                    elif files < MOST_COUNTED:
                        files += 1
        except OSError as error:
            raise WrongRequest(
                f"{folder} cannot be read: {error.strerror}", remedy="choose another folder, or allow this user to read it"
            ) from error
        names.sort(key=str.casefold)
        return {
            "path": str(folder),
            "parent": None if folder in self.roots else str(folder.parent),
            "folders": [{"name": name, "path": str(folder / name)} for name in names[:MOST_LISTED]],
            "more": max(0, len(names) - MOST_LISTED),
            "files": files,
        }


def samples_folder() -> Path | None:
    """The sample corpus, where this is a checkout."""
    folder = Path(__file__).resolve().parents[2] / "samples/corpus"
    return folder if folder.is_dir() else None


def _real(given: str) -> Path:
    """The absolute path without links. WrongRequest for what is no path."""
    try:
        return Path(os.path.expanduser(given)).resolve()  # noqa: PTH111 (`Path.expanduser` raises for an unknown user)
    except (OSError, ValueError, RuntimeError) as error:
        raise WrongRequest(f"{given!r} is not the path of a folder: {error}", remedy="name a folder that exists") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
