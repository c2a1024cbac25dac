"""Tells other processes of this user where a run stands: a page follows a run that was started in a terminal.

Knows the private folder of run files and a `Progress`; knows no index. Nothing here may stop a run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import WrongRequest
from rag.index.locations import identity
from rag.indexing.report import Progress, Tell, progress_json
from rag.models.run_files import alive, private_folder, run_files, run_folder

if TYPE_CHECKING:
    from rag.index.room import Place

EVERY = 0.5  # seconds between two writes


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run of a process that is alive: since when, in seconds since the epoch, and the JSON of its last progress."""

    process: int
    started: float
    progress: Mapping[str, Any]


@contextmanager
def shown_to_others(folder: Place, tell: Tell | None) -> Iterator[Tell]:
    """`tell`, and a file beside it that says the same while the `with` lasts. Where no file can be written, `tell` alone."""
    file = run_folder() / f".index-{os.getpid()}-{time.monotonic_ns()}.json"  # hidden: no run takes it for a document
    started, written = time.time(), float("-inf")

    def write(seen: Progress) -> None:
        said = {"folder": identity(folder), "pid": os.getpid(), "started": started, "progress": progress_json(seen)}
        draft = file.with_suffix(".new")
        with suppress(OSError, WrongRequest):
            private_folder()
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
                out.write(json.dumps(said))
            draft.replace(file)

    def told(seen: Progress) -> None:
        nonlocal written
        if time.monotonic() - written >= EVERY:
            written = time.monotonic()
            write(seen)
        if tell is not None:
            tell(seen)

    write(Progress(0, 0, "", counted=False))
    try:
        yield told
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)


def live_run(folder: Place) -> LiveRun | None:
    """The run that brings an index up to date now, in another process of this user; None where there is none. Never raises."""
    wanted = identity(folder)
    found = []
    for file in run_files(".index"):
        try:
            said = json.loads(file.read_text("utf-8"))
            run = LiveRun(int(said["pid"]), float(said["started"]), dict(said["progress"]))
            is_of = said["folder"] == wanted
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not alive(run.process):
            with suppress(OSError):
                file.unlink()
        elif is_of:
            found.append(run)
    return max(found, key=lambda run: run.started, default=None)
