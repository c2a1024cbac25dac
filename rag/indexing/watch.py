"""Follows folders: what changes is indexed at once, and everything is looked at again from time to time.

Knows the write path's one function and the system's notices of changes; knows no format, no model and no terminal.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.corpus.sources import real_place
from rag.corpus.subtitle_folders import FOLDERS
from rag.errors import BackendError, IndexLocked, WrongRequest
from rag.index.locations import ADDRESS, existing_room
from rag.indexing.background_fill import BackgroundFill
from rag.indexing.build import update_index
from rag.location import Location, ObjectPath, named_location
from rag.models.loading import ModelCache

if TYPE_CHECKING:
    from rag.indexing.report import Report

SWEEP_SECONDS = 300.0  # between two looks at everything: notices of changes get lost, and network disks send none
TICK_MS = 1_000  # how often it is looked whether a folder has gone or come back
QUIET_MS, PATIENCE_MS = 200, 1_000  # changes are taken when none came for so long, or when the first is so old
AGAIN_SECONDS = 5.0  # until a run is tried again that met another writer, or a model that does not answer
MOST_FOLDERS = 16  # with changes in more of them, everything is looked at

Say = Callable[[str], None]
Identity = tuple[int, int]  # device and inode


def watch_index(
    *folders: str | os.PathLike[str],
    index: str = "",
    seen: Callable[[Report], None],
    say: Say,
    stop: threading.Event | None = None,
    sweep_seconds: float = SWEEP_SECONDS,
    after_first: Callable[[], None] = lambda: None,
    **flags: Any,
) -> None:
    """Brings the index up to date, and then again after every change below the folders, or below every known root.

    `after_first` is called once, when the first run is committed.

    Objects in a store send no notices: they are looked at every `sweep_seconds`.

    `seen` is told of the first run and of each that changed something. A folder that goes away loses nothing; when it comes
    back it is looked at and followed again. The model is opened once. Returns when `stop` is set; raises KeyboardInterrupt or
    Interrupted after Ctrl-C, with everything committed that was read. Errors as `build_index`; another writer and a model that
    does not answer are waited for.
    """
    stop = stop or threading.Event()
    models = ModelCache()

    def update(some: Iterable[str | os.PathLike[str] | ObjectPath]) -> Report:
        report = update_index(*some, index=index, models=models, say=say, **flags)
        fill.start()
        return report

    fill = BackgroundFill(index, say, **{name: value for name, value in flags.items() if name != "kinds"})
    try:
        seen(update(folders))
        after_first()
        fill.start()
        _follow(update, folders, index, seen, say, stop, sweep_seconds)
    finally:
        fill.close()


def _follow(
    update: Callable[[Iterable[str | os.PathLike[str] | ObjectPath]], Report],
    folders: Sequence[str | os.PathLike[str]],
    index: str,
    seen: Callable[[Report], None],
    say: Say,
    stop: threading.Event,
    sweep_seconds: float,
) -> None:
    """Updates after every change, until `stop` is set."""
    everything = [real_place(named_location(one)) for one in folders] or _known_roots(index)
    roots = [one for one in everything if isinstance(one, Path)]
    stores = [one for one in everything if isinstance(one, ObjectPath)]
    if stores:
        say(f"looking at {', '.join(map(str, stores))} every {sweep_seconds:.0f} s; Ctrl-C ends it")
    place = existing_room(index).place
    own = place.resolve() if isinstance(place, Path) else Path(place.partition(ADDRESS)[2])  # of an embedded one, its file
    due = time.monotonic() + sweep_seconds
    pending: set[Path] | None = set()  # folders with changes; None: everything
    for changed in _changes(roots, own, say, stop):
        if changed is None or time.monotonic() >= due:
            pending = None
        elif pending is not None:
            pending |= changed
        if pending is not None and not pending:
            continue
        report = _tried(update, roots, stores, pending, say, stop)
        if report is None:
            continue
        if _changed(report):
            seen(report)
        if pending is None:
            due = time.monotonic() + sweep_seconds
        pending = set()


def _tried(
    update: Callable[[Iterable[Location]], Report],
    roots: Sequence[Path],
    stores: Sequence[ObjectPath],
    pending: set[Path] | None,
    say: Say,
    stop: threading.Event,
) -> Report | None:
    """One run over what is there of the changed folders, or of everything; None where it must be tried again."""
    there = [root for root in roots if root.is_dir()]
    wanted = there if pending is None or len(pending) > MOST_FOLDERS else sorted(one for one in pending if one.is_dir())
    asked = stores if pending is None else ()
    if not wanted and not asked:
        return None
    try:
        return update([*wanted, *asked])
    except (IndexLocked, BackendError) as error:
        say(f"{error.what}; trying again in {AGAIN_SECONDS:.0f} s")
        stop.wait(AGAIN_SECONDS)
    except WrongRequest as error:
        if all(one.is_dir() for one in wanted):
            raise
        say(f"{error.what}; looking again")  # a folder went away in between
    return None


def _changes(roots: Sequence[Path], own: Path, say: Say, stop: threading.Event) -> Iterable[set[Path] | None]:
    """The folders with changes, an empty set for none in a while, None where everything must be looked at.

    Notices are asked for anew whenever a folder has gone or come back: those of a folder that is gone never come.
    """
    from watchfiles import watch

    known = _identities(roots)
    while not stop.is_set():
        there = [root for root in roots if root in known]
        if not there:
            stop.wait(TICK_MS / 1000)
            yield set()
        else:
            notices = watch(
                *there,
                watch_filter=None,
                debounce=PATIENCE_MS,
                step=QUIET_MS,
                rust_timeout=TICK_MS,
                yield_on_timeout=True,
                stop_event=stop,
                ignore_permission_denied=True,
            )
            fresh = True
            for changes in notices:
                if fresh:  # what changed before the notices began
                    fresh = False
                    yield None
                    say(f"following {', '.join(map(str, there))}; Ctrl-C ends it")
                yield {folder for _, path in changes for folder in _folder_of(Path(path), roots, own)}
                if _identities(roots) != known:
                    break
        now = _identities(roots)
        for root in roots:
            if (root in now) != (root in known):
                say(f"{root} is there again" if root in now else f"{root} is gone: what the index holds of it is kept")
        known = now


def _folder_of(path: Path, roots: Sequence[Path], own: Path) -> Iterable[Path]:
    """The nearest folder of a changed path that is still there, below a root; none for the index's own files."""
    if path == own or own in path.parents:
        return ()
    folder = path.parent
    while (not folder.is_dir() or _holds_subtitles(folder)) and any(root in folder.parents for root in roots):
        folder = folder.parent
    return (folder,) if any(root == folder or root in folder.parents for root in roots) else ()


def _holds_subtitles(folder: Path) -> bool:
    """Whether what changes in a folder changes a video above it."""
    return folder.name.lower() in FOLDERS or folder.parent.name.lower() in FOLDERS


def _identities(roots: Sequence[Path]) -> Mapping[Path, Identity]:
    """The folders that are there. One that was mounted over another has another identity."""
    found: dict[Path, Identity] = {}
    for root in roots:
        try:
            seen = root.stat()
        except OSError:
            continue
        found[root] = (seen.st_dev, seen.st_ino)
    return found


def _known_roots(index: str) -> list[Location]:
    with closing(existing_room(index).open("auto")) as opened:
        return list(opened.roots().values())


def _changed(report: Report) -> bool:
    return bool(report.indexed or report.reused or report.moved or report.removed or report.skipped)
