"""Counts what an index holds.

Knows the tables of the catalog; knows no search and no files but their sizes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import apsw

from rag.index.catalog.ignored import read_ignored
from rag.index.catalog.index_folder import read_fingerprint, read_settings
from rag.index.catalog.row_codec import to_bytes, to_name
from rag.index.catalog.schema import FORMAT, KIND_CODES, LIVE
from rag.index.catalog.spaces import SpaceCounts, count_spaces
from rag.index.catalog.unread_parts import read_unread
from rag.index.files.layout import size_on_disk
from rag.location import Location, stored_location
from rag.types import DocumentId, Fingerprint, Kind, Skipped

_OF_ROOT = """WHERE born <= :generation AND (ended IS NULL OR ended > :generation)
    AND root IN (SELECT number FROM roots WHERE name = :root)"""


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What an index holds at one generation."""

    name: str
    folder: Path | str  # or the address of a database
    format: int
    generation: int
    fingerprint: Fingerprint
    settings: Mapping[str, str]
    roots: Mapping[str, Location]
    documents: int  # that could be read
    suffixes: Mapping[str, int]  # {".pdf": 3}; "" for names without a suffix; most frequent first
    folders: Mapping[str, int]  # documents by the first folder of their path; "" for the root itself; most frequent first
    passages: Mapping[Kind, int]
    skipped: tuple[Skipped, ...]  # files that could not be read, and why
    unread: tuple[Skipped, ...]  # what was inside documents and could not be read, and why: at most 50 a document
    unread_count: int  # all of it
    ignored: Mapping[str, int]  # what the last run over each root left out by rule, counted by reason
    vectors: int  # rows of the live segments of the first space: shared vectors count once, unused ones count too
    vector_bytes: int  # of those segments
    spaces: tuple[SpaceCounts, ...]  # the vector spaces beside the first
    bytes: int  # of the whole folder


def read_status(folder: Path, connection: apsw.Connection, generation: int) -> IndexStatus:
    """Counts everything that is live at a generation."""
    at = (generation,)
    kinds: dict[int, int] = dict(connection.execute(f"SELECT kind, count(*) FROM passages WHERE {LIVE} GROUP BY kind", at))
    paths = connection.execute(f"SELECT path FROM documents WHERE {LIVE} AND skipped IS NULL", at)
    suffixes: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    for (path,) in paths:
        name = PurePosixPath(to_name(path))
        suffixes[name.suffix.lower()] += 1
        folders[name.parts[0] if len(name.parts) > 1 else ""] += 1
    unread_count, unread = read_unread(connection, generation)
    return IndexStatus(
        name=folder.absolute().name,
        folder=folder,
        format=FORMAT,
        generation=generation,
        fingerprint=read_fingerprint(folder, connection),
        settings=read_settings(connection),
        roots=read_roots(connection, generation),
        documents=sum(suffixes.values()),
        suffixes=most_first(suffixes),
        folders=most_first(folders),
        passages={kind: kinds.get(code, 0) for kind, code in KIND_CODES.items()},
        skipped=tuple(_skipped(connection, generation)),
        unread=tuple(unread),
        unread_count=unread_count,
        ignored=_ignored(connection, generation),
        vectors=int(connection.execute(f"SELECT coalesce(sum(rows), 0) FROM segments WHERE {LIVE} AND space = 0", at).get),
        vector_bytes=int(connection.execute(f"SELECT coalesce(sum(size), 0) FROM segments WHERE {LIVE} AND space = 0", at).get),
        spaces=tuple(count_spaces(connection, generation)),
        bytes=size_on_disk(folder),
    )


def read_status_of(folder: Path, connection: apsw.Connection, generation: int, roots: Sequence[str]) -> IndexStatus:
    """Counts what is live of these roots at a generation. Bytes, vectors and spaces are those of the whole index: 0 here."""
    known = {name: place for name, place in read_roots(connection, generation).items() if name in roots}
    suffixes: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    kinds: Counter[int] = Counter()
    for root in known:
        at = {"generation": generation, "root": to_bytes(root)}
        for (path,) in connection.execute(f"SELECT path FROM documents {_OF_ROOT} AND skipped IS NULL", at):
            name = PurePosixPath(to_name(path))
            suffixes[name.suffix.lower()] += 1
            folders[name.parts[0] if len(name.parts) > 1 else ""] += 1
        counted = f"""SELECT kind, count(*) FROM passages WHERE born <= :generation AND (ended IS NULL OR ended > :generation)
            AND document IN (SELECT number FROM documents {_OF_ROOT}) GROUP BY kind"""
        kinds.update(dict(connection.execute(counted, at)))
    unread = [one for one in read_unread(connection, generation)[1] if one.document.root in known]
    left_out = (counts for root, counts in read_ignored(connection).items() if root in known)
    return IndexStatus(
        name=folder.absolute().name,
        folder=folder,
        format=FORMAT,
        generation=generation,
        fingerprint=read_fingerprint(folder, connection),
        settings=read_settings(connection),
        roots=known,
        documents=sum(suffixes.values()),
        suffixes=most_first(suffixes),
        folders=most_first(folders),
        passages={kind: kinds.get(code, 0) for kind, code in KIND_CODES.items()},
        skipped=tuple(one for one in _skipped(connection, generation) if one.document.root in known),
        unread=tuple(unread),
        unread_count=len(unread),
        ignored=dict(sum((Counter(counts) for counts in left_out), Counter[str]())),
        vectors=0,
        vector_bytes=0,
        spaces=(),
        bytes=0,
    )


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts, largest first, then by name."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def read_roots(connection: apsw.Connection, generation: int) -> dict[str, Location]:
    """The folder of each live root, by name."""
    rows = connection.execute(f"SELECT name, folder FROM roots WHERE {LIVE} ORDER BY name", (generation,))
    return {to_name(name): stored_location(to_name(folder)) for name, folder in rows}


def _ignored(connection: apsw.Connection, generation: int) -> dict[str, int]:
    roots = read_roots(connection, generation)
    return dict(sum((Counter(counts) for root, counts in read_ignored(connection).items() if root in roots), Counter[str]()))


def _skipped(connection: apsw.Connection, generation: int) -> list[Skipped]:
    question = f"""SELECT name, path, skipped FROM (SELECT * FROM documents WHERE {LIVE} AND skipped IS NOT NULL) AS unread
        JOIN roots ON roots.number = unread.root ORDER BY name, path"""
    rows = connection.execute(question, (generation,))
    return [Skipped(DocumentId(to_name(name), to_name(path)), reason) for name, path, reason in rows]
