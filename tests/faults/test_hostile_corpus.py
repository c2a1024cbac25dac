"""More than 500 bad files through the real command line: each is indexed or skipped with a true reason, and the run goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.faults.hostile.bad import write_all
from tests.faults.hostile.corpus import bad_files
from tests.faults.hostile.places import UNPRIVILEGED

ROOT = Path(__file__).parents[2]
BAD = bad_files()
MEMORY = 2_000_000_000  # bytes: what the run is given, and what no file of them may make it exceed

# Runs the command and prints, as the last line of stderr, the most bytes that it and all its readers held at one time.
MEASURED = """
import os, subprocess, sys, threading, time
from pathlib import Path

command = subprocess.Popen([sys.executable, "-m", "rag.cli", *sys.argv[1:]])
most = 0

def held(process):
    try:
        own = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
    return own + sum(map(held, below(process)))

def below(process):  # each thread has the processes that it started
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            yield from thread.read_text().split()
        except OSError:
            pass

while command.poll() is None:
    most = max(most, held(command.pid))
    time.sleep(0.02)
print(most, file=sys.stderr)
sys.exit(command.returncode)
"""


@dataclass(frozen=True)
class Run:
    """What became of the corpus in one run."""

    folder: Path
    code: int
    report: dict[str, Any]
    out: str
    err: str
    memory: int
    fates: dict[bytes, str]
    reasons: dict[bytes, str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("hostile")
    write_all(folder / "corpus", BAD)
    done = _rag(folder, "index", "corpus", "--json", "--max-memory", str(MEMORY), wrapped=("-c", MEASURED))
    report = json.loads(done.stdout)
    rows = list(
        apsw.Connection(str(folder / "indexes/default/catalog.sqlite")).execute(
            "SELECT path, skipped FROM documents WHERE ended IS NULL"
        )
    )
    fates = {bytes(path): "indexed" if skipped is None else "skipped" for path, skipped in rows}
    reasons = {bytes(path): skipped for path, skipped in rows if skipped is not None}
    for one in report["skipped"]:  # names that cannot be kept stand in the report alone
        path = (
            one["document"].encode().decode("unicode_escape").encode("utf-8", "surrogateescape")
            if "\\udc" in one["document"]
            else b""
        )
        if path:
            fates[path], reasons[path] = "skipped", one["reason"]
    *said, memory = done.stderr.strip().splitlines()
    return Run(folder, done.returncode, report, done.stdout, "\n".join(said), int(memory), fates, reasons)


def _rag(folder: Path, *words: str, wrapped: tuple[str, ...] = ("-m", "rag.cli")) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    without = UNPRIVILEGED if UNPRIVILEGED and shutil.which(UNPRIVILEGED[0]) else ()
    return subprocess.run(
        [*without, sys.executable, *wrapped, *words],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=900,
    )


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 500


def test_the_run_ends_well(run: Run) -> None:
    assert run.code == 0
    assert "Traceback" not in run.err
    assert run.report["indexed"] + run.report["reused"] == list(run.fates.values()).count("indexed")


def test_each_has_the_fate_it_must_have(run: Run) -> None:
    wrong = []
    for bad in BAD:
        path = os.fsencode(bad.path)
        fate, reason = run.fates.get(path, "ignored"), run.reasons.get(path, "")
        if bad.fate == "either" and fate == "ignored" and not bad.path.startswith(("places/", "names/")):
            wrong.append((bad.path, bad.fate, fate, reason))
        if bad.fate not in ("either", fate) or (fate == "skipped" and bad.reason and not re.search(bad.reason, reason)):
            wrong.append((bad.path, bad.fate, fate, reason))
    assert not wrong, "\n".join(map(str, wrong))


def test_every_reason_is_for_a_person(run: Run) -> None:
    """No Python or errno in it, no path of this machine, nothing that a terminal obeys, not too long."""
    bad = [
        (path, reason)
        for path, reason in run.reasons.items()
        if re.search(r"Errno|Error\b|object has no|Traceback|0x[0-9a-f]{6}", reason)
        or str(run.folder) in reason
        or len(reason) > 300
        or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in reason)
    ]
    assert bad == []


@pytest.mark.skipif(sys.platform != "linux", reason="measured through /proc")
def test_memory_stays_bounded(run: Run) -> None:
    assert run.memory < MEMORY


def test_nothing_is_looked_at_twice(run: Run) -> None:
    again = json.loads(_rag(run.folder, "index", "--json").stdout)
    unkept = [one for one in again["skipped"] if re.search("not UTF-8|[Pp]ermission|ignore file", one["reason"])]
    assert (again["indexed"], again["embedded"], len(again["skipped"])) == (0, 0, len(unkept))


def test_no_name_controls_the_terminal(run: Run) -> None:
    for words in (
        ("query", "dredger north mole slack water", "-k", "100"),
        ("status",),
        ("index", "--rebuild", "--ocr", "never"),
    ):
        done = _rag(run.folder, *words)
        letters = {letter for letter in done.stdout + done.stderr if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp")}
        assert done.returncode == 0
        assert letters <= {"\n", "\u200d"}, words  # the joiner inside emoji


def test_texts_with_hostile_names_are_found(run: Run) -> None:
    found = json.loads(_rag(run.folder, "query", "dredger Kestrel north mole", "-k", "100", "--no-fold", "--json").stdout)
    named = {one["document"] for one in found if one["document"].startswith("names/")}
    wanted = {bad.path for bad in BAD if bad.path.startswith("names/") and bad.fate == "indexed"}
    assert wanted - named == set()
    assert not (run.folder / "owned").exists()


def test_the_index_is_whole(run: Run) -> None:
    assert _rag(run.folder, "check", "--read-data").returncode == 0
