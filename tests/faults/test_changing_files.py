"""Files that grow, shrink, are replaced or vanish while a real run reads them: other processes do it, all the time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rag
from rag.decoding import idle_workers
from rag.decoding.messages import Job, ReadAll
from rag.decoding.pool import Pool
from tests.contracts.test_loaders import HERE
from tests.unit.loaders.video.test_video import film

ROOT = Path(__file__).parents[2]

# Changes files without pause, until it is ended: argv is what it does, and the files.
RESTLESS = {
    "grows": """
import itertools, pathlib, sys, time
for number in itertools.count():
    for name in sys.argv[1:]:
        with open(name, "ab") as file: file.write(b"The tide turned at %d.\\n" % number)
    time.sleep(0.002)
""",
    "shrinks": """
import itertools, os, pathlib, sys, time
whole = {name: pathlib.Path(name).read_bytes() for name in sys.argv[1:]}
for number in itertools.count():
    for name, content in whole.items():
        if number % 8 == 0: open(name, "wb").write(content)
        else: os.truncate(name, len(content) * (8 - number % 8) // 8)
    time.sleep(0.002)
""",
    "is replaced": """
import itertools, os, pathlib, sys, time
whole = [pathlib.Path(name).read_bytes() for name in sys.argv[1:]]
for number in itertools.count():
    for place, name in enumerate(sys.argv[1:]):
        new = pathlib.Path(name + "~"); new.write_bytes(whole[(place + number) % len(whole)]); os.replace(new, name)
    time.sleep(0.002)
""",
    "vanishes": """
import itertools, os, pathlib, sys, time
whole = {name: pathlib.Path(name).read_bytes() for name in sys.argv[1:]}
for number in itertools.count():
    for name, content in whole.items():
        if number % 2: pathlib.Path(name).unlink()
        else: pathlib.Path(name).write_bytes(content)
    time.sleep(0.002)
""",
}


@contextmanager
def restless(how: str, files: list[Path]) -> Iterator[None]:
    """A process that does it, for as long as the block runs; then the files are as they were."""
    before = {file: file.read_bytes() for file in files}
    process = subprocess.Popen([sys.executable, "-c", RESTLESS[how], *map(str, files)])
    try:
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
        for file, content in before.items():
            file.write_bytes(content)
            file.with_name(file.name + "~").unlink(missing_ok=True)


def corpus_of(folder: Path) -> tuple[list[Path], list[Path]]:
    """One file of every format that is read, and long ones; and files that nobody touches."""
    restless, still = [], []
    for family, made in HERE.items():
        for name, make in made.items():
            for kept, number in ((restless, 1), (still, 2)):
                file = folder / f"{family}{number}" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(make())
                kept.append(file)
    pages = [Image.fromarray(np.random.default_rng(n).integers(0, 255, (60, 40, 3), dtype=np.uint8)) for n in range(50)]
    pages[0].save(folder / "long.pdf", save_all=True, append_images=pages[1:])
    film(folder / "long.mp4", [np.asarray(page.resize((160, 96))) for page in pages for _ in range(5)], every=5)
    return [*restless, folder / "long.pdf", folder / "long.mp4"], still


def run(folder: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "rag.cli", "index", "corpus", "--json", "--ocr", "never", "--frame-seconds", "1", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("how", RESTLESS)
def test_whatever_files_do_meanwhile_the_run_ends_well_and_the_next_one_is_right(how: str, tmp_path: Path) -> None:
    changing, still = corpus_of(tmp_path / "corpus")
    with restless(how, changing):
        code, report, err = run(tmp_path, "--jobs", "3")
        assert code == 0 and "Traceback" not in err
        skipped = {one["document"] for one in report["skipped"]}
        assert not skipped & {file.relative_to(tmp_path / "corpus").as_posix() for file in still}
    code, after, err = run(tmp_path)
    assert (code, after["skipped"]) == (0, [])
    run(tmp_path, "--index", "clean", "--jobs", "0")
    assert passages(tmp_path / "indexes/default") == passages(tmp_path / "indexes/clean")
    code, again, err = run(tmp_path)
    assert (again["indexed"], again["reused"], again["embedded"], again["notes"]) == (0, 0, 0, [])


def passages(home: Path) -> list[tuple[Any, ...]]:
    import apsw

    catalog = apsw.Connection(str(home / "catalog.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    return list(
        catalog.execute(
            "SELECT d.path, t.ordinal, t.locator, t.text, t.caption, v.key FROM documents d"
            " JOIN passages p ON p.document = d.number JOIN texts t ON t.passage = p.number JOIN vectors v ON v.number = p.vector"
            " WHERE d.ended IS NULL AND p.ended IS NULL ORDER BY 1, 2"
        )
    )


def test_no_copy_takes_over_what_was_read_of_a_file_that_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at its bytes and the reading, a picture becomes another; its copy stays what it was."""
    red, blue = tmp_path / "corpus/a.png", tmp_path / "corpus/b.png"
    red.parent.mkdir()
    for file in (red, blue):
        Image.new("RGB", (60, 40), "red").save(file)
    submit = Pool.submit

    def changed(self: Pool, ticket: int, job: Job) -> None:
        if isinstance(job, ReadAll) and job.document.file == red:
            Image.new("RGB", (60, 40), "blue").save(red)
        submit(self, ticket, job)

    monkeypatch.setattr(Pool, "submit", changed)
    monkeypatch.setattr(idle_workers, "_spares", [])
    report = rag.build_index(red.parent, index=str(tmp_path / "index"), ocr="never", jobs=1)
    assert report.notes == ("a document changed while the run went on: what was met is indexed, the next run reads it again",)
    kept = {path: key for path, *_, key in passages(tmp_path / "index")}
    assert kept[b"a.png"] != kept[b"b.png"]
    monkeypatch.setattr(Pool, "submit", submit)
    again = rag.build_index(red.parent, index=str(tmp_path / "index"), ocr="never", jobs=1)
    assert (again.indexed, again.unchanged, again.embedded, again.notes) == (1, 1, 0, ())
