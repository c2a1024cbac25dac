"""One writer, eight readers: every answer (lanes of two spaces, words, filters) is of one commit, compared by brute force."""

import json
import random
import subprocess
import sys
from pathlib import Path

from rag.index.upkeep import compaction
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.writer.writer import Writer, writing
from tests.faults.moments import WORDS
from tests.faults.operations import OTHER, fill_some
from tests.faults.states import LONG
from tests.unit.index_samples import made, put

ROOT = Path(__file__).parents[2]
SECONDS = 120 if LONG else 10
PROCESSES, THREADS = 4, 2  # eight readers; two of a process share an open index
PATHS = [f"{folder}{name}.md" for folder in ("", "notes/") for name in "abcdefgh"]


def test_every_answer_belongs_to_one_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(compaction, "MERGE_FROM", 4)
    monkeypatch.setattr(compaction, "MIN_ENDED", 30)
    folder, truths = made(tmp_path / "index"), tmp_path / "truths"
    truths.mkdir()
    chance = random.Random(5)
    held = {}
    with writing(folder) as writer:
        writer.spaces.add(OTHER.model, OTHER, {})
        tell(truths, writer, held)
        writer.commit()
    change(folder, truths, chance, held, rounds=1)
    words = [sys.executable, "-m", "tests.faults.moments", str(folder), str(truths), str(SECONDS), str(THREADS)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    readers = [subprocess.Popen(words, cwd=ROOT, **pipes) for _ in range(PROCESSES)]
    while any(reader.poll() is None for reader in readers):
        change(folder, truths, chance, held, rounds=5)
    answers = commits = again = 0
    for reader in readers:
        said, complaints = reader.communicate()
        assert reader.returncode == 0, complaints
        answered, seen, moved = map(int, said.split())
        answers, commits, again = answers + answered, max(commits, seen), again + moved
    print(f"{answers} answers, of {commits} commits in the busiest process; {again} were asked again")
    assert commits > 5
    assert check_structure(folder) == [] and check_bytes(folder) == []


def change(folder: Path, truths: Path, chance: random.Random, held: dict[str, list[str]], rounds: int) -> None:
    """Some commits by a new writer, which first deletes the files of segments that compactions have ended."""
    with writing(folder) as writer:
        for _ in range(rounds):
            for path in chance.sample(PATHS, 4):
                held[path] = [" ".join(chance.choices(WORDS, k=6)) for _ in range(chance.randrange(1, 5))]
                put(writer, path, held[path], modified=float(len(held[path])))
            for path in chance.sample(PATHS, 2):
                writer.remove("docs", path)
                held.pop(path, None)
            fill_some(writer, chance.randrange(8))
            tell(truths, writer, held)
            writer.commit()
        if chance.random() < 0.2:
            tell(truths, writer, held)
            writer.compact()


def tell(truths: Path, writer: Writer, held: dict[str, list[str]]) -> None:
    """Records what the next commit holds, and the compaction that may follow it, before a reader can see either."""
    space = writer.spaces.named(OTHER.model)
    assert space is not None
    lacking = [one.passage.text for one in writer.spaces.passages(writer.spaces.missing(space))]
    for coming in (writer.generation + 1, writer.generation + 2):
        file = truths / f"{coming}.new"
        file.write_text(json.dumps({"held": held, "lacking": lacking}))
        file.replace(truths / f"{coming}.json")
