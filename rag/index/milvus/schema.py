"""The collections of an index, three and one for each further model: names, fields and format number, and how they are made.

Knows Milvus' types; knows no passage. A collection says in its description that it is ours: no other is ever touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.errors import IndexFailure, IndexTooNew
from rag.index.milvus.engine import FIELD_BYTES

if TYPE_CHECKING:
    from rag.index.milvus.engine import Engine

FORMAT = 3  # of what the notes and rows mean, in the notes
LAYOUT = 1  # of the collections, in their descriptions
PASSAGES, DOCUMENTS, NOTES = "passages", "documents", "notes"
COLLECTIONS = (PASSAGES, DOCUMENTS, NOTES)
FIRST_SET = "multimodal-rag index, format "  # begins the description of every collection of an index's first set
TAKEN = f"{FIRST_SET}{LAYOUT + 1}"  # of a collection that holds nothing: the name is taken, and older programs refuse it

PASSAGE_FIELDS = (
    "key",
    "number",
    "document",
    "version",
    "ordinal",
    "id",
    "root",
    "path",
    "inner",
    "kind",
    "dated",
    "text",
    "more",
    "terms",
)
DOCUMENT_FIELDS = ("key", "root", "path", "stamp", "version", "digest", "loader", "skipped", "more")
SPACE_FIELDS = ("key", "number", "document", "version", "vkey", "root", "path", "inner", "kind", "dated", "terms")
NO_VECTOR = (0.0, 0.0)  # every collection must have a vector


def collection(index: str, which: str) -> str:
    """The name of one of COLLECTIONS."""
    return f"{index}_{which}"


def space_collection(index: str, number: int) -> str:
    """The name of the collection of a further vector space."""
    return f"{index}_space{number}"


def is_complete(engine: Engine, index: str, begins: str = FIRST_SET) -> bool:
    """Whether all collections of an index are there. IndexFailure where one is not ours; IndexTooNew.

    `begins` is how their descriptions begin.
    """
    there = set(engine.collections())
    return len([one for one in COLLECTIONS if collection(index, one) in there and is_ours(engine, index, one, begins)]) == 3


def is_ours(engine: Engine, index: str, which: str, begins: str = FIRST_SET) -> bool:
    """True. IndexFailure where a collection has another description, IndexTooNew."""
    name = collection(index, which)
    said = engine.description(name)
    if not said.startswith(begins):
        raise _foreign(engine, name)
    found = int(said.removeprefix(begins) or 0)
    if found > LAYOUT:
        raise IndexTooNew(engine.address.shown, found, LAYOUT)
    return True


def _foreign(engine: Engine, name: str) -> IndexFailure:
    return IndexFailure(
        f"{engine.address.shown}: the collection {name} is not of an index of this program, and is left alone",
        remedy="choose another name at the end of the address",
    )


def create_collections(engine: Engine, index: str, dim: int, begins: str = FIRST_SET) -> None:
    """Makes the collections of an index; what a kill left of it goes first. IndexFailure where one is not ours, StorageFailed.

    `begins` is how their descriptions begin.
    """
    there, said = set(engine.collections()), f"{begins}{LAYOUT}"
    for which in COLLECTIONS:
        if collection(index, which) in there:
            is_ours(engine, index, which, begins)
    for which in COLLECTIONS:
        if collection(index, which) in there:
            engine.drop(collection(index, which))
        schema, indexes = _passages(dim, said) if which == PASSAGES else _documents(said) if which == DOCUMENTS else _notes(said)
        engine.create(collection(index, which), schema, indexes)


def create_space(engine: Engine, index: str, number: int, dim: int) -> None:
    """Makes the collection of a further vector space; what a kill left of it goes first. IndexFailure where it is not ours."""
    drop_space(engine, index, number)
    schema, indexes = _space(dim, engine.description(collection(index, NOTES)))
    engine.create(space_collection(index, number), schema, indexes)


def drop_space(engine: Engine, index: str, number: int) -> None:
    """Removes the collection of a further vector space; nothing where there is none. IndexFailure where it is not ours."""
    name = space_collection(index, number)
    if name in engine.collections():
        if engine.description(name) != engine.description(collection(index, NOTES)):
            raise _foreign(engine, name)
        engine.drop(name)


def _space(dim: int, said: str) -> tuple[Any, Any]:
    """One row for each passage that has a vector there, under the passage's key, with what filters ask of it."""
    from pymilvus import DataType

    schema, indexes = _schema(said)
    for name, longest in (("document", 32), ("version", 32), ("vkey", 64), ("root", 4_096)):
        schema.add_field(name, DataType.VARCHAR, max_length=longest)
    for name in ("path", "inner", "terms"):
        schema.add_field(name, DataType.VARCHAR, max_length=FIELD_BYTES)
    schema.add_field("kind", DataType.INT64)
    schema.add_field("number", DataType.INT64)
    schema.add_field("dated", DataType.DOUBLE)
    schema.add_field("vector", DataType.FLOAT16_VECTOR, dim=dim)
    for name in ("document", "vkey"):
        indexes.add_index(name, index_type="INVERTED")
    indexes.add_index("vector", index_type="FLAT", metric_type="IP")
    return schema, indexes


def _passages(dim: int, said: str) -> tuple[Any, Any]:
    from pymilvus import DataType, Function, FunctionType

    schema, indexes = _schema(said)
    for name, longest in (("document", 32), ("version", 32), ("vkey", 64), ("id", 64), ("root", 4_096)):
        schema.add_field(name, DataType.VARCHAR, max_length=longest)
    for name in ("path", "inner", "text", "more"):
        schema.add_field(name, DataType.VARCHAR, max_length=FIELD_BYTES)
    schema.add_field("ordinal", DataType.INT64)
    schema.add_field("kind", DataType.INT64)
    schema.add_field("number", DataType.INT64)
    schema.add_field("dated", DataType.DOUBLE)
    schema.add_field(
        "terms", DataType.VARCHAR, max_length=FIELD_BYTES, enable_analyzer=True, analyzer_params={"tokenizer": "whitespace"}
    )
    schema.add_field("vector", DataType.FLOAT16_VECTOR, dim=dim)
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(name="bm25_of_terms", function_type=FunctionType.BM25, input_field_names=["terms"], output_field_names=["bm25"])
    )
    for name in ("document", "vkey", "id"):  # what rows are looked up by, beside their keys
        indexes.add_index(name, index_type="INVERTED")
    indexes.add_index("vector", index_type="FLAT", metric_type="IP")
    indexes.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    return schema, indexes


def _documents(said: str) -> tuple[Any, Any]:
    from pymilvus import DataType

    schema, indexes = _schema(said)
    for name, longest in (("version", 32), ("digest", 128), ("root", 4_096)):
        schema.add_field(name, DataType.VARCHAR, max_length=longest)
    for name in ("path", "stamp", "loader", "skipped", "more"):
        schema.add_field(name, DataType.VARCHAR, max_length=FIELD_BYTES)
    indexes.add_index("digest", index_type="INVERTED")
    return _with_no_vector(schema, indexes)


def _notes(said: str) -> tuple[Any, Any]:
    from pymilvus import DataType

    schema, indexes = _schema(said)
    schema.add_field("sort", DataType.VARCHAR, max_length=32)
    schema.add_field("name", DataType.VARCHAR, max_length=FIELD_BYTES)
    schema.add_field("value", DataType.VARCHAR, max_length=FIELD_BYTES)
    return _with_no_vector(schema, indexes)


def probe(kind: str, params: Mapping[str, Any]) -> tuple[Any, Any]:
    """A collection of nothing but vectors under an index of that kind: an engine that lacks it refuses it."""
    from pymilvus import DataType

    schema, indexes = _schema(f"{FIRST_SET}{LAYOUT}")
    schema.add_field("vector", DataType.FLOAT16_VECTOR, dim=64)
    indexes.add_index("vector", index_type=kind, metric_type="IP", params=dict(params))
    return schema, indexes


def taken() -> tuple[Any, Any]:
    """A collection that keeps a name, and has no field that a search of ours asks for: every such search fails."""
    return _with_no_vector(*_schema(TAKEN, "taken"))


def _schema(said: str, key: str = "key") -> tuple[Any, Any]:
    from pymilvus import DataType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False, description=said)
    schema.add_field(key, DataType.VARCHAR, max_length=128, is_primary=True)
    return schema, MilvusClient.prepare_index_params()


def _with_no_vector(schema: Any, indexes: Any) -> tuple[Any, Any]:
    from pymilvus import DataType

    schema.add_field("none", DataType.FLOAT_VECTOR, dim=len(NO_VECTOR))
    indexes.add_index("none", index_type="FLAT", metric_type="IP")
    return schema, indexes
