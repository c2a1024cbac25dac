"""A connection to Milvus that counts what it is asked, starts an embedded core again, and has errors that say what to do.

Knows pymilvus and its errors; knows no collection of ours and no request.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rag.errors import IndexFailure, StorageFailed
from rag.index.files.uninterruptible import uninterruptible
from rag.index.milvus.connecting import SECONDS, connect, failures, reason_of
from rag.index.milvus.embedded import answers
from rag.index.milvus.patience import Patience

if TYPE_CHECKING:
    from rag.index.milvus.address import Address

LEAST = (2, 5)  # version of the server
_NOT_LOADED = 101  # the code of Milvus
_LOADS = "Milvus loads its collections in the first minute after its start; ask again then"
_WRITE_AGAIN = "what was committed is there; look whether the server runs, then run the same command again"


class Connection:
    """A client of one database. Safe to share between threads; `calls` counts the requests."""

    def __init__(self, address: Address, token: str) -> None:
        """MissingExtra; IndexFailure where nothing answers; IndexLocked where another process has the file and is silent."""
        self.address = address
        self.calls = 0
        self.patience = Patience()
        self._token = token
        self._restarting = threading.Lock()
        self._uri, self._client = connect(address, token)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def refuse_old_server(self) -> None:
        """IndexFailure where the server has no 16-bit vectors or no BM25; the embedded core has both."""
        if self.address.file is not None:
            return
        self.calls += 1
        try:
            found = str(self._client.get_server_version(timeout=SECONDS))
        except failures():  # the core behind a port does not tell
            return
        if is_old(found):
            raise IndexFailure(
                f"{self.address.shown} is Milvus {found}, which has no 16-bit vectors and no BM25",
                remedy=f"an index needs Milvus {'.'.join(map(str, LEAST))} or later",
            )

    @contextmanager
    def _asking(self, what: str, *, writing: bool = False) -> Iterator[None]:
        """A call that Ctrl-C does not cut in two: the channel would keep its locks, and every later call wait for ever."""
        with self._asking_long(what, writing=writing), uninterruptible():
            yield

    @contextmanager
    def _asking_long(self, what: str, *, writing: bool = False) -> Iterator[None]:
        """A call that takes minutes, nearly all of them between two questions whether it is done: there Ctrl-C may come."""
        self.calls += 1
        if self.address.file is not None and not answers(self._uri):
            self._restart_core()
        try:
            yield
        except failures() as error:
            reason = reason_of(error)
            if writing:
                raise StorageFailed(self.address.shown, f"{what}: {reason}", _WRITE_AGAIN) from error
            loads = getattr(error, "code", None) == _NOT_LOADED
            remedy = _LOADS if loads else "look whether the server runs, and at its log; then ask again"
            raise IndexFailure(f"{self.address.shown}: {what} cannot be read: {reason}", remedy=remedy) from error

    def _restart_core(self) -> None:
        """An embedded core ends with the process that started it: this one, or whoever is first, starts another."""
        from pymilvus.exceptions import MilvusException

        with self._restarting:
            if not answers(self._uri):
                self._uri, self._client = connect(self.address, self._token)
                for collection in self._client.list_collections(timeout=SECONDS):
                    with suppress(MilvusException):  # what a kill left half made has no index, and cannot be loaded
                        self._client.load_collection(collection, timeout=SECONDS)


def is_old(version: str) -> bool:
    """Whether a version such as v2.3.5 is older than `LEAST`; one that cannot be read is not."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < LEAST
