"""Eight operations on an index, without models, that tests kill or fail; each can be run again.

`python -m tests.faults.operations NAME FOLDER` does one. Knows the room's public functions; FAISS is kept out of these processes,
because its import is most of their time.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from rag.errors import IndexFailure
from rag.index.catalog.index_folder import create
from rag.index.upkeep.migration import bring_up_to_date
from rag.index.writer.writer import Writer, writing
from tests.unit.index_samples import FINGERPRINT, key_of, put, vector_of

OLD = Path(__file__).parents[1] / "unit" / "index" / "catalog" / "old" / "format-1.tar.gz"
DOCUMENTS = {f"{name}.md": [f"{name} {at} common" for at in range(4)] + ["shared"] for name in "abcdef"}
CHANGED = {"a.md": ["a new", "shared"], "c.md": ["c new", "c 1 common"]}
GONE = ("b.md", "d.md")


def first(folder: Path, report: Callable[[int], None]) -> None:
    """Creates an index; three commits."""
    if not (folder / "catalog.sqlite").exists():
        create(folder, FINGERPRINT, {"passage_characters": "1200"})
    with writing(folder) as writer:
        writer.add_root("docs", Path("/corpus"))
        for names in ("ab", "cd", "ef"):
            _bring(writer, {f"{name}.md": DOCUMENTS[f"{name}.md"] for name in names}, "1")
            report(writer.commit())


def update(folder: Path, report: Callable[[int], None]) -> None:
    """Changes two documents; two commits."""
    with writing(folder) as writer:
        for path, texts in CHANGED.items():
            _bring(writer, {path: texts}, "2")
            report(writer.commit())


def delete(folder: Path, report: Callable[[int], None]) -> None:
    """Removes two documents; one commit."""
    with writing(folder) as writer:
        for path in GONE:
            writer.remove("docs", path)
        report(writer.commit())


def compact(folder: Path, report: Callable[[int], None]) -> None:
    """Compacts."""
    with writing(folder) as writer:
        writer.compact()
        report(writer.generation)


def migrate(folder: Path, report: Callable[[int], None]) -> None:
    """Migrates format 1 to the current format."""
    bring_up_to_date(folder)
    report(0)


def fill(folder: Path, report: Callable[[int], None]) -> None:
    """Adds a vector space, and fills it in two commits."""
    with writing(folder) as writer:
        if writer.spaces.named(OTHER.model) is None:
            writer.spaces.add(OTHER.model, OTHER, {})
            report(writer.commit())
        while fill_some(writer, 15):
            report(writer.commit())


def drop(folder: Path, report: Callable[[int], None]) -> None:
    """Drops the further space; one commit."""
    with writing(folder) as writer:
        space = writer.spaces.named(OTHER.model)
        if space is not None:
            writer.spaces.drop(space)
            report(writer.commit())


def swap(folder: Path, report: Callable[[int], None]) -> None:
    """Puts the further space first; one commit."""
    with writing(folder) as writer:
        space = writer.spaces.named(OTHER.model)
        if space is not None:
            writer.put_space_first(space)
            report(writer.generation)


def fill_some(writer: Writer, most: int) -> int:
    """Gives at most so many contents their vector in the further space; returns how many."""
    space = writer.spaces.named(OTHER.model)
    assert space is not None
    stored = writer.spaces.passages(writer.spaces.missing(space)[:most])
    rows = np.array([other_vector(one.passage.text) for one in stored]).reshape(-1, OTHER.dim)
    return writer.spaces.put(space, [one.number for one in stored], rows)


def other_vector(text: str) -> np.ndarray:
    """The vector of a text by the further model, float32 (dim,)."""
    return vector_of(key_of(f"other {text}"), OTHER.dim)


OTHER = replace(FINGERPRINT, model="other")  # of as many dimensions, so that the same queries ask both
OF_SPACES = {each.__name__: each for each in (fill, drop, swap)}
OPERATIONS = {each.__name__: each for each in (first, update, delete, compact, migrate)} | OF_SPACES


def before(name: str, folder: Path) -> Path:
    """Prepares the folder for that operation; returns it."""
    shutil.rmtree(folder, ignore_errors=True)
    if name == "migrate":
        with tarfile.open(OLD) as archive:
            archive.extractall(folder, filter="data")
    elif name != "first":
        first(folder, _silent)
        if name in ("drop", "swap"):
            fill(folder, _silent)
        if name == "compact":
            update(folder, _silent)
            delete(folder, _silent)
    return folder


def _silent(_: int) -> None:
    return None


def _bring(writer: Writer, documents: dict[str, list[str]], stamp: str) -> None:
    known = dict(writer.stamps("docs"))
    for path, texts in documents.items():
        if known.get(path) != stamp:
            put(writer, path, texts, stamp=stamp)


if __name__ == "__main__":
    try:
        OPERATIONS[sys.argv[1]](Path(sys.argv[2]), lambda generation: print(generation, flush=True))
    except IndexFailure as error:
        sys.exit(f"{type(error).__name__}: {error.what} ({error.remedy})")
