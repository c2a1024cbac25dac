"""What is asked of Milvus: bounded requests, under one guarantee timestamp.

Knows pymilvus and its limits; knows no collection of ours and no passage.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rag.errors import StorageFailed
from rag.index.milvus.connecting import SECONDS
from rag.index.milvus.connection import Connection
from rag.index.milvus.patience import persistent
from rag.index.milvus.requests import bounded, field_types, upsert_columns

if TYPE_CHECKING:
    from rag.index.milvus.address import Address

TOP_K = 16_384  # more is refused by servers
FIELD_BYTES = 65_535  # of a text
SENDERS = 2  # requests that write at once
BUILD_SECONDS = 86_400.0  # for building an index
NEWEST: Mapping[str, Any] = {"consistency_level": "Strong"}  # waits for all that was written before
OWN: Mapping[str, Any] = {"consistency_level": "Session"}  # sees what this client wrote


Row = dict[str, Any]


def at_least(seconds: float) -> dict[str, Any]:
    """For reads that must see all that was written before this time, seconds since the epoch."""
    return {"consistency_level": "Customized", "guarantee_timestamp": int(seconds * 1000) << 18}


class Engine(Connection):
    """What is asked of one database. Safe to share between threads."""

    def __init__(self, address: Address, token: str) -> None:
        """Raises as `Connection`."""
        super().__init__(address, token)
        self._types: dict[str, Mapping[str, Any]] = {}  # of the fields of the collections that were written

    @persistent
    def collections(self) -> list[str]:
        """The names of all collections of the database."""
        with self._asking("its collections"):
            return list(self._client.list_collections(timeout=SECONDS))

    @persistent
    def description(self, collection: str) -> str:
        """What a collection says it is."""
        with self._asking(collection):
            return str(self._client.describe_collection(collection, timeout=SECONDS).get("description", ""))

    @persistent
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

    @persistent
    def drop(self, collection: str) -> None:
        """Removes a collection with all its rows. StorageFailed."""
        with self._asking(collection, writing=True):
            self._client.drop_collection(collection, timeout=SECONDS)

    @persistent
    def load(self, collection: str) -> None:
        """Loads a collection where it is not in memory, as after a restart of a server."""
        with self._asking(collection):
            self._client.load_collection(collection, timeout=SECONDS)

    @persistent
    def release(self, collection: str) -> None:
        """Takes a collection out of memory: it is not searched until `load`. StorageFailed."""
        with self._asking(collection, writing=True):
            self._client.release_collection(collection, timeout=SECONDS)

    @persistent
    def index_kind(self, collection: str) -> str:
        """The kind of index that the vectors of a collection lie under."""
        with self._asking(collection):
            found = self._client.describe_index(collection, "vector", timeout=SECONDS) or {}
            return str(found.get("index_type", "FLAT"))

    def index_vectors(self, collection: str, kind: str, params: Mapping[str, Any]) -> None:
        """Builds an index of that kind over the vectors of a released collection, in place of the present one. StorageFailed.

        They are sealed before: no index is built over what is not, and such a part of a graph is searched by a coarse one.
        """
        from pymilvus import MilvusClient

        indexes = MilvusClient.prepare_index_params()
        indexes.add_index("vector", index_type=kind, metric_type="IP", params=dict(params))
        self.seal(collection)
        with self._asking(collection, writing=True):
            self._client.drop_index(collection, "vector", timeout=SECONDS)
        with self._asking_long(collection, writing=True):
            self._client.create_index(collection, indexes, timeout=BUILD_SECONDS)

    def seal(self, collection: str) -> None:
        """Has the server put what was written so far under the collection's index, without waiting for that. StorageFailed."""
        with self._asking_long(collection, writing=True):
            self._client.flush(collection, timeout=BUILD_SECONDS)

    def upsert(self, collection: str, rows: Iterable[Row]) -> None:
        """Writes rows, replacing those of the same keys, in requests that no server refuses, in no order. StorageFailed."""
        types = self._types_of(collection)

        @persistent
        def send(self: Engine, part: list[Row]) -> None:
            with self._asking(collection, writing=True):
                upsert_columns(self._client, collection, part, types, SECONDS)

        waiting: deque[Future[None]] = deque()
        with ThreadPoolExecutor(SENDERS) as pool:  # rows are made and made ready while the server works on others
            for part in bounded(rows):
                if len(waiting) == SENDERS:
                    waiting.popleft().result()
                waiting.append(pool.submit(send, self, part))
            for sent in waiting:
                sent.result()

    @persistent
    def _types_of(self, collection: str) -> Mapping[str, Any]:
        if collection not in self._types:
            with self._asking(collection, writing=True):
                self._types[collection] = field_types(self._client, collection, SECONDS)
        return self._types[collection]

    @persistent
    def delete(self, collection: str, expression: str) -> None:
        """Deletes the rows that an expression selects. StorageFailed."""
        with self._asking(collection, writing=True):
            self._client.delete(collection, filter=expression, timeout=SECONDS)

    @persistent
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

    @persistent
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

    @persistent
    def count(self, collection: str, expression: str, moment: Mapping[str, Any]) -> int:
        """How many rows an expression selects."""
        with self._asking(collection):
            found = self._client.query(collection, filter=expression, output_fields=["count(*)"], timeout=SECONDS, **moment)
            return int(found[0]["count(*)"])

    def every(
        self, collection: str, expression: str, fields: Sequence[str], moment: Mapping[str, Any], rows: int = 2_000
    ) -> Iterator[Row]:
        """All rows that an expression selects, by key, `rows` at once."""
        iterator = self._iterator(collection, expression, fields, moment, rows)
        try:
            while part := self._next(collection, iterator):
                yield from part
        finally:
            iterator.close()

    @persistent
    def _iterator(self, collection: str, expression: str, fields: Sequence[str], moment: Mapping[str, Any], rows: int) -> Any:
        with self._asking(collection):
            return self._client.query_iterator(
                collection, batch_size=rows, filter=expression, output_fields=list(fields), timeout=SECONDS, **moment
            )

    @persistent
    def _next(self, collection: str, iterator: Any) -> list[Row]:
        with self._asking(collection):
            return list(iterator.next())

    @persistent
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


def now() -> float:
    """Seconds since the epoch."""
    return time.time()
