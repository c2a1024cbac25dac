"""kill -9 at random moments of `rag index`, on the real command line: the index is always sound, and ends as a clean build."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from rag.index.reader.open_index import open_index
from rag.index.upkeep.check import check_bytes, check_structure
from tests.faults.states import LONG
from tests.unit.index_samples import snapshot_of

ROOT = Path(__file__).parents[2]
KILLS = 1000 if LONG else 100
FILES = 40


def command(corpus: Path, index: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "rag.cli", "index", str(corpus), "--index", str(index), "--quiet", "--commit-seconds", "0.1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")} | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words, cwd=corpus.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finished(corpus: Path, index: Path) -> float:
    """Lets a run finish; returns the seconds from its taking the lock to its end."""
    run = command(corpus, index)
    until_it_writes(run, index)
    started = time.monotonic()
    _, complaints = run.communicate(timeout=300)
    assert run.returncode == 0, complaints
    return time.monotonic() - started


def until_it_writes(run: subprocess.Popen[str], index: Path) -> None:
    """Waits until the run holds the lock, or has ended."""
    lock = index / "lock"
    while run.poll() is None and not (lock.exists() and f'"pid": {run.pid},' in lock.read_text()):
        time.sleep(0.002)


def write(corpus: Path, chance: random.Random, number: int) -> None:
    text = "\n\n".join(
        f"paragraph {part} of {number}: {chance.random()} harbour crane {chance.randrange(9)} " * 8 for part in range(6)
    )
    (corpus / f"note-{number:02}.md").write_text(f"# Note {number}\n\n{text}\n")


def contents(index: Path):
    """({id: (document, text)} of every passage, the number of documents). The index must be sound."""
    assert check_structure(index) == [] and check_bytes(index) == []
    with snapshot_of(index) as snapshot:
        stored = snapshot.passages(snapshot.live.numbers.tolist())
        return {each.id: (str(each.passage.document), each.passage.text) for each in stored}, snapshot.status().documents


def test_random_kills_of_the_command_lose_nothing(tmp_path):
    corpus, index = tmp_path / "corpus", tmp_path / "index"
    corpus.mkdir()
    chance = random.Random(3)
    for number in range(FILES):
        write(corpus, chance, number)
    reach = finished(corpus, tmp_path / "timing")
    killed_runs = generations = 0
    for _ in range(KILLS):
        for number in chance.sample(range(FILES), 12):
            write(corpus, chance, number)
        if chance.random() < 0.3:
            (corpus / f"note-{chance.randrange(FILES):02}.md").unlink(missing_ok=True)
        run = command(corpus, index)
        until_it_writes(run, index)
        time.sleep(chance.uniform(0, reach))
        run.send_signal(signal.SIGKILL)
        _, complaints = run.communicate()
        assert run.returncode in (-signal.SIGKILL, 0), complaints
        killed, before = run.returncode == -signal.SIGKILL, generations
        killed_runs += killed
        if (index / "catalog.sqlite").exists():
            with open_index(index) as opened:
                assert opened.generation >= generations, "a commit was lost"
                generations = opened.generation
            contents(index)
        # Adapts to the machine: kill later where nothing was committed yet, sooner where the run ended before the kill.
        reach *= 0.9 if not killed else 1.1 if generations == before else 1
    finished(corpus, index)
    finished(corpus, tmp_path / "clean")
    assert contents(index) == contents(tmp_path / "clean")
    print(f"{killed_runs} of {KILLS} runs were killed, at {generations} commits in all")
    assert killed_runs > KILLS // 5 and generations > KILLS // 10
