"""Compaction and repair: ended rows are removed, live ones are found as before, and damage is named."""

from pathlib import Path

import apsw
import numpy as np
import pytest

from rag.errors import IndexDamaged, MovedOn
from rag.index.catalog import connection as catalog
from rag.index.reader.open_index import open_index
from rag.index.reader.snapshot import Snapshot
from rag.index.upkeep import compaction
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.upkeep.repair import repair
from rag.index.writer.writer import writing
from rag.types import DocumentId
from tests.unit.index_samples import key_of, made, put, snapshot_of, unit_rows, vector_of

QUERIES = np.concatenate([unit_rows(3, 1), vector_of(key_of("b 3"))[None]])


def sound(folder: Path) -> bool:
    return check_structure(folder) == [] and check_bytes(folder) == []


def answers(folder: Path):
    """What both lanes find, by text, because numbers may differ."""
    with snapshot_of(folder) as snapshot:
        return answers_of(snapshot)


def answers_of(snapshot: Snapshot):
    found = [[(number, round(score, 6)) for number, score in hits] for hits in snapshot.nearest(QUERIES, 1000)]
    stored = {number: snapshot.passages([number])[0] for hits in found for number, _ in hits}
    dense = [sorted((-score, stored[number].id, stored[number].passage.text) for number, score in hits) for hits in found]
    lexical = sorted(snapshot.passages([number])[0].id for number, *_ in snapshot.containing("common", 1000))
    return dense, lexical, snapshot.document_frequencies(["common", "b"]), snapshot.status().passages


def rows(folder: Path, table: str) -> int:
    connection = catalog.open_to_read(folder)
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").get)
    finally:
        connection.close()


@pytest.fixture
def worn(tmp_path) -> Path:
    """Eight commits: twelve documents of five passages, some changed, some removed; shared and unused vectors."""
    folder = made(tmp_path / "index")
    with writing(folder) as writer:
        for commit in range(6):
            for name in "abcdefghijkl"[commit * 2 : commit * 2 + 2]:
                put(writer, f"{name}.md", [f"{name} {at} common" if at else "shared common" for at in range(5)])
            writer.commit()
        for name in "bd":
            put(writer, f"{name}.md", [f"{name} {at}" for at in range(4)], stamp="2")
        writer.put_vectors([b"pending vectors!"], unit_rows(1, 99))
        writer.commit()
        for name in "aceg":
            writer.remove("docs", f"{name}.md")
        writer.commit()
    assert sound(folder)
    return folder


def test_a_compaction_removes_ended_rows_and_changes_no_answer(worn):
    before = answers(worn)
    live = rows(worn, "passages WHERE ended IS NULL")
    with writing(worn) as writer:
        done = writer.compact()
        assert (done.passages, done.before, done.after) == (30, 7, 1)
        assert writer.compact() == compaction.Compacted(0, 0, 1, 1)
        assert writer.generation == 10
    assert sound(worn) and answers(worn) == before
    assert rows(worn, "passages") == rows(worn, "texts") == rows(worn, "lexical") == live
    assert rows(worn, "documents") == 8
    assert rows(worn, "terms WHERE term = 'a'") == 0
    used = rows(worn, "(SELECT DISTINCT vector FROM passages)")
    with snapshot_of(worn) as snapshot:
        assert rows(worn, "vectors") == used == snapshot.status().vectors
    with writing(worn):
        assert len(list((worn / "segments").iterdir())) == 1


def test_a_snapshot_outlives_a_compaction_and_the_next_one_answers_the_same(worn):
    with open_index(worn) as index:
        with index.snapshot() as snapshot:
            before = answers_of(snapshot)
            with writing(worn) as writer:
                writer.compact()
            assert answers_of(snapshot) == before
        with index.snapshot() as snapshot:
            assert answers_of(snapshot) == before


def test_a_snapshot_outlives_the_removal_of_what_it_holds(worn):
    with open_index(worn) as index:
        with index.snapshot() as snapshot:
            before = answers_of(snapshot)
            with writing(worn) as writer:
                writer.remove("docs", "b.md")
                writer.commit()
                writer.compact()
            assert answers_of(snapshot) == before
        with index.snapshot() as snapshot:
            assert answers_of(snapshot) == answers(worn) != before


def test_a_snapshot_whose_unopened_segments_were_deleted_raises_moved_on(worn):
    with open_index(worn) as index:
        with index.snapshot() as late:
            with writing(worn) as writer:
                writer.compact()
            with writing(worn):
                pass  # removes the old segments' files
            with pytest.raises(MovedOn, match="has been compacted away"):
                late.nearest(QUERIES, 3)
        with index.snapshot() as snapshot:
            assert answers_of(snapshot) == answers(worn)


def test_vectors_that_wait_for_their_document_survive_an_automatic_compaction(worn, monkeypatch):
    monkeypatch.setattr(compaction, "MIN_ENDED", 1)
    monkeypatch.setattr(compaction, "MERGE_FROM", 4)
    before = answers(worn)
    with writing(worn) as writer:
        writer.pictures.put_recognised(b"k", "words")
        writer.commit()
        assert writer.known([b"pending vectors!", key_of("b 3"), key_of("a 1 common")]) == {b"pending vectors!", key_of("b 3")}
    assert sound(worn) and answers(worn) == before
    assert rows(worn, "passages WHERE ended IS NOT NULL") == 0 and rows(worn, "segments WHERE ended IS NULL") < 7
    with writing(worn) as writer:
        writer.compact()
        assert writer.known([b"pending vectors!"]) == set()


def test_small_segments_are_merged_as_they_are_made(tmp_path):
    folder = made(tmp_path / "index")
    with writing(folder) as writer:
        for at in range(100):
            put(writer, f"{at}.md", [f"text {at}"])
            writer.commit()
    assert sound(folder) and rows(folder, "segments WHERE ended IS NULL") < 2 * compaction.MERGE_FROM
    with snapshot_of(folder) as snapshot:
        (best,) = snapshot.nearest(vector_of(key_of("text 40"))[None], 1)[0]
        assert snapshot.passages([best[0]])[0].passage.text == "text 40"
    with writing(folder) as writer:
        put(writer, "late.md", ["text 40", "late"])
        writer.commit()
        assert rows(folder, "vectors") == 101
    assert sound(folder)


def test_the_catalog_shrinks(tmp_path):
    folder = made(tmp_path / "index", {f"{at}.md": ["word " * 300] for at in range(300)})
    with writing(folder) as writer:
        for at in range(290):
            writer.remove("docs", f"{at}.md")
        writer.commit()
        writer.compact()
    with writing(folder):
        pass
    assert (folder / "catalog.sqlite").stat().st_size < 300_000 and sound(folder)


# ---- repair -------------------------------------------------------------------------------------


def flip(file: Path, at: int) -> None:
    with file.open("rb+") as opened:
        opened.seek(at, 2 if at < 0 else 0)
        byte = opened.read(1)[0]
        opened.seek(-1, 1)
        opened.write(bytes([byte ^ 8]))


def test_nothing_to_repair(worn):
    before = answers(worn)
    done = repair(worn)
    assert (done.done, done.documents) == ((), ()) and answers(worn) == before


@pytest.mark.parametrize("harm", ["flip", "truncate", "remove"])
def test_documents_of_a_damaged_segment_are_named_and_read_again(worn, harm):
    file = worn / "segments" / "000002.faiss"  # holds c.md and d.md, except d.md's "shared common"
    if harm == "flip":
        flip(file, -1)
    elif harm == "truncate":
        file.write_bytes(file.read_bytes()[:-1])
    else:
        file.unlink()
    with snapshot_of(worn) as snapshot, pytest.raises(IndexDamaged, match=r"000002\.faiss"):
        snapshot.nearest(QUERIES, 3)
    before = answers_without(worn, set())
    done = repair(worn)
    assert sound(worn)
    assert answers_without(worn, {str(each) for each in done.documents}) <= before
    again = writing(worn)
    with again as writer:
        assert not any(dict(writer.stamps("docs")).get(each.path) for each in done.documents)
        for each in done.documents:
            assert writer.digest(each) is None
    assert repair(worn).done == ()


def answers_without(folder: Path, gone: set[str]) -> set[str]:
    with snapshot_of(folder) as snapshot:
        found = {str(snapshot.passages([number])[0].passage.document) for number, *_ in snapshot.containing("common b d", 1000)}
    assert not found & gone
    return found


def test_a_damaged_block_ends_only_its_own_documents(tmp_path):
    many = {f"{at:03}.md": [f"text {at} {part}" for part in range(50)] for at in range(100)}
    folder = made(tmp_path / "index", many)
    file = folder / "segments" / "000001.faiss"
    flip(file, 70_000)
    (finding,) = check_bytes(folder)
    with snapshot_of(folder) as snapshot, pytest.raises(IndexDamaged, match=r"it holds vectors of docs/040\.md"):
        snapshot.nearest(QUERIES, 3)
    done = repair(folder)
    assert sound(folder) and DocumentId("docs", "041.md") in done.documents and 41 <= len(done.documents) <= 43
    assert "docs/040.md" in finding
    with snapshot_of(folder) as snapshot:
        assert snapshot.status().documents == 100 - len(done.documents)
        assert len(snapshot.nearest(QUERIES, 9999)[0]) == 50 * (100 - len(done.documents))
    with writing(folder) as writer:
        for path in {each.path for each in done.documents}:
            put(writer, path, many[path])
        writer.commit()
    with snapshot_of(folder) as snapshot:
        assert len(snapshot.nearest(QUERIES, 9999)[0]) == 5000


def test_a_damaged_header_alone_loses_no_document(worn):
    before = answers(worn)
    flip(worn / "segments" / "000002.faiss", 3)
    done = repair(worn)
    assert len(done.done) == 1 and done.documents == () and sound(worn) and answers(worn) == before


def test_a_damaged_full_text_is_rebuilt(worn):
    before = answers(worn)
    connection = catalog.open_to_write(worn)
    with connection:
        connection.execute("DELETE FROM lexical WHERE rowid % 3 = 0; UPDATE terms SET passages = passages + 1")
    connection.close()
    assert len(check_structure(worn)) == 1
    (done,) = repair(worn).done
    assert "the full text was rebuilt" in done
    assert sound(worn) and answers(worn) == before


def test_derived_files_stay_beside_their_segment_until_a_repair(worn):
    derived = worn / "segments" / "000002.coarse"
    for name in ("000002.coarse", "000099.coarse", "000002.coarse.new"):
        (worn / "segments" / name).write_bytes(b"derived")
    with writing(worn):
        assert sorted(file.name for file in (worn / "segments").iterdir() if ".coarse" in file.name) == ["000002.coarse"]
    (done,) = repair(worn).done
    assert "1 derived file" in done and not derived.exists()


def test_the_error_about_a_damaged_catalog_says_what_to_do(worn):
    size = (worn / "catalog.sqlite").stat().st_size
    for at in range(4096 * 3 + 50, size, 4096):
        flip(worn / "catalog.sqlite", at)
    with pytest.raises(IndexDamaged) as caught:
        repair(worn)
    assert "rag index --rebuild" in caught.value.remedy
    (finding,) = check_structure(worn)
    assert "pages of 4096 bytes" in finding and ": 4, 5, 6" in finding


def test_a_plain_sqlite_can_read_the_catalog(worn):
    """The checksums are in the reserved bytes of each page, so the catalog stays an ordinary database."""
    connection = apsw.Connection(str(worn / "catalog.sqlite"), vfs="unix", flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.execute("SELECT count(*) FROM documents WHERE ended IS NULL").get == 8
    connection.close()


def test_a_reader_closes_segments_that_were_compacted_away(worn):
    with open_index(worn) as index:
        with index.snapshot() as snapshot:
            before = answers_of(snapshot)
        held = set(index._cache._rows)
        with writing(worn) as writer:
            writer.compact()
        with writing(worn):
            pass  # removes their files
        with index.snapshot() as snapshot:
            assert answers_of(snapshot) == before
        assert index._cache._rows.keys() == index._cache._structures.keys()
        assert held.isdisjoint(index._cache._rows)


def test_a_derived_file_that_a_reader_renames_meanwhile_is_no_failure(worn, monkeypatch):
    seen = Path.iterdir

    def listed_before_the_rename(folder):
        yield from seen(folder)
        yield folder / "000001.coarse.1-ab.new"

    monkeypatch.setattr(Path, "iterdir", listed_before_the_rename)
    with writing(worn):
        pass
    repair(worn)
    assert sound(worn)


def test_damage_found_after_a_commit_is_a_remark_and_the_commit_stands(tmp_path):
    folder = made(tmp_path / "index")
    with writing(folder) as writer:
        for commit in range(compaction.MERGE_FROM - 1):
            put(writer, f"{commit}.md", [f"{commit} {at} common" for at in range(2)])
            writer.commit()
        segment = sorted((folder / "segments").glob("*.faiss"))[3]
        held = bytearray(segment.read_bytes())
        held[-3] ^= 0x40
        segment.write_bytes(held)
        for name in ("last", "one more"):
            put(writer, f"{name}.md", [f"{name} words", f"{name} other"])
            writer.commit()
        assert len(writer.remarks) == 1 and segment.name in writer.remarks[0] and "rag check" in writer.remarks[0]
        assert "rag repair" in writer.remarks[0]
        assert not list((folder / "segments").glob("*.new"))
    assert check_structure(folder) == []
    with snapshot_of(folder) as snapshot:
        assert snapshot.status().documents == compaction.MERGE_FROM + 1
        assert len(snapshot.containing("words", 10)) == 2
