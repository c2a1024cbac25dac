"""One file opened by several processes: they share Milvus' core, and where the process that started it is killed, go on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rag
from rag.errors import IndexFailure
from rag.index.milvus.room import MilvusRoom

HOLD = """
import sys, rag
with rag.open_index(sys.argv[1]) as searcher:
    print(searcher.query("tide")[0].document, flush=True)
    sys.stdin.read()
"""


def test_a_file_is_searched_and_written_by_several_processes_through_the_end_of_the_first(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "tide.txt").write_text("all about the tide")
    address = f"milvus-lite://{tmp_path}/shared.db"
    command = [sys.executable, "-W", "ignore", "-m", "rag.cli", "index", str(corpus), "--index", address, "-q", "--jobs", "0"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    first = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", HOLD, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None and first.stdout.readline() == "tide.txt\n"
    (corpus / "crane.txt").write_text("all about the crane")
    assert rag.build_index(corpus, index=address, jobs=0).indexed == 1  # by the core of the other process
    with rag.open_index(address) as searcher:
        assert searcher.query("crane")[0].document == "crane.txt"
        first.kill()
        first.wait()
        assert searcher.query("crane")[0].document == "crane.txt"
    assert list(MilvusRoom(address).check(read_data=True)) == []


def test_what_is_no_file_of_the_core_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("notes of another program")
    (tmp_path / "folder.db").mkdir()
    for name, reason in (("notes", "is a file of another program"), ("folder", "cannot be opened: Is a directory")):
        room = MilvusRoom(f"milvus-lite://{tmp_path}/{name}.db")
        for asked in (room.exists, lambda room=room: rag.build_index(tmp_path, index=room.place)):
            with pytest.raises(IndexFailure) as error:
                asked()
            assert error.value.what == f"{room.place} {reason}" and error.value.remedy
    assert (tmp_path / "notes.db").read_text() == "notes of another program"
    with pytest.raises(IndexFailure) as error:
        MilvusRoom("milvus-lite:///proc/nowhere/x.db").engine.collections()
    assert error.value.what == "milvus-lite:///proc/nowhere/x.db cannot be made: No such file or directory"
