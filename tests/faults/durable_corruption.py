"""300 bit flips and truncations of each file of an index: correct hits, or an error that names the damage. Never a wrong hit.

`rag check --read-data` finds every damage that changes an answer.
"""

import os
import random
import shutil
from pathlib import Path

import pytest

from rag.errors import IndexDamaged, IndexFailure
from rag.index.lexical import postings, postings_cache
from rag.index.reader import columns
from rag.index.reader.open_index import open_index
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.vectors import structures
from rag.index.writer.writer import writing
from tests.faults.operations import OTHER, fill_some
from tests.faults.states import LONG, QUERIES, WORDS
from tests.unit.index_samples import made, put, snapshot_of

FLIPS, CUTS = (3000, 300) if LONG else (240, 60)
FILES = ("catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "segments/000001.faiss", "segments/000002.faiss", "lock")


DERIVED = (
    ("segments/000001.coarse", "coarse"),
    ("segments/000001.ivf", "ivf"),
    ("passages.columns", "auto"),
    ("passages.words", "auto"),
)


def answers_of(folder: Path, structure: str = "auto"):
    """Everything a query can return."""
    with snapshot_of(folder, structure) as snapshot:
        dense = snapshot.nearest(QUERIES, 50)
        lexical = [snapshot.containing(word, 50) for word in WORDS]
        numbers = sorted({number for one in [*dense, *lexical] for number, *_ in one})
        stored = snapshot.passages(numbers)
        vectors = snapshot.vectors(numbers).tobytes()
        return dense, lexical, stored, vectors, snapshot.neighbours(numbers[0]), snapshot.roots()


@pytest.fixture(scope="module", params=["closed", "as a killed writer leaves it"])
def whole(request, tmp_path_factory):
    """Two segments; some rows have ended. In the second variant the last commits are only in the log."""
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
    """(description of the damage, content of the damaged file)."""
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
    right = answers_of(whole)
    earlier = None
    folder = tmp_path / "index"
    refused = unseen = 0
    for what, content in damages(whole / name):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        (folder / name).write_bytes(content)
        try:
            found = answers_of(folder)
        except IndexFailure as error:
            refused += 1
            assert str(folder) in error.what and error.remedy, (what, error.what)
            assert _findings(folder), f"{name}, {what}: the query failed with {error.what}, and check finds nothing"
        else:
            if found != right:
                # A truncated log holds fewer commits: the answer was correct at one of them.
                assert name == "catalog.sqlite-wal", f"{name}, {what}: another answer"
                earlier = earlier or _earlier(whole, tmp_path)
                assert found == earlier, f"{name}, {what}: an answer of no commit"
                unseen += 1
    if name.endswith((".sqlite", ".faiss")):
        assert refused > 100
    print(f"{name}: {refused} refused, {unseen} answered from an earlier commit")


@pytest.mark.parametrize("name", ["catalog.sqlite", "segments/000001.faiss", "segments/000003.faiss"])
def test_damage_with_two_spaces_is_an_error_that_names_it_or_harmless(whole, tmp_path, name):
    two, folder = Path(shutil.copytree(whole, tmp_path / "two")), tmp_path / "index"
    with writing(two) as writer:
        writer.spaces.add(OTHER.model, OTHER, {})
        fill_some(writer, 10_000)
        writer.commit()
    right, refused = answers_in_both(two), 0
    for what, content in list(damages(two / name))[:: 1 if LONG else 4]:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(two, folder)
        (folder / name).write_bytes(content)
        try:
            found = answers_in_both(folder)
        except IndexFailure as error:
            refused += 1
            assert str(folder) in error.what and error.remedy, (what, error.what)
            assert _findings(folder), f"{name}, {what}: the query failed with {error.what}, and check finds nothing"
        else:
            assert found == right, f"{name}, {what}: another answer"
    assert refused > (100 if LONG else 25)


def answers_in_both(folder: Path):
    """The same, and the answers of the further space."""
    with snapshot_of(folder) as snapshot:
        numbers = [space.number for space in snapshot.spaces]
        further = [snapshot.nearest(QUERIES, 50, space=number) for number in numbers]
        rows = [snapshot.vectors_in(number, snapshot.live.numbers[::7].tolist()) for number in numbers]
    return answers_of(folder), further, [(held, found.tobytes()) for held, found in rows]


@pytest.mark.parametrize(("name", "structure"), DERIVED)
def test_damage_of_a_derived_file_changes_no_answer(whole, tmp_path, monkeypatch, name, structure):
    for module, limit, value in ((structures, "SMALL", 100), (columns, "WORTH_KEEPING", 100), (postings, "COMMON", 20)):
        monkeypatch.setattr(module, limit, value)
    monkeypatch.setattr(postings_cache, "WORTH_KEEPING", 100)
    folder = Path(shutil.copytree(whole, tmp_path / "index"))
    answers_of(folder, structure)
    with open_index(folder) as index:
        index.build_postings()
    right = answers_of(folder, structure)
    some = 1 if LONG or structure != "ivf" else 10  # rebuilding the lists takes 0.2 s
    for what, content in list(damages(folder / name))[::some]:
        (folder / name).write_bytes(content)
        assert _rounded(answers_of(folder, structure)) == _rounded(right), f"{name}, {what}: another answer"


def _rounded(answers):
    """Stored postings have 16-bit lexical weights; other structures sum products in another order."""
    dense, lexical, *rest = answers
    dense = [[(number, round(score, 5)) for number, score in each] for each in dense]
    return dense, [[(number, round(score, 3), round(share, 3)) for number, score, share in each] for each in lexical], *rest


@pytest.mark.parametrize("structure", ["exact", "coarse", "ivf"])
@pytest.mark.parametrize("cut", ["segments/000001.faiss", "segments/000001.coarse", "segments/000001.ivf", "passages.words"])
def test_a_file_truncated_while_it_is_open_kills_no_process(whole, tmp_path, monkeypatch, cut, structure):
    """Reading the missing part of the mapping would raise SIGBUS."""
    monkeypatch.setattr(structures, "SMALL", 100)
    monkeypatch.setattr(postings_cache, "WORTH_KEEPING", 100)
    folder = Path(shutil.copytree(whole, tmp_path / "index"))
    with open_index(folder, structure) as index, snapshot_of(whole, "exact") as exact:
        index.build_postings()
        with index.snapshot() as snapshot:
            lexical = [snapshot.containing("common", 10)]
            right = [_rounded((each.nearest(QUERIES, 10), lexical)) for each in (snapshot, exact)]
        if not (folder / cut).exists():
            pytest.skip("this structure has no such file")
        os.truncate(folder / cut, 100)
        try:
            with index.snapshot() as snapshot:
                assert _rounded((snapshot.nearest(QUERIES, 10), [snapshot.containing("common", 10)])) in right
        except IndexDamaged as error:
            assert cut.endswith(".faiss") and "000001.faiss" in error.what


def _earlier(whole: Path, place: Path):
    """The answers before the commit that is in the log."""
    shutil.copytree(whole, place / "earlier")
    (place / "earlier" / "catalog.sqlite-wal").write_bytes(b"")
    return answers_of(place / "earlier")


def _findings(folder: Path) -> list[str]:
    try:
        return check_structure(folder) + check_bytes(folder)
    except IndexFailure as error:
        return [error.what]
