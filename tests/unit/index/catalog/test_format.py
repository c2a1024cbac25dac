"""The format on disk is the one that indexes/README.md documents."""

import re
import tarfile
from pathlib import Path

import apsw
import numpy as np
import pytest

from rag.errors import IndexTooOld
from rag.index.catalog.index_folder import fingerprint_of
from rag.index.catalog.schema import APPLICATION, FORMAT, KIND_CODES
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.upkeep.migration import bring_up_to_date
from rag.index.vectors.segments import faiss_header
from rag.index.writer.writer import writing
from tests.unit.index_samples import DIM, FINGERPRINT, key_of, made, put, snapshot_of, unit_rows, vector_of

# a.md (one, five), b.md (two, three 北京大学), photo.jpg; two commits
OLD = Path(__file__).parent / "old"
PAGE = (Path(__file__).parents[4] / "indexes" / "README.md").read_text()


def test_the_page_names_every_table_and_column(tmp_path):
    connection = apsw.Connection(str(made(tmp_path / "index", {"a.md": ["one"]}) / "catalog.sqlite"))
    documented: dict[str, set[str]] = {}
    table = ""
    catalog = PAGE.partition("## The catalog")[2].partition("## A segment")[0]
    for line in re.findall(r"^\|.*\|$", catalog, re.M)[2:]:
        _, name, columns, *_ = line.split("|")
        table = name.strip("` ") or table
        documented.setdefault(table, set()).update(re.findall(r"`(\w+)`", columns))
    shadows = tuple(f"lexical_{part}" for part in ("data", "idx", "content", "docsize", "config"))
    found = {
        name: {column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))}
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        if name not in shadows
    }
    found["lexical"].add("rowid")
    assert documented == found


def test_numbers_of_the_format(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one"]})
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    assert (connection.pragma("application_id"), connection.pragma("user_version")) == (APPLICATION, FORMAT) == (0x52414749, 4)
    assert f"number **{FORMAT}**" in PAGE
    assert ", ".join(f"{code} {kind}" for kind, code in KIND_CODES.items()) in PAGE
    assert (folder / "catalog.sqlite").read_bytes()[20] == 8  # reserved bytes at the end of each page
    assert connection.pragma("journal_mode") == "wal"


def test_vectors_can_be_read_without_faiss(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one", "two"]})
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    ((header, rows, first),) = connection.execute("SELECT header, rows, first FROM segments").fetchall()
    stored = np.fromfile(folder / "segments" / "000001.faiss", "<f2", offset=header).reshape(rows, DIM)
    for text in ("one", "two"):
        number = connection.execute("SELECT number FROM vectors WHERE key = ?", (key_of(text),)).get
        np.testing.assert_array_equal(stored[number - first], vector_of(key_of(text)).astype(np.float16))


@pytest.mark.parametrize(("rows", "dim"), [(0, 8), (1, 16), (3000, 1024)])
def test_a_segment_is_what_faiss_writes(rows, dim):
    import faiss

    index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    vectors = unit_rows(rows, 1, dim) if rows else np.empty((0, dim), np.float32)
    halves = vectors.astype(np.float16)
    index.add(halves.astype(np.float32))
    assert faiss.serialize_index(index).tobytes() == faiss_header(rows, dim) + halves.tobytes()


def unpacked(folder: Path, format: int) -> Path:
    with tarfile.open(OLD / f"format-{format}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("format", range(1, FORMAT))
def test_an_old_index_is_migrated(tmp_path, format):
    folder = unpacked(tmp_path / "index", format)
    with pytest.raises(IndexTooOld, match=f"format {format}; this version reads format {FORMAT}"):
        fingerprint_of(folder)
    assert bring_up_to_date(folder) and not bring_up_to_date(folder)
    assert fingerprint_of(folder) == FINGERPRINT
    assert check_structure(folder) == [] and check_bytes(folder) == []
    with snapshot_of(folder) as snapshot:
        assert snapshot.generation == 2
        best = snapshot.nearest(vector_of(key_of("five"))[None], 9)[0]
        texts = [stored.passage.text for stored in snapshot.passages([number for number, _ in best])]
        assert (texts[0], len(texts)) == ("five", 5)
        (found,) = snapshot.passages([number for number, *_ in snapshot.containing("inv-4421", 9)])
        assert (found.passage.document.path, found.passage.caption) == ("photo.jpg", "the quay")
        assert len(snapshot.containing("北京大学", 9)) == 1
    with writing(folder) as writer:
        assert writer.known([key_of(text) for text in ("one", "two", "three 北京大学", "five")]) == {
            key_of(text) for text in ("one", "two", "three 北京大学", "five")
        }
        assert [each.target for each in writer.pictures.captions_from("docs", "b.md")] == ["photo.jpg"]
        assert writer.pictures.recognised(b"k" * 16) == "words"
        put(writer, "new.md", ["six"])
        writer.commit()
    assert check_structure(folder) == [] and check_bytes(folder) == []


def test_damage_in_an_old_index_is_still_found_after_the_migration(tmp_path):
    folder = unpacked(tmp_path / "index", 1)
    file = folder / "segments" / "000001.faiss"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    assert bring_up_to_date(folder)
    (finding,) = check_bytes(folder)
    assert "000001.faiss" in finding and "docs/b.md" in finding


def test_a_damaged_format_number_is_not_taken_for_an_old_index(tmp_path):
    from rag.errors import IndexDamaged

    folder = made(tmp_path / "index", {"a.md": ["one"]})
    with (folder / "catalog.sqlite").open("rb+") as file:
        file.seek(63)
        file.write(b"\x01")
    for ask in (fingerprint_of, bring_up_to_date):
        with pytest.raises(IndexDamaged):
            ask(folder)
