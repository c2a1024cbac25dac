"""Hostile and broken folders: every bad file is reported with its reason, and the run goes on."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import SAMPLES, Ran


def test_every_broken_sample_is_skipped_with_its_reason(tmp_path: Path, rag: Callable[..., Ran]) -> None:
    shutil.copytree(SAMPLES / "broken", tmp_path / "broken")
    done = rag("index", "broken", "--json")
    assert done.code == 0
    reasons = {one["document"]: one["reason"] for one in done.json["skipped"]}
    files = {file.name for file in (tmp_path / "broken").iterdir() if file.suffix != ".md"}
    assert set(reasons) == files
    assert all(len(reason) > 5 and "Traceback" not in reason and "Error" not in reason for reason in reasons.values())
    strict = rag("index", "broken", "--strict", "--rebuild")
    assert strict.code == 5
    status = rag("status", "--json").json
    assert {one["document"] for one in status["skipped"]} == files
    again = rag("index", "broken", "--json").json
    assert (again["unchanged"], again["skipped"]) == (len(files) + again["indexed"], [])


def test_random_bytes_under_every_name_are_skipped(tmp_path: Path, rag: Callable[..., Ran]) -> None:
    noise = random.Random(7)
    folder = tmp_path / "noise"
    folder.mkdir()
    suffixes = [
        "txt",
        "md",
        "pdf",
        "jpg",
        "png",
        "webp",
        "gif",
        "bmp",
        "tiff",
        "heic",
        "avif",
        "mp4",
        "mov",
        "mkv",
        "webm",
        "avi",
        "ts",
        "docx",
        "pptx",
        "xlsx",
        "epub",
        "eml",
        "ipynb",
        "html",
        "py",
        "bin",
    ]
    for suffix in [*suffixes, ""]:
        (folder / f"noise-{suffix}.{suffix}".rstrip(".")).write_bytes(noise.randbytes(20_000))
    done = rag("index", "noise", "--json")
    assert done.code == 0
    assert len(done.json["skipped"]) == len(suffixes) + 1
    assert done.json["indexed"] == 0


def test_an_empty_folder_is_not_an_error(tmp_path: Path, rag: Callable[..., Ran]) -> None:
    (tmp_path / "empty").mkdir()
    done = rag("index", "empty")
    assert (done.code, done.out.startswith("nothing to index")) == (0, True)
    assert rag("query", "anything").code == 1


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv = ["rag", *sys.argv[2:]]
from rag.cli import main
main()
"""


def test_a_full_disk_leaves_the_last_commit(corpus: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    """RLIMIT_FSIZE makes writes beyond a size fail, like a full disk."""
    assert rag("index", "corpus", "--ocr", "never").code == 0
    size = (tmp_path / "indexes/default/catalog.sqlite").stat().st_size
    for number in range(300):
        (corpus / f"more{number}.txt").write_text(f"note {number} " + "filling words " * 60)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(size + 8_192), "index", "corpus", "--ocr", "never"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(SAMPLES.parent), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 4
    assert "writing to" in done.stderr and "the last commit is intact" in done.stderr
    assert "Traceback" not in done.stderr
    assert rag("query", "harbour traffic", "--json").json[0]["document"] == "a/report.txt"
    assert rag("check", "--read-data").code == 0
    assert rag("index", "corpus", "--ocr", "never").code == 0
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
