"""Whatever happened to a folder and to the runs before, the index is the one that a clean build would make.

Random changes, seeded: files made, edited, deleted, moved, swapped, copied, touched; captions and alt texts; parts indexed alone;
runs stopped by Ctrl-C or killed at any line. RAG_TEST_SEEDS=200 tries more.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.index.upkeep.check import check_bytes, check_structure
from rag.types import Hit
from tests.e2e.broken_off import IN_A_FOLDER, WRITE_PATH, broken_off
from tests.e2e.conftest import COUNTING

SEEDS = range(int(os.environ.get("RAG_TEST_SEEDS", "10")))
ROUNDS = 6
CHANGING = (*WRITE_PATH, *IN_A_FOLDER)  # code that Ctrl-C and death come into
FOLDERS = ("", "a/", "a/b/", "c/")
WORDS = ("harbour", "crane", "ferry", "lighthouse", "buoy", "tide")
COLOURS = ((200, 30, 30), (30, 30, 200), (30, 160, 60))
QUERIES = ({"text": "harbour crane"}, {"text": "red ferry", "kinds": ["image"]}, {"text": "tide buoy", "paths": ["a/**"]})


# ---- what a user does to a folder ----------------------------------------------------------------


class User:
    """Changes one folder at random."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance

    def acts(self, times: int) -> None:
        for _ in range(times):
            deeds = (self.writes, self.writes, self.draws, self.captions, self.shows, self.deletes, self.moves, self.moves)
            self.chance.choice((*deeds, self.swaps, self.copies, self.touches, self.moves_a_folder, self.moves_a_family))()

    def writes(self) -> None:
        words = " ".join(self.chance.choices(WORDS, k=self.chance.choice((0, 2, 3))))
        self._put(
            f"n{self.chance.randrange(4)}{self.chance.choice(('.txt', '.csv', '.org'))}", f"* {words}\n{words}\n" if words else ""
        )

    def draws(self) -> None:
        from PIL import Image

        file = self._place(f"p{self.chance.randrange(3)}.png")
        Image.new("RGB", (48, 32), self.chance.choice(COLOURS)).save(file)

    def captions(self) -> None:
        suffix = self.chance.choice((".txt", ".png.txt"))
        self._put(f"p{self.chance.randrange(3)}{suffix}", " ".join(self.chance.choices(WORDS, k=2)))

    def shows(self) -> None:
        lines = []
        for _ in range(self.chance.randrange(4)):
            target = self.chance.choice(("", "../", "/", "/a/", "/c/")) + f"p{self.chance.randrange(3)}.png"
            lines.append(f"![{' '.join(self.chance.choices(WORDS, k=2))}]({target})\n")
        self._put(f"d{self.chance.randrange(3)}.md", "# Fleet\n\n" + "\n".join(lines))

    def deletes(self) -> None:
        for file in self._some(1):
            file.unlink()

    def moves(self) -> None:
        for file in self._some(1):
            others = [other for other in self._files() if other.suffix == file.suffix]
            name = self.chance.choice((file.name, self.chance.choice(others).name, f"x{self.chance.randrange(2)}{file.suffix}"))
            file.replace(self._place(name))

    def swaps(self) -> None:
        for one, other in [tuple(self._some(2))] if len(self._files()) > 1 else []:
            held = one.with_name("held")
            one.rename(held)
            other.rename(one)
            held.rename(other)

    def copies(self) -> None:
        for file in self._some(1):
            place = self._place(self.chance.choice((file.name, f"copy{file.suffix}")))
            if place != file:
                shutil.copy(file, place)

    def touches(self) -> None:
        for file in self._some(1):
            os.utime(file, (self.chance.randrange(10**9),) * 2)

    def moves_a_folder(self) -> None:
        there, here = (self.folder / name for name in self.chance.sample(["a", "c", "a/b", "e"], 2))
        if there.is_dir() and not here.exists() and there not in here.parents:
            here.parent.mkdir(exist_ok=True)
            there.rename(here)

    def moves_a_family(self) -> None:
        """A picture and the captions beside it."""
        for picture in [file for file in self._some(3) if file.suffix == ".png"][:1]:
            for file in [*picture.parent.glob(f"{picture.stem}.*")]:
                file.replace(self._place(file.name, self.chance.choice(FOLDERS)))

    def _files(self) -> list[Path]:
        return sorted(file for file in self.folder.rglob("*") if file.is_file())

    def _some(self, count: int) -> list[Path]:
        files = self._files()
        return self.chance.sample(files, min(count, len(files)))

    def _place(self, name: str, folder: str | None = None) -> Path:
        file = self.folder / ((self.chance.choice(FOLDERS) if folder is None else folder) + name)
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def _put(self, name: str, text: str) -> None:
        self._place(name).write_text(text)


def index(folder: Path, name: str) -> rag.Report:
    return rag.build_index(folder, index=name, backend=COUNTING, ocr="never")


# ---- what an index is ----------------------------------------------------------------------------


def contents(name: str) -> dict[str, Any]:
    """Everything that does not depend on how the index came about."""
    assert check_structure(Path("indexes", name)) == [] == check_bytes(Path("indexes", name))
    with rag.open_index(name, backend=COUNTING) as searcher:
        with searcher.index.snapshot() as snapshot:
            numbers = snapshot.live.numbers.tolist()
            passages = [
                (stored.id, stored.passage, stored.dated, str(stored.file), vector.tobytes())
                for stored, vector in zip(snapshot.passages(numbers), snapshot.vectors(numbers), strict=True)
            ]
        status = searcher.status()
        return {
            "passages": sorted(passages, key=lambda one: (one[1].document, one[1].ordinal)),
            "skipped": set(status.skipped),
            "documents": status.documents,
            "roots": status.roots,
            "terms": searcher.index._connection().execute("SELECT term, passages FROM terms ORDER BY term").fetchall(),
            "hits": [sorted(map(seen, searcher.query(**asked, top_k=1000))) for asked in QUERIES],
        }


def seen(hit: Hit) -> tuple[float, str, str, int]:
    return (round(hit.score, 6), hit.document, repr(hit.locator), len(hit.members))


def known_paths(name: str) -> set[str]:
    with rag.open_index(name, backend=COUNTING) as searcher:
        question = "SELECT path FROM documents JOIN roots ON roots.number = root WHERE name = ? AND documents.ended IS NULL"
        return {path.decode() for (path,) in searcher.index._connection().execute(question, (b"corpus",))}


# ---- the law ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_the_index_is_that_of_a_clean_build(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr("rag.indexing.commit_schedule.UNCOMMITTED", chance.choice((1, 4, 2000)))
    monkeypatch.setattr("tests.e2e.conftest.CountingEmbedder.batch", chance.choice((1, 3, 256)))
    monkeypatch.setattr("rag.indexing.scan.BATCH", chance.choice((1, 256)))
    monkeypatch.setattr(
        "rag.indexing.read_queue.PATIENCE", chance.choice((0, 60))
    )  # with 0, some pictures come before what is said of them
    folder = tmp_path / "corpus"
    user = User(folder, chance)
    user.draws()
    user.acts(20)
    if chance.random() < 0.3 and (folder / "a").is_dir():
        index(folder / "a", "lived")  # a root of its own, which the root above takes over
    for _ in range(ROUNDS):
        user.acts(chance.randrange(6))
        user.draws()
        for _ in range(chance.randrange(3)):
            with broken_off(chance.randrange(1, 4000), chance.choice(("stopped", "killed")), CHANGING):
                index(folder, "lived")
            user.acts(chance.randrange(3))
        lived = Path("indexes/lived/catalog.sqlite").exists()
        part = folder / chance.choice(FOLDERS)
        if lived and part != folder and part.is_dir() and "corpus" in roots("lived") and chance.random() < 0.4:
            before = contents("lived")["passages"]
            index(part, "lived")
            after = contents("lived")["passages"]
            outside = [one for one in before if not one[3].startswith(f"{part}/")]
            assert outside == [one for one in after if not one[3].startswith(f"{part}/")]
            user.acts(chance.randrange(2))
        before = known_paths("lived") if lived else set()
        report = index(folder, "lived")
        if len(roots("lived")) > 1:  # kept because its folder is empty now: as if it were on a disk that is not there
            rag.remove_documents(str(folder / "a"), "lived")
        assert index(folder, "lived").unchanged == len(known_paths("lived"))
        shutil.rmtree("indexes/clean", ignore_errors=True)
        index(folder, "clean")
        found, expected = contents("lived"), contents("clean")
        for what in expected:
            assert found[what] == expected[what], what
        skipped = set(report.skipped) & found["skipped"]  # the others are captions
        now = report.indexed + report.reused + report.moved + report.unchanged + len(skipped)
        assert now == found["documents"] + len(found["skipped"]), report
        assert report.removed + report.moved == len(before - known_paths("lived")), report


def roots(name: str) -> list[str]:
    with rag.open_index(name, backend=COUNTING) as searcher:
        return list(searcher.index.roots())
