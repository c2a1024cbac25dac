"""Opens a file of the corpus in its application, or shows it in its folder, on the desktop of the user who runs this process.

Knows the programs of desktops, and which files are harmless to open; knows no HTTP and who may ask for it.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from rag.corpus.file_types import PICTURE_SUFFIXES, VIDEO_SUFFIXES, suffix_of
from rag.errors import NotShown
from rag.media.safe_open import open_original
from rag.types import StoredPassage

Done = Literal["open", "reveal"]

# Formats whose applications run nothing of the file. A desktop would run programs and starters, a browser the scripts of HTML and
# SVG, an office program the macros of its older formats: those are shown in their folder, where a person decides.
OPENED = PICTURE_SUFFIXES | VIDEO_SUFFIXES | {".pdf", ".txt", ".md", ".markdown", ".log", ".docx", ".xlsx", ".pptx"}
_PATIENCE = 3.0  # seconds for a program that says whether it worked; one that takes longer has started the application itself


def has_desktop() -> bool:
    """Whether this process runs in a session with a desktop that opens files."""
    if sys.platform == "darwin":
        return shutil.which("open") is not None
    shows = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(shows) and shutil.which("xdg-open") is not None


def open_in_application(stored: StoredPassage) -> Done:
    """Opens the file of a passage in its application; one that might be run, or lies in another file, is revealed. NotShown."""
    file = _real_file(stored)
    if not is_harmless(file) or stored.passage.inner:
        return reveal(stored)
    _start([["open", str(file)]] if sys.platform == "darwin" else [["xdg-open", str(file)]])
    return "open"


def reveal(stored: StoredPassage) -> Done:
    """Shows the file of a passage in its folder. NotShown."""
    file = _real_file(stored)
    if sys.platform == "darwin":
        _start([["open", "-R", str(file)]])
    else:
        _start([_show_items(file), ["xdg-open", str(file.parent)]])
    return "reveal"


def is_harmless(file: Path) -> bool:
    """Whether a desktop would only show the file: by its format, and because it is not marked as a program."""
    runs = file.stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return suffix_of(file.name) in OPENED and not runs


def _real_file(stored: StoredPassage) -> Path:
    """The file without links: its name is that of what is opened. NotShown where it is gone, hidden or outside its root."""
    with open_original(stored) as original:
        file = Path(os.path.realpath(stored.file))
        seen = file.stat()
        if not original.stamp.startswith(f"{seen.st_dev}:{seen.st_size}:"):
            raise NotShown(f"{stored.passage.document} has changed just now", remedy="try again")
    return file


def _show_items(file: Path) -> list[str]:
    """The call to the file manager of a desktop, which shows the folder with the file selected."""
    name = "org.freedesktop.FileManager1"
    address = "file://" + quote(os.fsencode(file), safe="/")
    call = ["dbus-send", "--session", "--print-reply", "--reply-timeout=2000", f"--dest={name}", "/org/freedesktop/FileManager1"]
    return [*call, f"{name}.ShowItems", f"array:string:{address}", "string:"]


def _start(commands: Sequence[Sequence[str]]) -> None:
    """Runs the first command that works. NotShown where none does."""
    for command in commands:
        if shutil.which(command[0]) and _works(command):
            return
    raise NotShown("this desktop could not open it", remedy="copy its path, and open it from there")


def _works(command: Sequence[str]) -> bool:
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=_environment(os.environ),
    )
    try:
        return child.wait(_PATIENCE) == 0
    except subprocess.TimeoutExpired:
        return True


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """What an application may know: none of our settings and keys."""
    return {name: value for name, value in given.items() if not name.startswith("RAG_")}
