"""One writer at a time: a lock on a file that says who holds it.

Knows nothing of what the lock protects. The lock ends with its process, however that ends.
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
_held: set[int] = set()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the lock of an index folder. IndexLocked names the owner; IndexFailure where it cannot be written or locked."""
    try:
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        remedy = "queries work; to change the index, make its folder writable"
        raise IndexFailure(f"{folder} cannot be written: {error.strerror}", remedy=remedy) from error
    try:
        _take(folder, descriptor)
        _held.add(descriptor)
        _sign(descriptor, {"pid": os.getpid(), "host": socket.gethostname()})
        yield
    finally:
        if descriptor in _held:
            _held.discard(descriptor)
            _sign(descriptor, {})
        os.close(descriptor)


def refuse_without_locks(folder: Path) -> None:
    """IndexFailure where two takers of the lock would both get it. Call while holding the lock."""
    descriptor = os.open(folder / FILE, os.O_RDWR)
    try:
        _take(folder, descriptor)
    except IndexLocked:
        return
    finally:
        os.close(descriptor)
    raise _no_locks(folder, "two writers were let in at once")


def _take(folder: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise IndexLocked(folder, _owner(descriptor)) from error
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise _no_locks(folder, error.strerror or str(error)) from error
        raise


def _no_locks(folder: Path, reason: str) -> IndexFailure:
    what = f"{folder} is on a file system without working locks: {reason}"
    return IndexFailure(what, remedy="keep the index on a local disk: --index DIR")


def _owner(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {owner['pid']} on {owner['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _sign(descriptor: int, owner: dict[str, object]) -> None:
    """Says in the file who holds it. Only told to people, so a full disk here stops nobody."""
    try:
        os.ftruncate(descriptor, 0)
        if owner:
            os.pwrite(descriptor, json.dumps(owner).encode(), 0)
    except OSError:
        return


def _let_go_in_child() -> None:
    # A forked child shares the lock: a pool that outlives a killed writer would hold the index for ever.
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)
