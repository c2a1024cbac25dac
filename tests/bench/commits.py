"""Writing an index: one changed document in a large one, and many new vectors.

Knows the writer; knows no models.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rag.index.catalog.index_folder import create
from rag.index.writer.writer import Writer, writing
from rag.types import Context, Document, DocumentId, Fingerprint, Lines, Passage
from tests.bench.measure import Row, seconds, show

LARGE = 1_000_000 if "--full" in sys.argv else 60_000
SMALL = 1_000
DIM = 1024
A_DOCUMENT, A_COMMIT = 20, 20_000  # passages


def rows() -> list[Row]:
    """Both rows of the store."""
    with tempfile.TemporaryDirectory() as place:
        return [_changed(Path(place)), _added(Path(place))]


def _changed(place: Path) -> Row:
    """Narrow vectors here: a commit never reads the old ones."""
    folders = [_filled(place / str(count), count, 16) for count in (SMALL, LARGE)]
    times: list[list[float]] = [[], []]
    for turn in range(12):
        for side, folder in enumerate(folders):
            with writing(folder) as writer:
                _put(writer, 0, turn + 1, 16)
                times[side].append(seconds(writer.commit))
    small, large = (statistics.median(each[2:]) for each in times)
    ratio = large / small
    what = f"committing one changed document in {LARGE:,} passages"
    return Row(what, f"{large * 1000:.1f} ms", f"in {SMALL:,}: {small * 1000:.1f} ms", ratio, "≤ 2", ratio <= 2)


def _added(place: Path) -> Row:
    """The vectors alone, in commits of 20,000, beside the same bytes into one file, synced as often."""
    folder = place / "added"
    create(folder, Fingerprint("m", "1", DIM, "", ""), {})

    def ours() -> None:
        with writing(folder) as writer:
            for number, part in enumerate(_parts()):
                keys = [(number * A_COMMIT + at).to_bytes(16, "big") for at in range(len(part))]
                writer.put_vectors(keys, part)
                writer.commit()

    def floor() -> None:
        with (place / "bytes").open("wb") as out:
            for part in _parts():
                out.write(part.astype(np.float16).data)
                out.flush()
                os.fsync(out.fileno())

    plain, added = seconds(floor), seconds(ours)
    ratio = added / plain
    what = f"adding {LARGE:,} × {DIM}"
    return Row(what, f"{added:.1f} s", f"writing the bytes, synced as often: {plain:.1f} s", ratio, "≤ 3", ratio <= 3)


def _parts() -> Iterator[np.ndarray]:
    part = np.random.default_rng(1).standard_normal((A_COMMIT, DIM), np.float32)
    for start in range(0, LARGE, A_COMMIT):
        yield part[: min(A_COMMIT, LARGE - start)]


def _filled(folder: Path, passages: int, dim: int) -> Path:
    create(folder, Fingerprint("m", "1", dim, "", ""), {})
    with writing(folder) as writer:
        writer.add_root("docs", Path("/corpus"))
        for number in range(passages // A_DOCUMENT):
            _put(writer, number, 0, dim)
            if (number + 1) * A_DOCUMENT % A_COMMIT == 0:
                writer.commit()
        writer.commit()
    return folder


def _put(writer: Writer, number: int, version: int, dim: int) -> None:
    found = Document(DocumentId("docs", f"{number:07}.md"), Path("/corpus/x"), str(version), 0.0)
    chance = np.random.default_rng((number, version))
    words = [" ".join(f"w{word}" for word in chance.integers(0, 20_000, 12)) for _ in range(A_DOCUMENT)]
    keys = [f"{number}:{version}:{at}".encode().ljust(16, b".") for at in range(A_DOCUMENT)]
    passages = [
        (Passage(found.id, at, Lines(at + 1, at + 1), "text", "text", text, "", Context(title=""), None), key)
        for at, (text, key) in enumerate(zip(words, keys, strict=True))
    ]
    writer.put_document(found, digest=keys[0], loader="t", passages=passages, path_words="")
    writer.put_vectors(keys, chance.standard_normal((A_DOCUMENT, dim), np.float32))


if __name__ == "__main__":
    show(rows())
