"""What a desktop is asked to open, what it only shows in its folder. `xdg-open` and `dbus-send` write their words down here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.errors import NotShown
from rag.media.desktop import has_desktop, is_harmless, open_in_application, reveal
from rag.types import StoredPassage, Whole
from tests.unit.media_samples import passage


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file to which the programs of a desktop write what they are called with."""
    programs, told = tmp_path / "programs", tmp_path / "told"
    programs.mkdir()
    for name in ("xdg-open", "dbus-send"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >> "{told}"\nenv | grep ^RAG_ >> "{told}"\nexit 0\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("RAG_TOKEN", "a secret of ours")
    return told


def stored(tmp_path: Path, name: str, inner: str = "") -> StoredPassage:
    (tmp_path / "corpus").mkdir(exist_ok=True)
    (tmp_path / "corpus" / name).write_bytes(b"anything")
    return passage(tmp_path / "corpus", name, "text", Whole()) if not inner else inside(tmp_path, name, inner)


def inside(tmp_path: Path, name: str, inner: str) -> StoredPassage:
    from dataclasses import replace

    one = passage(tmp_path / "corpus", name, "text", Whole())
    return replace(one, passage=replace(one.passage, inner=inner))


def test_a_harmless_file_is_opened_by_its_real_name(told: Path, tmp_path: Path) -> None:
    assert has_desktop()
    assert open_in_application(stored(tmp_path, "-h report 'q'.pdf")) == "open"
    assert told.read_text() == f"xdg-open {tmp_path}/corpus/-h report 'q'.pdf\n"  # and no setting of ours


@pytest.mark.parametrize("name", ["run.sh", "a.desktop", "page.html", "drawing.svg", "macro.xlsm", "old.doc", "tool.py", "bare"])
def test_what_a_desktop_might_run_is_only_revealed(told: Path, tmp_path: Path, name: str) -> None:
    assert open_in_application(stored(tmp_path, name)) == "reveal"
    assert "xdg-open" not in told.read_text() and f"array:string:file://{tmp_path}/corpus/{name}" in told.read_text()


def test_so_is_a_program_that_calls_itself_a_picture_and_a_file_in_a_file(told: Path, tmp_path: Path) -> None:
    one = stored(tmp_path, "photo.jpg")
    one.file.chmod(0o755)
    assert not is_harmless(one.file) and open_in_application(one) == "reveal"
    assert open_in_application(stored(tmp_path, "letters.pdf", inner="a.pdf")) == "reveal"
    assert "xdg-open" not in told.read_text()


def test_a_link_has_the_name_of_what_it_leads_to(told: Path, tmp_path: Path) -> None:
    stored(tmp_path, "evil.desktop")
    (tmp_path / "corpus/nice.pdf").symlink_to("evil.desktop")
    assert open_in_application(passage(tmp_path / "corpus", "nice.pdf", "text", Whole())) == "reveal"
    assert "evil.desktop" in told.read_text()
    (tmp_path / "corpus/out.pdf").symlink_to("/etc/passwd")
    with pytest.raises(NotShown):
        open_in_application(passage(tmp_path / "corpus", "out.pdf", "text", Whole()))


def test_signs_of_a_name_stay_in_its_address(told: Path, tmp_path: Path) -> None:
    assert reveal(stored(tmp_path, "a,b #1.txt")) == "reveal"
    assert f"file://{tmp_path}/corpus/a%2Cb%20%231.txt string:" in told.read_text()


def test_without_a_file_manager_the_folder_is_opened(told: Path, tmp_path: Path) -> None:
    (tmp_path / "programs/dbus-send").write_text("#!/bin/sh\nexit 1\n")
    assert reveal(stored(tmp_path, "a.txt")) == "reveal"
    assert told.read_text() == f"xdg-open {tmp_path}/corpus\n"
    (tmp_path / "programs/xdg-open").write_text("#!/bin/sh\nexit 4\n")
    with pytest.raises(NotShown, match="could not open"):
        reveal(stored(tmp_path, "a.txt"))


def test_without_a_display_there_is_no_desktop(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_desktop()
