"""An index that is a folder: the file formats of this project on a local disk.

Knows how the rooms of the folder are opened; knows no settings and no model.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import IndexDamaged, IndexFailure, IndexNotFound
from rag.index.files.layout import is_index
from rag.index.locations import finish_rebuild, places_of_rebuild, up_to_date
from rag.index.room import Rebuild

if TYPE_CHECKING:
    from rag.config import Settings
    from rag.index.catalog.spaces import Space
    from rag.index.catalog.survey import FolderSurvey
    from rag.index.reader.open_index import OpenIndex
    from rag.index.writer.stepping_writer import SteppingWriter
    from rag.index.writer.writer import Writer
    from rag.types import Fingerprint


class FolderRoom:
    """The index in a folder; every method is as `Room` has it."""

    def __init__(self, folder: Path) -> None:
        self.place = folder

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.place.absolute().name

    @property
    def uploads(self) -> Path:
        """The folder beside it."""
        return self.place.parent / f"{self.place.name}-uploads"

    @property
    def derived(self) -> Path:
        """The index folder itself."""
        return self.place

    def exists(self) -> bool:
        """Whether the folder holds an index."""
        return is_index(self.place)

    def up_to_date(self) -> FolderRoom:
        """Completes a rebuild, and converts an index of an older format. IndexNotFound; IndexTooOld where it is read-only."""
        if not is_index(finish_rebuild(self.place)):
            raise IndexNotFound(self.place)
        up_to_date(self.place)
        return self

    def fingerprint(self) -> Fingerprint:
        """As `fingerprint_of`."""
        from rag.index.catalog.index_folder import fingerprint_of

        return fingerprint_of(self.place)

    def settings(self) -> dict[str, str]:
        """As `settings_of`."""
        from rag.index.catalog.index_folder import settings_of

        return settings_of(self.place)

    def spaces(self) -> tuple[Space, ...]:
        """As `spaces_of`."""
        from rag.index.catalog.index_folder import spaces_of

        return spaces_of(self.place)

    def surveyed(self) -> AbstractContextManager[FolderSurvey]:
        """As `rag.index.catalog.survey.surveyed`."""
        from rag.index.catalog.survey import surveyed

        return surveyed(self.place)

    def create(self, fingerprint: Fingerprint, settings: Mapping[str, str]) -> None:
        """As `rag.index.catalog.index_folder.create`."""
        from rag.index.catalog.index_folder import create

        create(self.place, fingerprint, settings)

    def open(self, structure: str) -> OpenIndex:
        """As `open_index`."""
        from rag.index.reader.open_index import open_index

        return open_index(self.place, structure)

    def writing(self, say: Callable[[str], None] = lambda _: None) -> AbstractContextManager[Writer]:
        """As `rag.index.writer.writer.writing`."""
        from rag.index.writer.writer import writing

        return writing(self.place, say)

    def filling(
        self, say: Callable[[str], None] = lambda _: None, pause: Callable[[float], object] = time.sleep
    ) -> AbstractContextManager[SteppingWriter]:
        """As `rag.index.writer.stepping_writer.stepping_aside`."""
        from rag.index.writer.stepping_writer import stepping_aside

        return stepping_aside(self.place, say, pause)

    def wait_for_turn(self, say: Callable[[str], None] = lambda _: None) -> None:
        """As `rag.index.writer.stepping_writer.wait_for_turn`."""
        from rag.index.writer.stepping_writer import wait_for_turn

        wait_for_turn(self.place, say)

    @contextmanager
    def rebuilding(self, say: Callable[[str], None] = lambda _: None) -> Iterator[Rebuild]:
        """A hidden folder beside this one, which takes its place by two renames. Errors as `locked`."""
        from rag.index.files.lock import locked

        folder = self.place.resolve()
        with suppress(IndexDamaged):
            up_to_date(folder)
        with locked(folder, say):  # until the new index stands in its place
            fresh, old = places_of_rebuild(folder)
            for leftover in (fresh, old):
                shutil.rmtree(leftover, ignore_errors=True)
            try:
                yield Rebuild(FolderRoom(fresh), partial(_take_place, fresh, folder, old))
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)

    def recognised(self) -> Iterator[tuple[bytes, str]]:
        """From the catalog's table of them."""
        from rag.index.catalog.connection import open_to_read, translate_errors
        from rag.index.catalog.picture_text import all_recognised

        with suppress(IndexFailure), translate_errors(self.place), closing(open_to_read(self.place)) as connection:
            yield from all_recognised(connection)

    def warm_up(self, settings: Settings, tell: Callable[[str], None]) -> tuple[str, ...]:
        """Builds the derived files that make searches fast; a remark for each. Calls `tell` before a long step."""
        try:
            with self.open(settings.search) as opened:
                if opened.scannable:
                    opened.preload()
                opened.build_postings(tell)
                return opened.remarks()
        except IndexDamaged as error:
            return (f"{error.what}; {error.remedy}",)

    def sweep(self) -> int:
        """Nothing: the next writer of a folder removes such files."""
        return 0

    def check(self, *, read_data: bool) -> Iterator[str]:
        """As `rag.index.upkeep.check`: the structure, and with `read_data` every checksum."""
        from rag.index.upkeep.check import check_bytes, check_structure

        yield from check_structure(self.place)
        if read_data:
            yield from check_bytes(self.place)


def _take_place(fresh: Path, folder: Path, old: Path) -> None:
    """Puts the new index where the old one is. Killed in between, the next command finishes it: `locations.finish_rebuild`."""
    from rag.index.files.durable import sync_folder
    from rag.index.files.uninterruptible import uninterruptible

    try:
        with uninterruptible():
            folder.rename(old)
            fresh.rename(folder)
            sync_folder(folder.parent)
    except OSError as error:
        finish_rebuild(folder)
        what = f"{folder} cannot be replaced: {error.strerror}"
        raise IndexFailure(what, remedy="build it in another place: rag index FOLDER --index DIR") from error
