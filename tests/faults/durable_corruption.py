"""300 flips and truncations of each file of an index: right hits, or an error that names what is damaged. Never a wrong hit.

`rag check --read-data` finds every one that changed what a query says.
"""

import random
import shutil
from pathlib import Path

import pytest

from rag.errors import IndexFailure
from rag.index.check import check_bytes, check_structure
from rag.index.reader import open_index
from rag.index.writer import writing
from tests.faults.states import LONG, QUERIES, WORDS
from tests.unit.index_samples import made, put

FLIPS, CUTS = (3000, 300) if LONG else (240, 60)
FILES = ("catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "segments/000001.faiss", "segments/000002.faiss", "lock")


def said_by(folder: Path):
    """Everything a query can say."""
    with open_index(folder) as index:
        dense = index.nearest(QUERIES, 50)
        lexical = [index.containing(word, 50) for word in WORDS]
        numbers = sorted({number for one in [*dense, *lexical] for number, *_ in one})
        stored = index.passages(numbers)
        return dense, lexical, stored, index.vectors(numbers).tobytes(), index.neighbours(numbers[0]), index.roots()


@pytest.fixture(scope="module", params=["closed", "as a killed writer leaves it"])
def whole(request, tmp_path_factory):
    """Two segments; some rows have ended. Of the second kind the last commits are in the log alone."""
    place = tmp_path_factory.mktemp("whole")
    folder = made(place / "index", {f"{at}.md": [f"{at} {part} common words" for part in range(30)] for at in range(100)})
    with writing(folder) as writer:
        put(writer, "late.md", ["shared", "new", "three 北京"])
        writer.remove("docs", "5.md")
        writer.commit()
        if request.param == "closed":
            put(writer, "never.md", ["never committed"])
        else:
            shutil.copytree(folder, place / "copy")
    return place / ("index" if request.param == "closed" else "copy")


def damages(file: Path):
    """What is done to a file, and its bytes afterwards."""
    content = file.read_bytes()
    chance = random.Random(7)
    for _ in range(FLIPS if content else 0):
        at, bit = chance.randrange(len(content)), chance.randrange(8)
        yield f"bit {bit} of byte {at}", content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
    for _ in range(CUTS if content else 0):
        length = chance.randrange(len(content))
        yield f"cut to {length}", content[:length]


@pytest.mark.parametrize("name", FILES)
def test_damage_is_an_error_that_names_it_or_harmless(whole, tmp_path, name):
    right = said_by(whole)
    earlier = None
    folder = tmp_path / "index"
    refused = unseen = 0
    for what, content in damages(whole / name):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        (folder / name).write_bytes(content)
        try:
            said = said_by(folder)
        except IndexFailure as error:
            refused += 1
            assert str(folder) in error.what and error.remedy, (what, error.what)
            assert _findings(folder), f"{name}, {what}: the query failed with {error.what}, and check finds nothing"
        else:
            if said != right:
                # A log that ends early is a log of fewer commits: what it says was true once.
                assert name == "catalog.sqlite-wal", f"{name}, {what}: another answer"
                earlier = earlier or _earlier(whole, tmp_path)
                assert said == earlier, f"{name}, {what}: an answer that never was"
                unseen += 1
    if name.endswith((".sqlite", ".faiss")):
        assert refused > 100
    print(f"{name}: {refused} refused, {unseen} answered from an earlier commit")


def _earlier(whole: Path, place: Path):
    """What the index said before the commit that is in the log."""
    shutil.copytree(whole, place / "earlier")
    (place / "earlier" / "catalog.sqlite-wal").write_bytes(b"")
    return said_by(place / "earlier")


def _findings(folder: Path) -> list[str]:
    try:
        return check_structure(folder) + check_bytes(folder)
    except IndexFailure as error:
        return [error.what]
