"""The walk and the comparison with what is stored, on real folders."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from rag.corpus.walk import FileEntry, Ignored, Inaccessible, Root, ScanEvent, walk
from rag.indexing.roots import Target
from rag.indexing.scan import Change, ChangeDetector
from rag.indexing.tally import RunTally


def write(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"words")


def paths(folder: Path, under: str = "") -> list[str]:
    return [item.path for item in walk(Root("r", folder.resolve()), under) if isinstance(item, FileEntry)]


def reasons(folder: Path) -> dict[str, str]:
    return {item.path: item.reason for item in walk(Root("r", folder.resolve())) if isinstance(item, Ignored | Inaccessible)}


def test_the_order_is_that_of_the_bytes_of_the_path(tmp_path: Path) -> None:
    names = ["a.txt", "a/b.txt", "a-b/c.txt", "B.txt", "é.txt", "a/z/é.txt", "文档.txt", "a0.txt"]
    write(tmp_path, *names)
    assert paths(tmp_path) == sorted(names, key=lambda name: name.encode())


def test_hidden_files_and_ignore_rules(tmp_path: Path) -> None:
    write(tmp_path, ".secret", ".git/config", "keep.txt", "build/out.txt", "a.log", "sub/b.log", "sub/keep.log", "private.md")
    (tmp_path / ".gitignore").write_text("build/\n*.log\n")
    (tmp_path / "sub/.gitignore").write_text("!keep.log\n")
    (tmp_path / ".ragignore").write_text("private.md\n")
    assert paths(tmp_path) == ["keep.txt", "sub/keep.log"]
    assert reasons(tmp_path)["build"] == "excluded by r/.gitignore:1 (build/)"
    assert reasons(tmp_path)["private.md"] == "excluded by r/.ragignore:1 (private.md)"
    assert reasons(tmp_path)[".git"] == "hidden"


def test_a_part_of_a_root_keeps_the_rules_above_it(tmp_path: Path) -> None:
    write(tmp_path, "sub/deep/a.log", "sub/deep/a.txt", "other.txt")
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert paths(tmp_path, "sub/deep") == ["sub/deep/a.txt"]
    assert paths(tmp_path, "sub/deep/a.txt") == ["sub/deep/a.txt"]
    assert paths(tmp_path, "sub/deep/a.log") == []


def test_links_sockets_and_fifos(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside.txt"
    write(root, "real.txt", "folder/inner.txt")
    outside.write_text("secret")
    (root / "leaves.txt").symlink_to(outside)
    (root / "stays.txt").symlink_to(root / "real.txt")
    (root / "loop").symlink_to(root)
    (root / "broken.txt").symlink_to(root / "nothing")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "door"))
    assert paths(root) == ["folder/inner.txt", "real.txt", "stays.txt"]
    assert reasons(root) == {
        "leaves.txt": "a link that leaves the root",
        "loop": "a link to a folder of the same root",
        "broken.txt": "a broken link",
        "pipe": "not a regular file (socket, FIFO or device)",
        "door": "not a regular file (socket, FIFO or device)",
    }


def test_companions_belong_to_the_file_beside_them(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "a.jpg.txt", "b.png", "b.txt", "v.mp4", "v.srt", "v.en.vtt", "alone.srt", "alone.txt")
    found = {item.path: item for item in walk(Root("r", tmp_path.resolve())) if isinstance(item, FileEntry)}
    assert sorted(found) == ["a.jpg", "alone.srt", "alone.txt", "b.png", "v.mp4"]
    assert found["a.jpg"].companions == ("a.jpg.txt",)
    assert found["b.png"].companions == ("b.txt",)
    assert found["v.mp4"].companions == ("v.en.vtt", "v.srt")
    before = found["b.png"].stamp
    (tmp_path / "b.txt").write_text("another caption")
    again = next(item for item in walk(Root("r", tmp_path.resolve()), "b.png") if isinstance(item, FileEntry))
    assert again.stamp != before


def test_a_long_text_beside_a_picture_is_also_a_document(tmp_path: Path) -> None:
    write(tmp_path, "report.png")
    (tmp_path / "report.txt").write_text("word " * 1000)
    assert paths(tmp_path) == ["report.png", "report.txt"]


def test_empty_texts_are_ignored_and_empty_pictures_are_not(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    for name in ("__init__.py", "empty.png", "empty.pdf"):
        (tmp_path / name).touch()
    assert paths(tmp_path) == ["a.txt", "empty.pdf", "empty.png"]
    assert reasons(tmp_path) == {"__init__.py": "empty"}


def test_an_index_in_the_folder_is_not_walked(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "indexes/default/catalog.sqlite", "indexes/default/segments/1.faiss")
    assert paths(tmp_path) == ["a.txt"]
    assert reasons(tmp_path) == {"indexes/default": "an index of this program"}


def test_a_name_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system refuses such names itself")
    assert reasons(tmp_path) == {"caf\\udce9.txt": "its name is not UTF-8: rename it"}


def found(path: str, stamp: str = "1") -> FileEntry:
    return FileEntry(path, stamp, 0.0, ())


class Stored:
    """What an index knows of the files of its one root."""

    def __init__(self, *stamps: tuple[str, str]) -> None:
        self._stamps = stamps

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        return iter(self._stamps)


def compared(seen: Iterable[ScanEvent], *stored: tuple[str, str]) -> tuple[list[Change], list[str], RunTally]:
    tally = RunTally()
    changes = ChangeDetector(Target(Root("r", Path("/r"))), Stored(*stored), tally, frozenset())
    return [change for one in seen if (change := changes.classify(one))], changes.gone(), tally


def test_compare_tells_new_changed_unchanged_and_gone() -> None:
    seen = [found("a"), found("b", "2"), found("d")]
    changed, gone, tally = compared(seen, ("a", "1"), ("b", "1"), ("c", "1"), ("e", "1"))
    assert changed == [Change(found("b", "2"), known=True), Change(found("d"), known=False)]
    assert (gone, tally.unchanged, tally.notes) == (["c", "e"], 1, [])


def test_what_lies_below_a_blocked_folder_is_not_gone() -> None:
    stored = [("private/a", "1"), ("private/b/c", "1"), ("privateer", "1"), ("z", "1")]
    assert compared([Inaccessible("private", "no permission"), found("z")], *stored)[1] == ["privateer"]
    assert compared([Inaccessible("", "no permission")], *stored)[1] == []


def test_an_empty_root_removes_nothing_from_the_index() -> None:
    _, gone, tally = compared([Ignored("a", "empty")], ("b", "1"))
    assert gone == []
    assert tally.notes == [
        "/r is empty, and the index holds 1 document of it, which is kept. If they are gone for good: rag rm /r"
    ]


def test_folders_may_be_a_thousand_deep(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("bottom.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    (tmp_path / "top.txt").write_text("words")
    try:
        assert (reasons(tmp_path), paths(tmp_path)) == ({"d/" * 1_200 + "bottom.txt": "empty"}, ["top.txt"])
    finally:
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # pytest itself cannot: it recurses once per folder


def test_only_a_readable_file_of_the_root_is_a_companion(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside.txt"
    write(root, *(f"{name}.jpg" for name in "abcdef"), "e.txt", "real.txt")
    outside.write_text("a secret")
    (root / "a.txt").symlink_to(outside)
    (root / "b.txt").symlink_to(root / "nothing")
    (root / "c.txt").mkdir()
    os.mkfifo(root / "d.txt")
    (root / "f.txt").symlink_to(root / "real.txt")
    (root / ".ragignore").write_text("e.txt\n")
    found = {item.path: item.companions for item in walk(Root("r", root.resolve())) if isinstance(item, FileEntry)}
    assert found == {"a.jpg": (), "b.jpg": (), "c.jpg": (), "d.jpg": (), "e.jpg": (), "f.jpg": ("f.txt",), "real.txt": ()}


def test_invalid_rules_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, "a.log", "b.txt", "[z-a]")
    (tmp_path / ".gitignore").write_bytes(b"!\n[z-a]\n\\\n[[a]\n\xff\xfe\n*.log\n")
    assert paths(tmp_path) == ["[z-a]", "b.txt"]


def test_a_folder_whose_rules_cannot_be_read_is_not_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.txt", "sub/b.txt", "sub/deep/c.txt", "sub/.gitignore")
    real = os.open

    def refusing(file: Path | str, flags: int, mode: int = 0o777, **also: int) -> int:
        if Path(file).name == ".gitignore":
            raise PermissionError(13, "Permission denied")
        return real(file, flags, mode, **also)

    monkeypatch.setattr("rag.corpus.ignore.os.open", refusing)
    assert paths(tmp_path) == ["a.txt"]
    assert reasons(tmp_path)["sub"] == "its ignore file cannot be read: Permission denied"
    stored = [("a.txt", ""), ("sub/b.txt", "1"), ("sub/deep/c.txt", "1")]
    assert compared(walk(Root("r", tmp_path.resolve())), *stored)[1] == []
    assert paths(tmp_path, "sub/deep") == []
    assert compared(walk(Root("r", tmp_path.resolve()), "sub/deep"), *stored[2:])[1] == []
