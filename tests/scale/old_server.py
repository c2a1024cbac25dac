"""A client that lets the room work on a server of before 2.5: for tests only, in this process and those that tests start.

Knows what such a server lacks (16-bit vectors, BM25, inverted indexes on texts, LIKE but for beginnings); knows no room.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pymilvus
from pymilvus import DataType, MilvusClient

PLAYED = "v2.5.0"  # what it says that the server is
_ENDS = re.compile('path like "%[^"]*"')


class OldServerClient(MilvusClient):
    """32-bit vectors in place of 16-bit ones, and no words."""

    def create_collection(self, collection_name: str, *given: Any, **more: Any) -> None:
        """The collection without what such a server refuses."""
        if more.get("schema") is not None:
            more["schema"], more["index_params"] = adapted(more["schema"], more["index_params"])
        super().create_collection(collection_name, *given, **more)

    def upsert(self, collection_name: str, data: list[dict[str, Any]], *given: Any, **more: Any) -> Any:
        """The rows with 32-bit vectors."""
        rows = [{name: _widened(value) for name, value in row.items()} for row in data]
        return super().upsert(collection_name, rows, *given, **more)

    def search(self, collection_name: str, data: list[Any], *given: Any, filter: str = "", **more: Any) -> Any:
        """Asks with 32-bit vectors."""
        return super().search(collection_name, [_widened(one) for one in data], *given, filter=by_prefix(filter), **more)

    def query(self, collection_name: str, filter: str = "", *given: Any, **more: Any) -> Any:
        """Asks for beginnings only."""
        return super().query(collection_name, by_prefix(filter), *given, **more)

    def query_iterator(self, collection_name: str, *given: Any, filter: str = "", **more: Any) -> Any:
        """Asks for beginnings only."""
        return super().query_iterator(collection_name, *given, filter=by_prefix(filter), **more)

    def _get_connection(self) -> Any:
        return _Connection(super()._get_connection())

    def get_server_version(self, **more: Any) -> str:
        """A version that is not refused."""
        return PLAYED


def adapted(schema: Any, indexes: Any) -> tuple[Any, Any]:
    """The same collection for such a server."""
    made = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False, description=schema.description)
    kept = set()
    for field in schema.fields:
        if field.dtype == DataType.SPARSE_FLOAT_VECTOR:
            continue
        kept.add(field.name)
        kind = DataType.FLOAT_VECTOR if field.dtype == DataType.FLOAT16_VECTOR else field.dtype
        params = {name: value for name, value in field.params.items() if name in ("dim", "max_length")}
        made.add_field(field.name, kind, is_primary=field.is_primary, **params)
    chosen = MilvusClient.prepare_index_params()
    for index in indexes:
        if index.field_name in kept and index.index_type != "INVERTED":
            chosen.append(index)
    return made, chosen


def by_prefix(expression: str) -> str:
    """An expression for more rows, where one asks how a text ends: the room verifies paths itself."""
    return _ENDS.sub('key != ""', expression)


def _widened(value: Any) -> Any:
    return value.astype(np.float32) if isinstance(value, np.ndarray) else value


class _Connection:
    """A connection that takes 16-bit vectors, field by field."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def upsert(self, collection: str, fields: list[dict[str, Any]], *given: Any, **more: Any) -> Any:
        widened = [{**field, "values": [_widened(value) for value in field["values"]]} for field in fields]
        return self._connection.upsert(collection, widened, *given, **more)


def play(replace: Callable[[Any, str, Any], None] = setattr) -> None:
    """From now on every connection of this process is such a client."""
    replace(pymilvus, "MilvusClient", OldServerClient)
