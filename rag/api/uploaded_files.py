"""Keeps uploaded files in a folder beside their index, which becomes one of its roots.

Knows names and a disk; knows no HTTP and no format. Nothing is overwritten: another file of the same name gets a number.
"""

from __future__ import annotations

import errno
import filecmp
import os
import secrets
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from rag.errors import StorageFailed, TooLarge, WrongRequest

MOST_PARTS = 32  # folders of a name, and the file
MOST_NAME_BYTES = 255  # of each part
LONGEST_PATH = 4_096  # characters
FREE_BYTES = 500_000_000  # of the disk that uploads leave for the index


def checked_name(name: str) -> PurePosixPath:
    """The path of an uploaded file below its folder. WrongRequest for one that leads elsewhere or is hidden."""
    parts = name.split("/")
    if len(name) > LONGEST_PATH or len(parts) > MOST_PARTS:
        raise WrongRequest(
            f"the name of the file is too long: {name[:60]}…", remedy="shorten it, or upload fewer folders at once"
        )
    for part in parts:
        if not part or part.startswith(".") or "\\" in part or any(ord(sign) < 32 or ord(sign) == 127 for sign in part):
            raise WrongRequest(
                f"{name!r} is not the name of a file that is kept: hidden names and control characters are not",
                remedy="give it another name",
            )
        if len(os.fsencode(part)) > MOST_NAME_BYTES:
            raise WrongRequest(f"{part[:60]}… is too long for the name of a file", remedy="shorten it")
    return PurePosixPath(*parts)


class Upload:
    """One file on its way to disk: a draft until `keep`, removed if that does not come. For a `with`."""

    def __init__(self, folder: Path, name: str, most: int) -> None:
        """`most` bytes are taken. WrongRequest for a bad name, StorageFailed where the disk refuses."""
        self._folder, self._name, self._most = folder, checked_name(name), most
        self._size = 0
        self._draft = folder / f".upload-{secrets.token_hex(8)}"
        self._stream: IO[bytes] | None = None

    def __enter__(self) -> Upload:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._stream = self._draft.open("xb")
        except OSError as error:
            raise StorageFailed(self._folder, error.strerror or str(error)) from error
        return self

    def write(self, piece: bytes) -> None:
        """Adds a piece. TooLarge, StorageFailed."""
        assert self._stream is not None
        self._size += len(piece)
        if self._size > self._most:
            what = f"{self._name} is larger than {self._most / 1e6:,.0f} MB"
            raise TooLarge(what, remedy="leave it out, or start the server with a larger max_file_bytes")
        try:
            place = os.fstatvfs(self._stream.fileno())
            if place.f_bavail * place.f_frsize < FREE_BYTES + len(piece):
                raise StorageFailed(self._folder, f"less than {FREE_BYTES / 1e6:,.0f} MB would be left on the disk")
            self._stream.write(piece)
        except OSError as error:
            raise StorageFailed(self._folder, error.strerror or str(error)) from error

    def keep(self) -> Path:
        """Gives the whole file its name and returns its path: the known one if the same file is there. StorageFailed."""
        assert self._stream is not None
        try:
            self._stream.close()
            target = self._folder / self._name
            target.parent.mkdir(parents=True, exist_ok=True)
            for number in range(1, 10_000):
                place = target if number == 1 else target.with_name(f"{target.stem} ({number}){target.suffix}")
                try:
                    _name(self._draft, place)
                except FileExistsError:
                    if not place.is_file() or not filecmp.cmp(self._draft, place, shallow=False):
                        continue
                return place
        except OSError as error:
            raise StorageFailed(self._folder, error.strerror or str(error)) from error
        raise StorageFailed(self._folder, f"there are 10,000 files called {self._name}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is not None:
            self._stream.close()
        self._draft.unlink(missing_ok=True)


def _name(draft: Path, place: Path) -> None:
    """Gives the draft that name, without ever taking the place of another file as a rename would. FileExistsError, OSError."""
    try:
        os.link(draft, place)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        with place.open("xb"):  # a disk without hard links: the name is taken first
            pass
        draft.replace(place)
