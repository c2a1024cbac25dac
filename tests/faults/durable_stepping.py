"""A run that fills a space beside two that write, each a process that is killed at any moment: all go on, nothing is lost."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from rag.index.files.lock import is_asked_for
from rag.index.reader.open_index import open_index
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.writer.writer import writing
from tests.faults.operations import OTHER, fill_some, other_vector
from tests.faults.states import LONG, state_of
from tests.unit.index_samples import made, put

ROOT = Path(__file__).parents[2]
SECONDS = 120 if LONG else 8
DOCUMENTS = 30
FILL = """
import sys
from pathlib import Path
from rag.index.writer.stepping_writer import stepping_aside
from tests.faults.operations import fill_some
with stepping_aside(Path(sys.argv[1])) as stepping:
    while fill_some(stepping.writer, 2):
        stepping.writer.commit()
        if stepping.is_asked_for():
            stepping.step_aside()
"""
WRITE = """
import sys, itertools
from pathlib import Path
from rag.errors import IndexLocked
from rag.index.writer.writer import writing
from tests.unit.index_samples import put
name = sys.argv[2]
for round in itertools.count(int(sys.argv[3])):
    try:
        with writing(Path(sys.argv[1])) as writer:
            put(writer, f"{name}.md", [f"{name} round {round}", "shared"])
            writer.commit()
            print(round, flush=True)
            if round % 5 == 0:
                writer.compact()
    except IndexLocked:  # the other one writes
        pass
"""


class Run:
    """A process that is started again after every kill, with the next round."""

    def __init__(self, code: str, folder: Path, *words: str) -> None:
        self.code, self.words, self.last = code, [str(folder), *words], 0
        self.start()

    def start(self) -> None:
        words = [sys.executable, "-c", self.code, *self.words, str(self.last + 1)]
        self.process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self) -> None:
        """Kills it, if it runs; it must not have failed on its own."""
        self.process.kill()
        said, complaints = self.process.communicate()
        assert self.process.returncode in (0, -signal.SIGKILL), complaints
        self.last = max([self.last, *map(int, said.split())])


def test_a_fill_and_two_writers_that_are_killed_again_and_again(tmp_path):
    folder = made(tmp_path / "index", {f"{at}.md": [f"text {at}", "shared"] for at in range(DOCUMENTS)})
    with writing(folder) as writer:
        writer.spaces.add(OTHER.model, OTHER, {})
        writer.commit()
    chance = random.Random(7)
    runs = [Run(FILL, folder), Run(WRITE, folder, "one"), Run(WRITE, folder, "two")]
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or not all(run.last for run in runs[1:]):
        time.sleep(chance.uniform(0.3, 2.0))
        killed = chance.choice(runs)
        killed.end()
        assert check_structure(folder) == []
        killed.start()
    for run in runs:
        run.end()
    assert check_structure(folder) == [] and check_bytes(folder) == [] and not is_asked_for(folder)
    with open_index(folder) as index, index.snapshot() as snapshot:
        assert {"one.md", "two.md"} <= set(snapshot.document_paths())
        texts = [one.passage.text for one in snapshot.passages(snapshot.live.numbers.tolist())]
    for run, name in zip(runs[1:], ("one", "two"), strict=True):  # a commit that was reported stands, or a later one does
        rounds = [int(text.split()[-1]) for text in texts if text.startswith(f"{name} round")]
        assert len(rounds) == 1 and rounds[0] >= run.last
    done = subprocess.run([sys.executable, "-c", FILL, str(folder)], cwd=ROOT, check=False, timeout=120)
    assert done.returncode == 0
    with open_index(folder) as index, index.snapshot() as snapshot:
        (space,) = snapshot.spaces
        numbers = snapshot.live.numbers.tolist()
        held, rows = snapshot.vectors_in(space.number, numbers)
        assert held == numbers
        for one, row in zip(snapshot.passages(held), rows, strict=True):
            assert abs(float(row @ other_vector(one.passage.text)) - 1) < 1e-2


def test_a_fill_that_stepped_aside_for_much_gives_the_index_of_one_that_did_not(tmp_path):
    """The same documents and vectors, whether the writers came before the fill or in the middle of it."""
    documents = {f"{at}.md": [f"text {at}", "shared"] for at in range(DOCUMENTS)}
    alone, beside = made(tmp_path / "alone", documents), made(tmp_path / "beside", documents)
    for folder in (alone, beside):
        with writing(folder) as writer:
            writer.spaces.add(OTHER.model, OTHER, {})
            writer.commit()
    fill = subprocess.Popen([sys.executable, "-c", FILL, str(beside)], cwd=ROOT)
    for folder in (alone, beside):
        for at in range(10):
            with writing(folder) as writer:
                put(writer, f"new {at}.md", [f"new {at}", "shared"])
                writer.remove("docs", f"{at}.md")
                writer.commit()
                if at % 4 == 3:
                    writer.compact()
    assert fill.wait(timeout=120) == 0
    for folder in (alone, beside):
        with writing(folder) as writer:
            while fill_some(writer, 50):
                writer.commit()
    assert state_of(alone) == state_of(beside)
