"""What git tracks is read although `.gitignore` names it: real repositories, and `.git` folders that lie."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rag.corpus.walk import FileEntry, Ignored, Remark, Root, walk
from tests.unit.corpus.test_git_index import index_of

OWN = ("-c", "user.email=a@example.org", "-c", "user.name=A", "-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false")
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="makes repositories with git")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *OWN, *words], cwd=folder, check=True, capture_output=True)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"words of {name}\n")


def paths(folder: Path, under: str = "") -> list[str]:
    return [one.path for one in walk(Root("r", folder.resolve()), under) if isinstance(one, FileEntry)]


def remarks(folder: Path) -> list[str]:
    return [one.text for one in walk(Root("r", folder.resolve())) if isinstance(one, Remark)]


def repository(folder: Path, *options: str) -> Path:
    """`build/`, `*.log` and `*.pdf` are ignored; of each kind, one file is tracked all the same."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", *options)
    write(
        folder, "build/report.txt", "build/deep/er.txt", "build/other.txt", "docs/kept.log", "docs/left.log", "paper.pdf", "a.txt"
    )
    (folder / ".gitignore").write_text("build/\n*.log\n*.pdf\n")
    git(folder, "add", "-f", ".gitignore", "build/report.txt", "build/deep/er.txt", "docs/kept.log", "paper.pdf")
    return folder


READ = ["a.txt", "build/deep/er.txt", "build/report.txt", "docs/kept.log", "paper.pdf"]


@needs_git
@pytest.mark.parametrize("version", ["2", "4"])
@pytest.mark.parametrize("format", ["sha1", "sha256"])
def test_tracked_files_are_read(tmp_path: Path, version: str, format: str) -> None:
    repository(tmp_path / "repo", f"--object-format={format}")
    git(tmp_path / "repo", "update-index", "--index-version", version)
    assert paths(tmp_path / "repo") == READ
    assert paths(tmp_path / "repo", "build/deep") == ["build/deep/er.txt"]
    assert paths(tmp_path) == [f"repo/{name}" for name in READ]
    left = {one.path: one.reason for one in walk(Root("r", tmp_path / "repo")) if isinstance(one, Ignored)}
    assert left["build/other.txt"] == "excluded by r/.gitignore:1 (build/)"
    assert left["docs/left.log"] == "excluded by r/.gitignore:2 (*.log)"


@needs_git
def test_intended_additions_and_a_split_index_count_too(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    git(repo, "commit", "-qm", "one")
    git(repo, "update-index", "--split-index")
    git(repo, "add", "-N", "-f", "docs/left.log")
    assert paths(repo) == sorted([*READ, "docs/left.log"])


@needs_git
def test_ragignore_still_wins(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    (repo / ".ragignore").write_text("*.pdf\nbuild/deep/\n!docs/left.log\n")
    assert paths(repo) == ["a.txt", "build/report.txt", "docs/kept.log", "docs/left.log"]


@needs_git
def test_without_gitignore_everything_is_read(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    (repo / ".ragignore").write_text("build/other.txt\n")
    found = [one.path for one in walk(Root("r", repo), heeded=(".ragignore",)) if isinstance(one, FileEntry)]
    assert found == sorted([*READ, "docs/left.log"])


@needs_git
def test_a_submodule_and_a_work_tree_are_followed_below_the_root_alone(tmp_path: Path) -> None:
    inner = repository(tmp_path / "elsewhere")
    git(inner, "commit", "-qm", "one")
    outer = tmp_path / "corpus/outer"
    outer.mkdir(parents=True)
    git(outer, "init", "-q")
    git(outer, "submodule", "add", "-q", str(inner), "sub")
    git(outer, "commit", "-qm", "one")
    git(outer, "worktree", "add", "-q", "../tree")
    git(inner, "worktree", "add", "-q", "-b", "b", str(tmp_path / "corpus/far"))
    found = paths(tmp_path / "corpus")
    assert [name.removeprefix("outer/sub/") for name in found if name.startswith("outer/sub/")] == READ[1:]
    assert not [name for name in found if name.startswith("far/")]
    (said,) = remarks(tmp_path / "corpus")
    assert f"git tracks in {tmp_path}/corpus/far is not known (its git folder is {inner}" in said and "--no-ignore" in said


def hostile(folder: Path, index: bytes) -> Path:
    write(folder, ".git/HEAD", "a.txt", "b.log")
    (folder / ".gitignore").write_text("*.log\n")
    (folder / ".git/index").write_bytes(index)
    return folder


def test_a_damaged_index_leaves_the_rules_alone(tmp_path: Path) -> None:
    assert paths(hostile(tmp_path, index_of(b"b.log"))) == ["a.txt", "b.log"]
    hostile(tmp_path, index_of(b"b.log")[:-1] + b"?")
    assert paths(tmp_path) == ["a.txt"]
    assert remarks(tmp_path) == [
        f"what git tracks in {tmp_path} is not known (its checksum is wrong), so .gitignore decides alone; --no-ignore reads all"
    ]


def test_an_index_of_gigabytes_or_without_end_is_not_read(tmp_path: Path) -> None:
    hostile(tmp_path, b"")
    os.truncate(tmp_path / ".git/index", 4_000_000_000)
    assert paths(tmp_path) == ["a.txt"] and "4,000,000,000 bytes" in remarks(tmp_path)[0]
    (tmp_path / ".git/index").unlink()
    os.mkfifo(tmp_path / ".git/index")
    assert paths(tmp_path) == ["a.txt"] and "not a regular file" in remarks(tmp_path)[0]
    (tmp_path / ".git/index").unlink()
    (tmp_path / ".git/index").symlink_to("/dev/zero")
    assert paths(tmp_path) == ["a.txt"] and remarks(tmp_path)


def test_a_git_folder_elsewhere_says_nothing_here(tmp_path: Path) -> None:
    hostile(tmp_path / "other", index_of(b"b.log"))
    corpus = tmp_path / "corpus"
    write(corpus, "a.txt", "b.log")
    (corpus / ".gitignore").write_text("*.log\n")
    for words in ("gitdir: ../other/.git\n", "gitdir:", "nonsense", "gitdir: \0", "gitdir: " + "x" * 9_000):
        (corpus / ".git").write_text(words)
        assert paths(corpus) == ["a.txt"], words
    (corpus / ".git").unlink()
    (corpus / ".git").symlink_to(tmp_path / "other/.git")
    assert paths(corpus) == ["a.txt"] and "outside of" in remarks(corpus)[0]


def test_a_tracked_caption_stands_beside_its_picture(tmp_path: Path) -> None:
    hostile(tmp_path, index_of(b"c.jpg", b"c.txt"))
    write(tmp_path, "c.jpg", "c.txt", "d.jpg", "d.txt")
    (tmp_path / ".gitignore").write_text("*.txt\n")
    found = {one.path: one.companions for one in walk(Root("r", tmp_path)) if isinstance(one, FileEntry)}
    assert found == {"b.log": (), "c.jpg": ("c.txt",), "d.jpg": ()}
