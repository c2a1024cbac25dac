"""What reaches Milvus when rows are sent field by field, and that documents of an older program's versions stay as they are."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

import rag
from rag.errors import StorageFailed
from rag.index.milvus import rows
from rag.index.milvus.engine import NEWEST
from rag.index.milvus.requests import REQUEST_ROWS
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.schema import DOCUMENT_FIELDS, DOCUMENTS, NO_VECTOR, PASSAGE_FIELDS, PASSAGES, collection
from tests.unit.index_samples import DIM, FINGERPRINT, unit_rows


def row(number: int, text: str) -> dict[str, object]:
    texts = dict.fromkeys(("document", "version", "id", "root", "path", "inner", "more", "terms"), f"{number}")
    numbers = {"ordinal": number, "kind": -1, "dated": 0.5 + number, "number": 1_700_000_000_000_000 + number}
    vector = unit_rows(1, number)[0].astype("<f2")
    return texts | numbers | {"key": f"k{number}", "vkey": f"{number:032x}", "text": text, "vector": vector}


def test_rows_of_several_requests_come_back_as_they_were_and_replace_those_of_their_keys(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    passages = collection(milvus.name, PASSAGES)
    texts = ["", "北京 🚢 Brücke", "\"quoted' \\ % _ \n\t", "x" * 65_535]
    for said in ("first", "second"):
        written = [row(at, texts[at] if at < len(texts) else f"{said} {at}") for at in range(2 * REQUEST_ROWS + 1)]
        milvus.engine.upsert(passages, iter(written))
        assert milvus.engine.count(passages, 'key != ""', NEWEST) == len(written)
        found = {
            each["key"]: each for each in milvus.engine.every(passages, "", (*PASSAGE_FIELDS, "vkey", "vector"), NEWEST, 200)
        }
        for one in written:
            stored = found[str(one["key"])]
            assert {name: stored[name] for name in one if name != "vector"} == {
                name: value for name, value in one.items() if name != "vector"
            }
            assert rows.vector_of(stored, DIM).tobytes() == one["vector"].tobytes()  # type: ignore[attr-defined]


def test_a_text_that_no_field_holds_is_refused_and_named(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    documents = collection(milvus.name, DOCUMENTS)
    one = dict.fromkeys(DOCUMENT_FIELDS, "") | {"key": "k", "path": "x" * 65_536, "none": list(NO_VECTOR)}
    with pytest.raises(StorageFailed, match=r"documents: .*\(path\).*65536.*65535"):
        milvus.engine.upsert(documents, [one])
    assert milvus.engine.count(documents, 'key != ""', NEWEST) == 0


def test_what_an_older_program_wrote_is_found_and_not_written_anew_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, address = tmp_path / "corpus", f"milvus-lite://{tmp_path}/index.db"
    corpus.mkdir()
    (corpus / "harbour.txt").write_text("harbour dues of the winter")
    (corpus / "cranes.txt").write_text("cranes and their drivers")
    with monkeypatch.context() as older:
        older.setattr(rows, "hashed", lambda *parts: sha256(b"\0".join(parts)).hexdigest()[:32])  # versions by another rule
        rag.build_index(corpus, index=address)
    room = MilvusRoom(address)
    written = versions(room)
    report = rag.build_index(corpus, index=address)
    assert (report.indexed, report.unchanged, versions(room)) == (0, 2, written)
    assert first_hit(address, "harbour dues") == "harbour.txt"
    (corpus / "harbour.txt").write_text("harbour dues of the summer")
    assert rag.build_index(corpus, index=address).indexed == 1
    now = versions(room)
    assert now["cranes.txt"] == written["cranes.txt"] and now["harbour.txt"] != written["harbour.txt"]
    stored = {each["version"] for each in room.engine.every(collection(room.name, PASSAGES), "", ("version",), NEWEST)}
    assert stored == set(now.values())


def versions(room: MilvusRoom) -> dict[str, str]:
    found = room.engine.every(collection(room.name, DOCUMENTS), "", ("path", "version"), NEWEST)
    return {each["path"]: each["version"] for each in found}


def first_hit(address: str, words: str) -> str:
    with rag.open_index(address) as searcher:
        return searcher.search(words).hits[0].document
