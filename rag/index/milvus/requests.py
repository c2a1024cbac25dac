"""Writes rows in requests that no server refuses, field by field: cut by their size, and turned into columns.

Knows rows, their sizes and pymilvus' connection; knows no collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

REQUEST_BYTES = 16_000_000  # a request of 64 MB is refused
REQUEST_ROWS = 1_000


def bounded(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rows in lists, each for one request; taken as they are asked for."""
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        needs = 64 + sum([4 * len(each) if type(each) is str else getattr(each, "nbytes", 16) for each in row.values()])
        if part and (size + needs > REQUEST_BYTES or len(part) == REQUEST_ROWS):
            yield part
            part, size = [], 0
        part.append(row)
        size += needs
    if part:
        yield part


def field_types(client: Any, collection: str, seconds: float) -> dict[str, Any]:
    """The type of each field of a collection that a row must give; what Milvus computes itself is left out."""
    fields = client.describe_collection(collection, timeout=seconds)["fields"]
    return {each["name"]: each["type"] for each in fields if not each.get("is_function_output")}


def upsert_columns(client: Any, collection: str, rows: list[dict[str, Any]], types: Mapping[str, Any], seconds: float) -> None:
    """Upserts rows of which each has all fields. What the server or pymilvus refuses is raised as it raises it.

    `MilvusClient.upsert` looks at every value of every row by itself, 0.1 ms a row; its connection takes a field at once, with
    the same checks.
    """
    columns = [{"name": name, "type": kind, "values": [row[name] for row in rows]} for name, kind in types.items()]
    connection = client._get_connection()
    connection.upsert(collection, columns, timeout=seconds, context=client._generate_call_context())
