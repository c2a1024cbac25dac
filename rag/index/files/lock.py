"""Allows one writer at a time: a lock on a file that names its holder, who may have said that it steps aside for others.

Knows nothing of what the lock protects. Every lock here is released when its process ends, however it ends.

    lock         held by the one writer
    lock.asked   held, shared, by those who ask a holder to step aside: nothing is left of one who was killed
    lock.fill    held by the one who fills models behind all other writers, also while it stands aside
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import IndexFailure, IndexLocked

FILE = "lock"
ASKED = "lock.asked"
FILL = "lock.fill"
PATIENCE = 60.0  # seconds that a holder which steps aside is waited for: a commit, and a call to a model that runs in its process
POLL = 0.05  # seconds between two attempts
_NAMELESS = 10  # attempts while the holder's name is not there: it is written just after the lock is taken
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
_held_descriptors: set[int] = set()

Say = Callable[[str], None]
Pause = Callable[[float], object]  # waits so many seconds, or raises where the waiting is over


def silent(_: str) -> None:
    """For callers who have nobody to tell."""


@contextmanager
def locked(folder: Path, say: Say = silent) -> Iterator[None]:
    """Holds the lock of an index folder. IndexLocked names the holder; IndexFailure where the lock cannot be written or taken.

    A holder that steps aside is asked to, and waited for: `say` is told, and IndexLocked comes after a minute.
    """
    with _held(_take_or_ask(folder, say), {}):
        yield


@contextmanager
def locked_until_asked(folder: Path, say: Say = silent, pause: Pause = time.sleep) -> Iterator[None]:
    """The same, for one that steps aside when `is_asked_for`: it waits, however long, for every holder and all who ask."""
    with _held(_take_in_turn(folder, say, pause), {"steps_aside": True}):
        yield


@contextmanager
def fill_locked(folder: Path) -> Iterator[None]:
    """Holds the turn of filling an index, of which there is one. IndexLocked names the holder; IndexFailure."""
    with _held(_take(folder, FILL), {}):
        yield


def is_asked_for(folder: Path) -> bool:
    """Whether anybody asks the holder of the lock to step aside."""
    try:
        descriptor = os.open(folder / ASKED, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    else:
        return False
    finally:
        os.close(descriptor)


def refuse_without_locks(folder: Path) -> None:
    """Takes the lock a second time: IndexFailure where that succeeds. Call while holding the lock."""
    try:
        os.close(_take(folder, FILE))
    except IndexLocked:
        return
    raise _no_locks(folder, "two writers could take the lock at once")


# ---- taking ---------------------------------------------------------------------------------------


def _take_or_ask(folder: Path, say: Say) -> int:
    attempts = 0
    while True:
        try:
            return _take(folder, FILE)
        except IndexLocked:
            owner = _owner(folder / FILE)
            attempts += 1
            if owner.get("steps_aside"):
                break
            if owner or attempts > _NAMELESS:
                raise
        time.sleep(POLL)
    with _asking(folder):
        say(f"waiting for {_named(owner)}, which fills a model of {folder} and steps aside at its next commit")
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                return _take(folder, FILE)
            except IndexLocked as error:
                if time.monotonic() > ends:
                    owner = _owner(folder / FILE)
                    asked = f"{_named(owner)}, which was asked to step aside and has not within {PATIENCE:.0f} s"
                    raise IndexLocked(folder, asked) from error
            time.sleep(POLL)


def _take_in_turn(folder: Path, say: Say, pause: Pause) -> int:
    told = False
    while True:
        if not is_asked_for(folder):
            try:
                return _take(folder, FILE)
            except IndexLocked as error:
                if not told:
                    say(f"{error.what}; the fill goes on when that ends")
                told = True
        pause(POLL)


def _take(folder: Path, name: str) -> int:
    """The descriptor of a file of an index folder, locked. IndexLocked, IndexFailure."""
    while True:
        try:
            descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            remedy = "queries still work; to change the index, make its folder writable"
            raise IndexFailure(f"{folder} cannot be written: {error.strerror}", remedy=remedy) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(folder / name, descriptor):
                return descriptor
        except BlockingIOError as error:
            os.close(descriptor)
            raise IndexLocked(folder, _named(_owner(folder / name))) from error
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_LOCKS:
                raise _no_locks(folder, error.strerror or str(error)) from error
            raise
        os.close(descriptor)  # a rebuild has put another folder in this place meanwhile


def _is_there(file: Path, descriptor: int) -> bool:
    """Whether a descriptor is of the file that is there now."""
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def _held(descriptor: int, said: Mapping[str, object]) -> Iterator[None]:
    try:
        _held_descriptors.add(descriptor)
        _write_owner(descriptor, {"pid": os.getpid(), "host": socket.gethostname(), **said})
        yield
    finally:
        if descriptor in _held_descriptors:
            _held_descriptors.discard(descriptor)
            _write_owner(descriptor, {})
        os.close(descriptor)


@contextmanager
def _asking(folder: Path) -> Iterator[None]:
    """Asks the holder to step aside while the `with` lasts; where nothing can be written, nobody is asked."""
    try:
        descriptor = os.open(folder / ASKED, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield
        return
    try:
        _held_descriptors.add(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # waits for microseconds where the holder is just looking
        yield
    finally:
        _held_descriptors.discard(descriptor)
        os.close(descriptor)


def _no_locks(folder: Path, reason: str) -> IndexFailure:
    what = f"{folder} is on a file system without working locks: {reason}"
    return IndexFailure(what, remedy="keep the index on a local disk: --index DIR")


# ---- the holder's name ------------------------------------------------------------------------------


def _owner(file: Path) -> dict[str, Any]:
    """What the holder has written; nothing where that cannot be read."""
    try:
        found = json.loads(file.read_bytes()[:4096])
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(owner: Mapping[str, Any]) -> str:
    return f"process {owner['pid']} on {owner['host']}" if "pid" in owner and "host" in owner else "another process"


def _write_owner(descriptor: int, owner: Mapping[str, object]) -> None:
    """Writes the holder into the lock file. It only informs people, so a full disk is no error here."""
    try:
        os.ftruncate(descriptor, 0)
        if owner:
            os.pwrite(descriptor, json.dumps(owner).encode(), 0)
    except OSError:
        return


def _release_in_child() -> None:
    # A forked child shares the lock: a worker that outlives a killed writer would lock the index for ever.
    for descriptor in _held_descriptors:
        os.close(descriptor)
    _held_descriptors.clear()


os.register_at_fork(after_in_child=_release_in_child)
