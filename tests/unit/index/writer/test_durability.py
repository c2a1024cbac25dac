"""Kills, full disks, second writers, read-only folders and damage: the last commit stands, and the error says what is wrong."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import IndexDamaged, IndexFailure, IndexLocked, IndexNotFound, IndexTooNew, StorageFailed
from rag.index.catalog.index_folder import create, fingerprint_of, settings_of
from rag.index.catalog.schema import FORMAT
from rag.index.files import lock
from rag.index.reader.open_index import open_index
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.writer.writer import writing
from tests.unit.index_samples import FINGERPRINT, made, put, snapshot_of, unit_rows

ROOT = Path(__file__).parents[4]
CHILD = """
import os, resource, signal, sys
from pathlib import Path
from rag.errors import StorageFailed
from rag.index.writer.writer import writing
from tests.unit.index_samples import put, snapshot_of, unit_rows
folder = Path(sys.argv[1])
"""


def child(code: str, folder: Path, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + code, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def holds(folder: Path) -> int:
    """The number of live passages; the index must pass every check."""
    assert check_structure(folder) == [] and check_bytes(folder) == []
    with snapshot_of(folder) as snapshot:
        return len(snapshot.nearest(unit_rows(1, 1), 10_000)[0])


# ---- kills --------------------------------------------------------------------------------------

KILL_POINTS = {
    "with changes pending": "os.kill(os.getpid(), signal.SIGKILL)",
    "with the segment half written": """
import rag.index.files.durable as durable
durable.sync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
writer.commit()
""",
    "between the segment and the transaction": """
import rag.index.vectors.vector_store as module
module.record_segment = lambda *rest: os.kill(os.getpid(), signal.SIGKILL)
writer.commit()
""",
}


@pytest.mark.parametrize("point", KILL_POINTS)
def test_a_killed_run_keeps_the_last_commit_and_the_next_one_cleans_up(tmp_path, point):
    folder = made(tmp_path / "index", {"a.md": ["one"]})
    code = """
with writing(folder) as writer:
    put(writer, 'b.md', ['two'])
    writer.commit()
    put(writer, 'c.md', ['three'])
"""
    killed = child(code + "\n".join(f"    {line}" for line in KILL_POINTS[point].strip().splitlines()), folder)
    assert killed.wait() == -signal.SIGKILL, killed.stderr.read()
    assert holds(folder) == 2
    with writing(folder) as writer:
        assert sorted(file.name for file in (folder / "segments").iterdir()) == ["000001.faiss", "000002.faiss"]
        put(writer, "c.md", ["three"])
        writer.commit()
    assert holds(folder) == 3


def test_an_unfinished_index_is_not_found_and_can_be_created_again(tmp_path):
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "catalog.sqlite.new").write_bytes(b"half")
    with pytest.raises(IndexNotFound):
        open_index(folder)
    create(folder, FINGERPRINT, {})
    assert sorted(file.name for file in folder.iterdir()) == ["catalog.sqlite", "lock", "segments"]
    assert fingerprint_of(folder) == FINGERPRINT


# ---- one writer ---------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_the_first_is_named(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one"]})
    other = child("with writing(folder):\n    print('in', flush=True)\n    sys.stdin.read()", folder, stdin=subprocess.PIPE)
    assert other.stdout.readline() == "in\n"
    with pytest.raises(IndexLocked, match=f"process {other.pid} on "), writing(folder):
        pass
    with pytest.raises(IndexLocked):
        create(folder, FINGERPRINT, {})
    assert holds(folder) == 1
    other.communicate("")
    with writing(folder) as writer:
        assert writer.generation == 1
        assert json.loads((folder / "lock").read_text())["pid"] == os.getpid()
        with pytest.raises(IndexLocked, match=str(os.getpid())), writing(folder):
            pass
    assert (folder / "lock").read_text() == ""


def test_a_child_that_outlives_a_killed_writer_does_not_hold_the_lock(tmp_path):
    folder = made(tmp_path / "index")
    code = """
with writing(folder):
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        signal.pause()
    signal.pause()
"""
    killed = child(code, folder)
    orphan = int(killed.stdout.readline())
    killed.kill()
    killed.wait()
    try:
        with writing(folder) as writer:
            assert writer.generation == 1
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lock.fcntl, "flock", lambda *_: None)  # as on a network mount whose locks are local to each machine
    with pytest.raises(IndexFailure, match="without working locks"):
        create(tmp_path / "index", FINGERPRINT, {})


# ---- full disks ---------------------------------------------------------------------------------


def fill(folder: Path) -> None:
    """Commits until the disk is full."""
    with writing(folder) as writer:
        try:
            for at in range(2000):
                put(writer, f"{at}.md", [f"{at} {part} " + "words of a longer passage " * 40 for part in range(20)])
                writer.commit()
        except StorageFailed as error:
            assert "last commit is intact" in error.remedy
            with pytest.raises(StorageFailed):
                writer.commit()
            with pytest.raises(StorageFailed):
                writer.known([b"key"])
            return
    raise AssertionError("the disk never filled")


def test_a_full_disk_leaves_the_last_commit(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk; test_a_file_size_limit_leaves_the_last_commit covers the rest")
    try:
        folder = made(disk / "index", {"a.md": ["one"]})
        fill(folder)
        assert holds(folder) > 1
        fill(folder)  # opening, reading and failing again on a full disk harms nothing
        assert holds(folder) > 1
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_file_size_limit_leaves_the_last_commit(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one"]})
    code = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
from tests.unit.index.writer.test_durability import fill
fill(folder)
"""
    filled = child(code, folder)
    assert filled.wait() == 0, filled.stderr.read()
    assert holds(folder) > 1
    with writing(folder) as writer:
        put(writer, "late.md", ["late"])
        writer.commit()
    assert holds(folder) > 2


# ---- read-only ----------------------------------------------------------------------------------


READ = "import faiss\nquery = unit_rows(1, 1)\n" + ("os.setgid(65534), os.setuid(65534)\n" if os.geteuid() == 0 else "")
READ += """
with snapshot_of(folder) as snapshot:
    print(len(snapshot.nearest(query, 10)[0]), len(snapshot.containing('one', 3)))
try:
    with writing(folder): pass
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("left", ["as the writer left it", "the catalog alone", "with a log in use", "with a log alone"])
def test_a_read_only_index_can_be_searched(tmp_path, left):
    for each in (tmp_path, *tmp_path.parents[:3]):
        each.chmod(0o755)
    folder = made(tmp_path / "index", {"a.md": ["one", "two"]})
    if left == "the catalog alone":
        for file in folder.glob("catalog.sqlite-*"):
            file.unlink()
    if left.startswith("with a log"):
        killed = child(
            "with writing(folder) as writer:\n    put(writer, 'b.md', ['one'])\n    writer.commit()\n    os._exit(0)", folder
        )
        assert killed.wait() == 0
        assert (folder / "catalog.sqlite-wal").stat().st_size > 0
        if left == "with a log alone":
            (folder / "catalog.sqlite-shm").unlink()
    everything = [folder, *folder.rglob("*")]
    for each in everything:
        each.chmod(0o555 if each.is_dir() else 0o444)
    try:
        reader = child(READ, folder)
        said, complaints = reader.communicate()
    finally:
        for each in everything:
            each.chmod(0o755 if each.is_dir() else 0o644)
    if left == "with a log alone":
        assert f"{folder} is read-only, and catalog.sqlite-wal holds commits" in complaints
        return
    answers, refusal = said.splitlines() or [complaints, ""]
    assert answers == ("3 2" if left == "with a log in use" else "2 1")
    assert refusal == f"IndexFailure {folder} cannot be written: Permission denied"


# ---- damage -------------------------------------------------------------------------------------


def test_a_missing_index_is_not_found(tmp_path):
    for ask in (open_index, fingerprint_of, settings_of, check_structure, check_bytes):
        with pytest.raises(IndexNotFound):
            ask(tmp_path / "nothing")
    with pytest.raises(IndexNotFound), writing(tmp_path / "nothing"):
        pass
    assert not (tmp_path / "nothing").exists()


def test_an_index_is_not_created_over_another_or_over_a_file(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one"]})
    with pytest.raises(IndexFailure, match="already"):
        create(folder, FINGERPRINT, {})
    (tmp_path / "file").write_text("x")
    with pytest.raises(IndexFailure, match="no index can be made"):
        create(tmp_path / "file" / "index", FINGERPRINT, {})
    assert holds(folder) == 1


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_catalog_is_damage(tmp_path, content):
    folder = made(tmp_path / "index")
    (folder / "catalog.sqlite").write_bytes(content)
    for ask in (open_index, fingerprint_of, settings_of):
        with pytest.raises(IndexDamaged) as caught:
            ask(folder)
        assert "catalog.sqlite" in caught.value.what and "rebuild" in caught.value.remedy
    with pytest.raises(IndexDamaged), writing(folder):
        pass
    assert len(check_structure(folder)) == 1


def test_a_catalog_damaged_anywhere_raises_our_error_or_answers(tmp_path):
    whole = made(tmp_path / "index", {f"{at}.md": [f"one {at}", f"two {at}"] for at in range(20)})
    size = (whole / "catalog.sqlite").stat().st_size
    for start in range(100, size, size // 40):
        folder = tmp_path / "torn"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        with (folder / "catalog.sqlite").open("rb+") as file:
            file.seek(start)
            file.write(b"\xa5" * 300)
        try:
            with snapshot_of(folder) as snapshot:
                numbers = [number for number, _ in snapshot.nearest(unit_rows(1, 1), 50)[0]]
                snapshot.passages(numbers)
                snapshot.containing("one two", 10)
                snapshot.status()
        except IndexFailure as error:
            assert error.remedy


def test_a_newer_format_is_refused(tmp_path):
    import apsw

    folder = made(tmp_path / "index")
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    for ask in (open_index, fingerprint_of, check_structure):
        with pytest.raises(IndexTooNew, match=f"format {FORMAT + 1}"):
            ask(folder)


def test_a_segment_is_verified_against_the_catalog_before_it_is_parsed(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one"], "b.md": ["two"]})
    file = folder / "segments" / "000001.faiss"
    good = file.read_bytes()
    for bad, said in ((good[:-1], "bytes"), (b"\xff" + good[1:], "header"), (good[:60] + b"\x01" + good[61:], "header")):
        file.write_bytes(bad)
        with snapshot_of(folder) as snapshot:
            with pytest.raises(IndexDamaged, match=said):
                snapshot.nearest(unit_rows(1, 1), 1)
            with pytest.raises(IndexDamaged, match=said):
                snapshot.vectors([1])
            assert snapshot.containing("one", 1) != []
        assert any("docs/a.md" in finding and "000001.faiss" in finding for finding in check_structure(folder))
    file.unlink()
    with snapshot_of(folder) as snapshot, pytest.raises(IndexDamaged, match="cannot be read"):
        snapshot.nearest(unit_rows(1, 1), 1)
    assert any("cannot be read" in finding for finding in check_bytes(folder))


def test_a_flipped_bit_is_found_and_its_documents_are_named(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one"]})
    with writing(folder) as writer:
        put(writer, "b.md", ["two"])
        writer.commit()
    file = folder / "segments" / "000002.faiss"
    content = bytearray(file.read_bytes())
    content[-3] ^= 16
    file.write_bytes(content)
    assert check_structure(folder) == []
    (finding,) = check_bytes(folder)
    assert str(file) in finding and "docs/b.md" in finding and "docs/a.md" not in finding


def test_the_limits_of_this_process_are_unchanged():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
