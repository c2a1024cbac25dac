"""What a reader knows of a further space, brought up to each commit, is what the catalog says, whatever changed since."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rag.index.reader import members
from rag.index.reader.members import Members, members_file
from rag.index.reader.open_index import open_index
from rag.index.upkeep import compaction
from rag.index.upkeep.repair import repair
from rag.index.vectors.row_mask import _order
from rag.index.writer.writer import Writer, writing
from tests.faults.operations import OTHER, fill_some, other_vector
from tests.unit.index_samples import made, put, snapshot_of


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(members, "WORTH_KEEPING", 10)
    monkeypatch.setattr(compaction, "MERGE_FROM", 3)
    folder = made(tmp_path / "index", {f"{at}.md": [f"{at} a", f"{at} b"] for at in range(15)})
    with writing(folder) as writer:
        writer.spaces.add(OTHER.model, OTHER, {})
        fill_some(writer, 20)
        writer.commit()
    return folder


def held(snapshot) -> set[str]:
    """The texts that have a vector in the further space, each compared with its own."""
    (space,) = snapshot.spaces
    numbers, rows = snapshot.vectors_in(space.number, snapshot.live.numbers.tolist())
    texts = [one.passage.text for one in snapshot.passages(numbers)]
    for text, row in zip(texts, rows, strict=True):
        np.testing.assert_allclose(row, other_vector(text), atol=1e-3)
    return set(texts)


def seen(folder: Path) -> set[str]:
    with snapshot_of(folder) as snapshot:
        return held(snapshot)


def without_file(folder: Path) -> set[str]:
    other = folder.with_name("bare")
    shutil.copytree(folder, other)
    for file in other.glob("passages.members*"):
        file.unlink()
    found = seen(other)
    shutil.rmtree(other)
    return found


def change(writer: Writer, step: int) -> None:
    put(writer, f"new {step}.md", [f"new {step} a", f"new {step} b"])
    writer.remove("docs", f"{step}.md")
    if step % 3 == 2:
        writer.compact()
    fill_some(writer, 2)
    writer.commit()


def test_a_reader_that_stays_sees_what_a_new_one_sees(folder):
    with open_index(folder) as index:
        for step in range(12):
            with writing(folder) as writer:
                change(writer, step)
            with index.snapshot() as snapshot:
                assert held(snapshot) == seen(folder) == without_file(folder)


def test_only_what_was_added_is_read(folder, monkeypatch):
    read: list[int] = []
    whole = members._read_rows

    def counted(*asked):
        rows = whole(*asked)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(members, "_read_rows", counted)
    with open_index(folder) as index:
        for _ in range(3):
            with index.snapshot() as snapshot:
                held(snapshot)
            with writing(folder) as writer:
                fill_some(writer, 1)
                writer.commit()
    assert read == [20, 1, 1] and members_file(folder, 1).exists()
    read.clear()
    assert len(seen(folder)) == 23 and read == [3]  # another process reads the file, and what came after it


def test_an_older_snapshot_keeps_what_it_has(folder):
    with open_index(folder) as index, index.snapshot() as before:
        with writing(folder) as writer:
            fill_some(writer, 5)
            writer.commit()
        with open_index(folder) as other, other.snapshot() as after:
            assert len(held(after)) == 25
        assert len(held(before)) == 20


def test_a_repair_takes_vectors_away(folder):
    with open_index(folder) as index:
        with index.snapshot() as snapshot:
            assert len(held(snapshot)) == 20
        damaged = max((folder / "segments").glob("*.faiss"))
        content = bytearray(damaged.read_bytes())
        content[-10] ^= 1
        damaged.write_bytes(content)
        assert any("of other are made again" in line for line in repair(folder).done)
        with index.snapshot() as snapshot:
            assert held(snapshot) == without_file(folder) and len(held(snapshot)) < 20


def test_a_dropped_space_takes_its_file_with_it(folder):
    assert len(seen(folder)) == 20 and members_file(folder, 1).exists()
    with writing(folder) as writer:
        writer.spaces.drop(writer.spaces.named(OTHER.model))
        writer.commit()
    with writing(folder) as writer:
        assert not members_file(folder, 1).exists()
        writer.spaces.add(OTHER.model, OTHER, {})
        fill_some(writer, 12)
        writer.commit()
    assert len(seen(folder)) == 12 and members_file(folder, 2).exists()


@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_damaged_file_is_detected_and_rewritten(folder, at):
    expected = seen(folder)
    file = members_file(folder, 1)
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    assert seen(folder) == expected
    assert file.read_bytes() != bytes(content)


def test_the_file_of_a_catalog_that_was_restored_is_not_used(folder, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    for place, most in ((folder, 3), (old, 4)):
        with writing(place) as writer:
            fill_some(writer, most)
            writer.commit()
    assert len(seen(old)) == 24
    shutil.copy(members_file(old, 1), members_file(folder, 1))  # of the same generation, and another commit
    assert len(seen(folder)) == 23


def test_a_folder_that_cannot_be_written_is_read_every_time(folder):
    members_file(folder, 1).mkdir()
    assert len(seen(folder)) == 20


@pytest.mark.parametrize("contents", [[], [5], [2, 3, 9], [1, 10**9]])
def test_the_vectors_of_contents(contents):
    space = Members(1, 0, 0, np.array(contents, np.int64), np.arange(1, len(contents) + 1))
    asked = np.array([0, 1, 2, 3, 4, 5, 9, 10, 10**9, 10**9 + 1])
    known = dict(zip(contents, range(1, len(contents) + 1), strict=True))
    assert space.of(asked).tolist() == [known.get(each, 0) for each in asked.tolist()]


def test_the_order_is_that_of_a_stable_sort():
    chance = np.random.default_rng(0)
    for vectors in (chance.integers(1, 50, 300), chance.integers(1, 2**60, 300), np.arange(300)[::-1].copy(), np.r_[5:300, 1:5]):
        assert (_order(vectors) == np.argsort(vectors, kind="stable")).all()
