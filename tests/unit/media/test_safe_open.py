"""Only files inside their root are opened, whatever links, pipes or races do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.errors import NotShown
from rag.media.safe_open import open_original
from tests.unit.media_samples import passage


def test_only_files_inside_their_root_are_opened(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "sub", root / ".hidden", outside):
        folder.mkdir(parents=True)
    for file in (root / "a.txt", root / "sub/b.txt", root / ".hidden/c.txt", root / ".d.txt", outside / "secret.txt"):
        file.write_text(file.name)
    (root / "out.txt").symlink_to(outside / "secret.txt")
    (root / "way").symlink_to(outside)
    (root / "in.txt").symlink_to("sub/b.txt")
    (root / "dot.txt").symlink_to(".hidden/c.txt")
    os.mkfifo(root / "pipe.txt")
    for path, content in [("a.txt", b"a.txt"), ("sub/b.txt", b"b.txt"), ("in.txt", b"b.txt")]:
        with open_original(passage(root, path, "text")) as original:
            assert os.read(original.fd, 100) == content
    refused = [
        "out.txt",
        "way/secret.txt",
        "dot.txt",
        ".d.txt",
        ".hidden/c.txt",
        "pipe.txt",
        "sub",
        "gone.txt",
        "../outside/secret.txt",
    ]
    for path in (*refused, "", "sub/../a.txt", "/etc/passwd", "a\0.txt"):
        with pytest.raises(NotShown), open_original(passage(root, path, "text")):
            pass


def test_a_file_swapped_for_a_link_while_it_is_checked_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub/a.txt").write_text("a")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/a.txt").write_text("secret")
    true_realpath = os.path.realpath

    def swapped_after(path: os.PathLike[str], **options: bool) -> str:
        real = true_realpath(path, **options)
        if real.endswith("a.txt"):
            (root / "sub").rename(root / "moved")
            (root / "sub").symlink_to(tmp_path / "secret")
        return real

    monkeypatch.setattr(os.path, "realpath", swapped_after)
    with pytest.raises(NotShown), open_original(passage(root, "sub/a.txt", "text")):
        pass
