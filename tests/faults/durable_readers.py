"""One writer and eight readers, each a process: every answer belongs to one generation. A second writer is refused at once."""

import os
import subprocess
import sys
from pathlib import Path

from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.writer.writer import writing
from tests.faults.operations import OTHER, fill_some
from tests.faults.states import LONG
from tests.unit.index_samples import made, put

ROOT = Path(__file__).parents[2]
SECONDS = 120 if LONG else 10
READERS = 8
DOCUMENTS = 5
READ = f"""
import sys, time
from pathlib import Path
from rag.errors import MovedOn
from rag.index.reader.open_index import open_index
from tests.unit.index_samples import unit_rows
end, rounds, again = time.monotonic() + float(sys.argv[2]), set(), 0
def ask(index):
    with index.snapshot() as snapshot:
        dense = [number for number, _ in snapshot.nearest(unit_rows(1, 1), 1000)[0]]
        lexical = [number for number, *_ in snapshot.containing("round", 1000)]
        return snapshot.passages(dense), snapshot.passages(lexical)
with open_index(Path(sys.argv[1])) as index:
    while time.monotonic() < end or len(rounds) < 5:
        try:
            dense, lexical = ask(index)
        except MovedOn:
            again += 1
            continue
        seen = {{one.passage.text.split()[1] for one in dense}}
        assert len(seen) == 1 and len(dense) == {DOCUMENTS}, (seen, len(dense))
        assert {{one.number for one in dense}} == {{one.number for one in lexical}}
        rounds |= seen
print(len(rounds), again)
"""
FILLED = 60  # contents of the index whose further space is filled meanwhile
READ_SPACES = f"""
import sys, time
from pathlib import Path
import numpy as np
from rag.errors import MovedOn
from rag.index.reader.open_index import open_index
from tests.faults.operations import other_vector
from tests.unit.index_samples import unit_rows
end, shares, again, query = time.monotonic() + float(sys.argv[2]), set(), 0, unit_rows(1, 1)
def ask(index):
    with index.snapshot() as snapshot:
        first = {{number for number, _ in snapshot.nearest(query, 1000)[0]}}
        held = snapshot.status().spaces
        hits = snapshot.nearest(query, 1000, space=snapshot.spaces[0].number)[0] if held else []
        return first, held[0].passages if held else 0, hits, snapshot.passages([number for number, _ in hits])
with open_index(Path(sys.argv[1])) as index:
    while time.monotonic() < end or len(shares) < 5:
        try:
            first, share, hits, stored = ask(index)
        except MovedOn:
            again += 1
            continue
        assert len(first) == {FILLED}, len(first)
        assert share == len(hits) and {{number for number, _ in hits}} <= first, (share, len(hits))
        for one, (_, score) in zip(stored, hits, strict=True):
            assert abs(score - float(other_vector(one.passage.text).astype(np.float16) @ query[0])) < 1e-3
        shares.add(share)
print(len(shares), again)
"""
WRITE = """
import sys
from pathlib import Path
from rag.errors import IndexLocked
from rag.index.writer.writer import writing
try:
    with writing(Path(sys.argv[1])):
        print("let in")
except IndexLocked as error:
    print(error.what)
"""


def test_every_answer_belongs_to_one_generation(tmp_path):
    folder = made(tmp_path / "index", _round(0))
    words = [sys.executable, "-c", READ, str(folder), str(SECONDS)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    readers = [subprocess.Popen(words, cwd=ROOT, **pipes) for _ in range(READERS)]
    number = 0
    while any(reader.poll() is None for reader in readers):
        with writing(folder) as writer:  # a new one each time: it deletes the files that compactions ended
            for _ in range(5):
                number += 1
                for path, texts in _round(number).items():
                    put(writer, path, texts)
                writer.commit()
            if number % 20 == 0:
                writer.compact()
    for reader in readers:
        said, complaints = reader.communicate()
        assert reader.returncode == 0, complaints
        assert int(said.split()[0]) >= 5
    assert check_structure(folder) == [] and check_bytes(folder) == []


def test_every_answer_belongs_to_one_commit_while_a_space_is_filled_and_dropped(tmp_path):
    folder = made(tmp_path / "index", {f"{at}.md": [f"text {at}"] for at in range(FILLED)})
    words = [sys.executable, "-c", READ_SPACES, str(folder), str(SECONDS)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    readers = [subprocess.Popen(words, cwd=ROOT, **pipes) for _ in range(READERS)]
    first = {file.name: file.read_bytes() for file in (folder / "segments").iterdir()}
    rounds = 0
    while any(reader.poll() is None for reader in readers):
        rounds += 1
        with writing(folder) as writer:
            space = writer.spaces.add(OTHER.model, OTHER, {})
            while fill_some(writer, 7):
                writer.commit()
            if rounds % 3 == 0:
                writer.compact()
            if rounds % 2 == 0:
                writer.spaces.drop(space)
                writer.commit()
        with writing(folder) as writer:
            for space in writer.spaces.all():
                writer.spaces.drop(space)
            writer.commit()
    for reader in readers:
        said, complaints = reader.communicate()
        assert reader.returncode == 0, complaints
        assert int(said.split()[0]) >= 5
    assert check_structure(folder) == [] and check_bytes(folder) == []
    kept = {name: (folder / "segments" / name).read_bytes() for name in first}
    assert kept == first  # not a byte of the first space has changed


def test_a_second_writer_is_refused_at_once_and_the_first_is_named(tmp_path):
    folder = made(tmp_path / "index", _round(0))
    with writing(folder):
        second = subprocess.run(
            [sys.executable, "-c", WRITE, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
    assert f"is being written by process {os.getpid()} on " in second.stdout


def _round(number: int) -> dict[str, list[str]]:
    return {f"{at}.md": [f"round {number} document {at}"] for at in range(DOCUMENTS)}
