"""Allows one writer at a time: a lock on a file that names its holder.

Knows nothing of what the lock protects. The lock is released when its process ends, however it ends.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import IndexFailure, IndexLocked

FILE = "lock"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
_held_descriptors: set[int] = set()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the lock of an index folder. IndexLocked names the holder; IndexFailure where the lock cannot be written or taken."""
    try:
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        remedy = "queries still work; to change the index, make its folder writable"
        raise IndexFailure(f"{folder} cannot be written: {error.strerror}", remedy=remedy) from error
    try:
        _acquire(folder, descriptor)
        _held_descriptors.add(descriptor)
        _write_owner(descriptor, {"pid": os.getpid(), "host": socket.gethostname()})
        yield
    finally:
        if descriptor in _held_descriptors:
            _held_descriptors.discard(descriptor)
            _write_owner(descriptor, {})
        os.close(descriptor)


def refuse_without_locks(folder: Path) -> None:
    """Takes the lock a second time: IndexFailure where that succeeds. Call while holding the lock."""
    descriptor = os.open(folder / FILE, os.O_RDWR)
    try:
        _acquire(folder, descriptor)
    except IndexLocked:
        return
    finally:
        os.close(descriptor)
    raise _no_locks(folder, "two writers could take the lock at once")


def _acquire(folder: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise IndexLocked(folder, _read_owner(descriptor)) from error
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise _no_locks(folder, error.strerror or str(error)) from error
        raise


def _no_locks(folder: Path, reason: str) -> IndexFailure:
    what = f"{folder} is on a file system without working locks: {reason}"
    return IndexFailure(what, remedy="keep the index on a local disk: --index DIR")


def _read_owner(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {owner['pid']} on {owner['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _write_owner(descriptor: int, owner: dict[str, object]) -> None:
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
