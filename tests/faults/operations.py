"""What is done to an index while it is killed or its disk fails: five operations without models, each safe to begin again.

`python -m tests.faults.operations NAME FOLDER` does one. Knows the room's public functions; FAISS is kept out of these processes,
because its import is most of their time.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

from rag.errors import IndexFailure
from rag.index.catalog.index_folder import create
from rag.index.upkeep.migration import bring_up_to_date
from rag.index.writer.writer import Writer, writing
from tests.unit.index_samples import FINGERPRINT, put

OLD = Path(__file__).parents[1] / "unit" / "index" / "catalog" / "old" / "format-1.tar.gz"
DOCUMENTS = {f"{name}.md": [f"{name} {at} common" for at in range(4)] + ["shared"] for name in "abcdef"}
CHANGED = {"a.md": ["a new", "shared"], "c.md": ["c new", "c 1 common"]}
GONE = ("b.md", "d.md")


def first(folder: Path, told: Callable[[int], None]) -> None:
    """An index is made; three commits."""
    if not (folder / "catalog.sqlite").exists():
        create(folder, FINGERPRINT, {"passage_characters": "1200"})
    with writing(folder) as writer:
        writer.add_root("docs", Path("/corpus"))
        for names in ("ab", "cd", "ef"):
            _bring(writer, {f"{name}.md": DOCUMENTS[f"{name}.md"] for name in names}, "1")
            told(writer.commit())


def update(folder: Path, told: Callable[[int], None]) -> None:
    """Two documents change; two commits."""
    with writing(folder) as writer:
        for path, texts in CHANGED.items():
            _bring(writer, {path: texts}, "2")
            told(writer.commit())


def delete(folder: Path, told: Callable[[int], None]) -> None:
    """Two documents go; one commit."""
    with writing(folder) as writer:
        for path in GONE:
            writer.remove("docs", path)
        told(writer.commit())


def compact(folder: Path, told: Callable[[int], None]) -> None:
    """What has ended is removed."""
    with writing(folder) as writer:
        writer.compact()
        told(writer.generation)


def migrate(folder: Path, told: Callable[[int], None]) -> None:
    """Format 1 becomes the format of today."""
    bring_up_to_date(folder)
    told(0)


OPERATIONS = {each.__name__: each for each in (first, update, delete, compact, migrate)}


def before(name: str, folder: Path) -> Path:
    """The folder as it is when that operation begins."""
    shutil.rmtree(folder, ignore_errors=True)
    if name == "migrate":
        with tarfile.open(OLD) as archive:
            archive.extractall(folder, filter="data")
    elif name != "first":
        first(folder, _silent)
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
