"""The stored columns give what the catalog gives, whatever changed since, and every search works without them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rag.index.reader import columns
from rag.index.reader.columns import columns_file
from rag.index.reader.open_index import open_index
from rag.index.writer.writer import writing
from tests.unit.index_samples import made, put, snapshot_of, unit_rows


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(columns, "WORTH_KEEPING", 20)
    return made(tmp_path / "index", {f"{at}.md": [f"{at} a", f"{at} b"] for at in range(15)})


def seen(folder: Path) -> list[tuple[str, float]]:
    """(text, score) of everything the dense lane finds."""
    with snapshot_of(folder) as snapshot:
        found = snapshot.nearest(unit_rows(1, 1), 1000)[0]
        stored = snapshot.passages([number for number, _ in found])
        return [(each.passage.text, score) for each, (_, score) in zip(stored, found, strict=True)]


def without_columns(folder: Path) -> list[tuple[str, float]]:
    """The same, from a copy of the index without its columns file."""
    other = folder.with_name("bare")
    shutil.copytree(folder, other)
    columns_file(other).unlink(missing_ok=True)
    found = seen(other)
    shutil.rmtree(other)
    return found


def test_columns_are_stored_once_there_are_many_rows_and_later_changes_are_applied(folder):
    assert not columns_file(folder).exists()
    assert len(seen(folder)) == 30
    first = columns_file(folder).stat().st_mtime_ns
    for step in range(6):
        with writing(folder) as writer:
            put(writer, f"{step}.md", [f"changed {step}"])
            writer.remove("docs", f"{14 - step}.md")
            put(writer, f"new {step}.md", [f"new {step}"] if step % 2 else [f"{step} a"])
            writer.commit()
        assert seen(folder) == without_columns(folder)
        kept = columns_file(folder).stat().st_mtime_ns == first
        assert kept == (step < 3), step  # 7 changes per step: from 20 changes on, the columns are stored again
        if not kept:
            break
    assert len(seen(folder)) == len(without_columns(folder)) == 30 - 2 * 8 + 8


def test_a_snapshot_keeps_its_generation(folder):
    def count(snapshot):
        return len(snapshot.nearest(unit_rows(1, 1), 1000)[0])

    with open_index(folder) as index:
        with index.snapshot() as before:
            with writing(folder) as writer:
                writer.remove("docs", "3.md")
                writer.commit()
            assert len(seen(folder)) == 28 and columns_file(folder).exists()
            assert (before.generation, count(before)) == (1, 30)
        with index.snapshot() as after:
            assert (after.generation, count(after)) == (2, 28)


def test_a_damaged_columns_file_is_detected_and_rewritten(folder):
    wanted = seen(folder)
    file = columns_file(folder)
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    for at in random.integers(0, len(whole), 60).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(random.integers(8))
        file.write_bytes(damaged)
        assert seen(folder) == wanted
        assert file.read_bytes() == whole
    for length in (0, 1, 15, 40, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert seen(folder) == wanted


def test_columns_of_a_catalog_that_was_restored_from_a_backup_are_not_used(folder):
    old = folder.with_name("old")
    shutil.copytree(folder, old)
    with writing(folder) as writer:
        put(writer, "later.md", ["later"])
        writer.commit()
    assert len(seen(folder)) == 31
    for file in ("catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"):
        (folder / file).unlink(missing_ok=True)
    shutil.copy(old / "catalog.sqlite", folder)
    assert len(seen(folder)) == 30
    with writing(folder) as writer:
        put(writer, "another.md", ["another"])
        writer.commit()
    assert len(seen(folder)) == 31 and "another" in dict(seen(folder)) and "later" not in dict(seen(folder))


def test_columns_of_another_history_of_the_same_index_are_not_used(folder):
    """Both histories end one passage, in commits with the same number, and have the same last passage."""
    assert len(seen(folder)) == 30
    columns_file(folder).unlink()
    old = Path(shutil.copytree(folder, folder.with_name("old")))
    for kept, gone in ((old, "3.md"), (folder, "4.md")):
        with writing(kept) as writer:
            writer.remove("docs", gone)
            writer.commit()
        assert len(seen(kept)) == 28 and columns_file(kept).exists()
    shutil.copy(columns_file(old), columns_file(folder))
    assert {text.split()[0] for text, _ in seen(folder)} == {str(at) for at in range(15) if at != 4}


def test_an_index_whose_columns_cannot_be_written_is_complete(folder):
    columns_file(folder).mkdir()
    assert len(seen(folder)) == 30


def test_an_index_that_lost_all_its_passages_opens(folder):
    assert len(seen(folder)) == 30
    with writing(folder) as writer:
        for at in range(15):
            writer.remove("docs", f"{at}.md")
        writer.commit()
    assert seen(folder) == []
