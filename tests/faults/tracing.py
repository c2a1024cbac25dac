"""Runs an operation under `strace`: records its system calls, or makes one of them fail or kill the process.

Knows strace's lines; knows nothing of what an index is.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHANGES = ("write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "ftruncate")
_LINE = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?P<name>\w+)\((?P<rest>.*)$")
_PATHS = re.compile(r'<(?P<open>/[^>]*)>|"(?P<named>[^"]*)"')


@dataclass(frozen=True)
class Call:
    """One system call that changes a file: its name, and the file names in its arguments."""

    name: str
    paths: tuple[str, ...]
    nth: int  # among the calls with that name, from 1


def need_strace() -> None:
    """Skips the test where strace is missing or may not trace."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt-get install strace")
    tried = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.decode().strip()}")


def calls_of(operation: str, folder: Path, log: Path) -> list[Call]:
    """The calls of a complete run that change files below the folder, in order."""
    run = _run(["-y", "-o", str(log), "-e", f"trace={','.join(CHANGES)}"], operation, folder)
    assert run.returncode == 0, run.stderr
    counts = dict.fromkeys(CHANGES, 0)
    found = []
    for line in log.read_text(errors="replace").splitlines():
        match = _LINE.match(line)
        if match and match["name"] in counts:
            counts[match["name"]] += 1
            paths = [one["open"] or one["named"] for one in _PATHS.finditer(match["rest"])]
            inside = tuple(Path(path).name for path in paths if path.startswith(str(folder)))
            if inside:
                found.append(Call(match["name"], inside, counts[match["name"]]))
    return found


def with_fault(operation: str, folder: Path, call: Call, fault: str) -> subprocess.CompletedProcess[str]:
    """Runs the operation with a fault at one call: `signal=SIGKILL`, or `error=EIO` there and, with `+`, at all later ones."""
    later = "+" if fault.endswith("+") else ""
    options = ["-e", f"trace={call.name}", "-e", f"inject={call.name}:{fault.rstrip('+')}:when={call.nth}{later}"]
    return _run(["-o", "/dev/null", *options], operation, folder)


def _run(options: list[str], operation: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = ["strace", "-f", "-qq", *options, sys.executable, "-X", "frozen_modules=on", "-m", "tests.faults.operations"]
    return subprocess.run([*words, operation, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
