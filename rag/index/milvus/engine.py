"""One connection to Milvus: bounded requests, one guarantee timestamp, and errors that say what to do.

Knows pymilvus and its limits; knows no collection of ours and no passage.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rag.errors import IndexFailure, StorageFailed
from rag.index.files.uninterruptible import uninterruptible
from rag.index.milvus.connecting import SECONDS, connect, reason_of
from rag.index.milvus.embedded import answers
from rag.index.milvus.requests import bounded

if TYPE_CHECKING:
    from rag.index.milvus.address import Address

TOP_K = 16_384  # more is refused by servers
FIELD_BYTES = 65_535  # of a text
SENDERS = 2  # requests that write at once
BUILD_SECONDS = 86_400.0  # for building an index
LEAST = (2, 5)  # version of the server
NEWEST: Mapping[str, Any] = {"consistency_level": "Strong"}  # waits for all that was written before
OWN: Mapping[str, Any] = {"consistency_level": "Session"}  # sees what this client wrote

Row = dict[str, Any]


def at_least(seconds: float) -> dict[str, Any]:
    """For reads that must see all that was written before this time, seconds since the epoch."""
    return {"consistency_level": "Customized", "guarantee_timestamp": int(seconds * 1000) << 18}


class Engine:
    """A client of one database. Safe to share between threads; `calls` counts the requests."""

    def __init__(self, address: Address, token: str) -> None:
        """MissingExtra; IndexFailure where nothing answers; IndexLocked where another process has the file and is silent."""
        self.address = address
        self.calls = 0
        self._token = token
        self._restarting = threading.Lock()
        self._uri, self._client = connect(address, token)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def collections(self) -> list[str]:
        """The names of all collections of the database."""
        with self._asking("its collections"):
            return list(self._client.list_collections(timeout=SECONDS))

    def description(self, collection: str) -> str:
        """What a collection says it is."""
        with self._asking(collection):
            return str(self._client.describe_collection(collection, timeout=SECONDS).get("description", ""))

    def refuse_old_server(self) -> None:
        """IndexFailure where the server has no 16-bit vectors or no BM25; the embedded core has both."""
        if self.address.file is not None:
            return
        from pymilvus.exceptions import MilvusException

        self.calls += 1
        try:
            found = str(self._client.get_server_version(timeout=SECONDS))
        except MilvusException:  # the core behind a port does not tell
            return
        if is_old(found):
            raise IndexFailure(
                f"{self.address.shown} is Milvus {found}, which has no 16-bit vectors and no BM25",
                remedy=f"an index needs Milvus {'.'.join(map(str, LEAST))} or later",
            )

    def create(self, collection: str, schema: Any, indexes: Any) -> None:
        """Makes a collection that is not there, and loads it; what fails half made is removed. StorageFailed."""
        try:
            with self._asking(collection, writing=True):
                self._client.create_collection(
                    collection, schema=schema, index_params=indexes, consistency_level="Strong", timeout=SECONDS
                )
        except StorageFailed:
            with suppress(StorageFailed):
                self.drop(collection)
            raise

    def drop(self, collection: str) -> None:
        """Removes a collection with all its rows. StorageFailed."""
        with self._asking(collection, writing=True):
            self._client.drop_collection(collection, timeout=SECONDS)

    def load(self, collection: str) -> None:
        """Loads a collection where it is not in memory, as after a restart of a server."""
        with self._asking(collection):
            self._client.load_collection(collection, timeout=SECONDS)

    def release(self, collection: str) -> None:
        """Takes a collection out of memory: it is not searched until `load`. StorageFailed."""
        with self._asking(collection, writing=True):
            self._client.release_collection(collection, timeout=SECONDS)

    def index_kind(self, collection: str) -> str:
        """The kind of index that the vectors of a collection lie under."""
        with self._asking(collection):
            found = self._client.describe_index(collection, "vector", timeout=SECONDS) or {}
            return str(found.get("index_type", "FLAT"))

    def index_vectors(self, collection: str, kind: str, params: Mapping[str, Any]) -> None:
        """Builds an index of that kind over the vectors of a released collection, in place of the present one. StorageFailed."""
        from pymilvus import MilvusClient

        indexes = MilvusClient.prepare_index_params()
        indexes.add_index("vector", index_type=kind, metric_type="IP", params=dict(params))
        with self._asking(collection, writing=True):
            self._client.drop_index(collection, "vector", timeout=SECONDS)
        with self._asking_long(collection, writing=True):
            self._client.create_index(collection, indexes, timeout=BUILD_SECONDS)

    def upsert(self, collection: str, rows: Iterable[Row]) -> None:
        """Writes rows, replacing those of the same keys, in requests that no server refuses, in no order. StorageFailed."""

        def send(part: list[Row]) -> None:
            with self._asking(collection, writing=True):
                self._client.upsert(collection, part, timeout=SECONDS)

        waiting: deque[Future[None]] = deque()
        with ThreadPoolExecutor(SENDERS) as pool:  # rows are made and made ready while the server works on others
            for part in bounded(rows):
                if len(waiting) == SENDERS:
                    waiting.popleft().result()
                waiting.append(pool.submit(send, part))
            for sent in waiting:
                sent.result()

    def delete(self, collection: str, expression: str) -> None:
        """Deletes the rows that an expression selects. StorageFailed."""
        with self._asking(collection, writing=True):
            self._client.delete(collection, filter=expression, timeout=SECONDS)

    def get(
        self, collection: str, keys: Sequence[str], fields: Sequence[str], moment: Mapping[str, Any], rows: int = 500
    ) -> list[Row]:
        """The rows with these keys, in no order; asks for `rows` at once."""
        found: list[Row] = []
        for start in range(0, len(keys), rows):
            with self._asking(collection):
                part = list(keys[start : start + rows])
                found += self._client.query(collection, ids=part, output_fields=list(fields), timeout=SECONDS, **moment)
        return found

    def select(
        self, collection: str, expression: str, fields: Sequence[str], moment: Mapping[str, Any], limit: int = TOP_K
    ) -> list[Row]:
        """At most `limit` rows that an expression selects, in no order."""
        with self._asking(collection):
            return list(
                self._client.query(
                    collection, filter=expression, output_fields=list(fields), limit=limit, timeout=SECONDS, **moment
                )
            )

    def count(self, collection: str, expression: str, moment: Mapping[str, Any]) -> int:
        """How many rows an expression selects."""
        with self._asking(collection):
            found = self._client.query(collection, filter=expression, output_fields=["count(*)"], timeout=SECONDS, **moment)
            return int(found[0]["count(*)"])

    def every(
        self, collection: str, expression: str, fields: Sequence[str], moment: Mapping[str, Any], rows: int = 2_000
    ) -> Iterator[Row]:
        """All rows that an expression selects, by key, `rows` at once."""
        with self._asking(collection):
            iterator = self._client.query_iterator(
                collection, batch_size=rows, filter=expression, output_fields=list(fields), timeout=SECONDS, **moment
            )
        try:
            while True:
                with self._asking(collection):
                    part = iterator.next()
                if not part:
                    return
                yield from part
        finally:
            iterator.close()

    def search(
        self,
        collection: str,
        field: str,
        query: Any,
        k: int,
        expression: str,
        fields: Sequence[str],
        moment: Mapping[str, Any],
        params: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """The k best rows by a vector or by words, best first, with `key` and `distance`; `params` are the index's own."""
        with self._asking(collection):
            [found] = self._client.search(
                collection,
                data=[query],
                anns_field=field,
                limit=min(k, TOP_K),
                filter=expression,
                output_fields=list(fields),
                search_params={"params": dict(params or {})},
                timeout=SECONDS,
                **moment,
            )
        return [{**hit["entity"], "key": hit["id"], "distance": hit["distance"]} for hit in found]

    @contextmanager
    def _asking(self, what: str, *, writing: bool = False) -> Iterator[None]:
        """A call that Ctrl-C does not cut in two: the channel would keep its locks, and every later call wait for ever."""
        with self._asking_long(what, writing=writing), uninterruptible():
            yield

    @contextmanager
    def _asking_long(self, what: str, *, writing: bool = False) -> Iterator[None]:
        """A call that takes minutes, nearly all of them between two questions whether it is done: there Ctrl-C may come."""
        from pymilvus.exceptions import MilvusException

        self.calls += 1
        if self.address.file is not None and not answers(self._uri):
            self._restart_core()
        try:
            yield
        except MilvusException as error:
            reason = reason_of(error)
            if writing:
                raise StorageFailed(self.address.shown, f"{what}: {reason}") from error
            raise IndexFailure(
                f"{self.address.shown}: {what} cannot be read: {reason}", remedy="look at the server's log; then ask again"
            ) from error

    def _restart_core(self) -> None:
        """An embedded core ends with the process that started it: this one, or whoever is first, starts another."""
        with self._restarting:
            if not answers(self._uri):
                self._uri, self._client = connect(self.address, self._token)
                for collection in self._client.list_collections(timeout=SECONDS):
                    self._client.load_collection(collection, timeout=SECONDS)


def is_old(version: str) -> bool:
    """Whether a version such as v2.3.5 is older than `LEAST`; one that cannot be read is not."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < LEAST


def now() -> float:
    """Seconds since the epoch."""
    return time.time()
