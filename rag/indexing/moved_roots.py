"""Finds roots whose folder was renamed, or is mounted elsewhere now, among the folders of a run.

Knows folders, sizes and digests; parses no document and writes nothing.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from rag.corpus.digests import content_digest
from rag.location import Location, ObjectPath
from rag.types import Document, DocumentId

SAMPLE = 64  # documents of a root whose sizes are compared, evenly over its paths
SHARE = 0.9  # of them that must be at the new place with the size that they had: files change while a folder moves
COMPARED = 8  # the smallest of these, of which one at least must have the bytes that it had; alt texts may have changed a digest
_LARGE = 64_000_000  # bytes; larger files are not read to compare them


class Known(Protocol):
    """What an index knows of the documents of its roots: a `Writer`, or a `Survey`."""

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]: ...

    def digest(self, document: DocumentId) -> bytes | None: ...


class Move(NamedTuple):
    """A root, where it was, and where it is now."""

    root: str
    old: Path
    new: Path

    def __str__(self) -> str:
        return f"{self.old} is now {self.new}: its documents keep their passages and vectors"


def find_moves(folders: Iterable[Location], roots: Mapping[str, Location], known: Known) -> list[Move]:
    """The roots that are gone and whose documents now lie in one of these folders, or in a folder of the root's own name there.

    A folder that is a root already is never the new place of another one. Objects in a store are not looked for.
    """
    moves: dict[str, Move] = {}
    taken = set(roots.values())
    bases = [base.resolve() for base in folders if isinstance(base, Path)]
    for name, old in roots.items():
        if isinstance(old, ObjectPath) or old.exists():
            continue
        for new in dict.fromkeys(place for base in bases for place in (base, base / old.name)):
            if new not in taken and new.is_dir() and _holds(new, name, known):
                moves[name] = Move(name, old, new)
                taken.add(new)
                break
    return list(moves.values())


def _holds(new: Path, root: str, known: Known) -> bool:
    """Whether a folder holds what the index knows of a root."""
    sampled = _sample(list(known.stamps(root)))
    sizes = {path: _size(new / path) for path, _ in sampled}
    same = [path for path, stamp in sampled if sizes[path] == _stamped_size(stamp)]
    if not same or len(same) < SHARE * len(sampled):
        return False
    smallest = sorted((path for path in same if 0 < sizes[path] <= _LARGE), key=lambda path: sizes[path])
    digests = ((path, digest) for path in smallest if (digest := known.digest(DocumentId(root, path))))
    return any(_digest(new, root, path) == digest for path, digest in islice(digests, COMPARED))


def _sample(stamps: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Documents whose stamp names their file alone: a digest of several files is theirs together."""
    alone = [(path, stamp) for path, stamp in stamps if stamp and "|" not in stamp]
    step = max(1, len(alone) // SAMPLE)
    return alone[::step][:SAMPLE]


def _stamped_size(stamp: str) -> int:
    size = stamp.partition(":")[0]
    return int(size) if size.isdecimal() else -2


def _size(file: Path) -> int:
    try:
        found = file.stat()
    except OSError:
        return -1
    return found.st_size if stat.S_ISREG(found.st_mode) else -1


def _digest(new: Path, root: str, path: str) -> bytes:
    try:
        return content_digest(Document(DocumentId(root, path), new / path))
    except OSError:
        return b""
