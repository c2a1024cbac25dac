"""Is the index what was written? Every finding names what and where.

Knows the whole format of the folder; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from rag.errors import IndexDamaged
from rag.index import catalog
from rag.index.folder import read_fingerprint, segment_file
from rag.index.rows import to_name
from rag.index.segments import BLOCK, Segment, block_sum, read_blocks, read_segments, trust, whole_sum

# What is wrong: how many, and one of them.
_QUESTIONS = {
    "passages name a document that is not there": """
        SELECT count(*), min(passages.number) FROM passages LEFT JOIN documents ON documents.number = passages.document
        WHERE documents.number IS NULL""",
    "live passages belong to a document that has ended": """
        SELECT count(*), min(passages.number) FROM passages JOIN documents ON documents.number = passages.document
        WHERE passages.ended IS NULL AND documents.ended IS NOT NULL""",
    "passages have no text row": """
        SELECT count(*), min(number) FROM passages LEFT JOIN texts ON passage = number WHERE passage IS NULL""",
    "passages name a vector that has no key": """
        SELECT count(*), min(passages.number) FROM passages LEFT JOIN vectors ON vectors.number = passages.vector
        WHERE vectors.number IS NULL""",
    "vectors lie in no segment": """
        SELECT count(*), min(vectors.number) FROM vectors WHERE NOT EXISTS (
            SELECT 1 FROM segments WHERE ended IS NULL AND vectors.number >= first AND vectors.number < first + rows)""",
    "passages are missing in the full text": """
        SELECT count(*), min(number) FROM passages WHERE number NOT IN (SELECT rowid FROM lexical)""",
    "documents name a root that is not there": """
        SELECT count(*), min(documents.number) FROM documents LEFT JOIN roots ON roots.number = root
        WHERE roots.number IS NULL""",
    "live passages share a short id": """
        SELECT count(*), min(one) FROM (SELECT min(passage) AS one FROM texts JOIN passages ON passages.number = passage
            WHERE ended IS NULL GROUP BY id HAVING count(*) > 1)""",
    "rows were made by a commit that never was": """
        SELECT count(*), min(number) FROM (SELECT number, born, ended FROM documents UNION ALL
            SELECT number, born, ended FROM passages UNION ALL SELECT number, born, ended FROM segments)
        WHERE max(born, coalesce(ended, 0)) > (SELECT value FROM facts WHERE name = 'generation')""",
}
_AFFECTED = """
    SELECT DISTINCT roots.name, documents.path FROM passages JOIN documents ON documents.number = passages.document
    JOIN roots ON roots.number = documents.root
    WHERE passages.ended IS NULL AND passages.vector >= ? AND passages.vector < ? ORDER BY 1, 2 LIMIT ?
"""
_NAMED = 3  # documents that one finding names


def check_structure(folder: Path) -> list[str]:
    """What of the catalog and of the segments' sizes and headers is not as written. Reads the catalog, not the vectors.

    IndexNotFound, IndexTooNew; what is damaged beyond opening is a finding.
    """
    return _findings(folder, _of_structure)


def check_bytes(folder: Path) -> list[str]:
    """What of the segments' bytes is not as written, block by block, with the documents it touches. Reads all of it."""
    return _findings(folder, _of_bytes)


def _findings(folder: Path, look: Callable[[Path, apsw.Connection], Iterator[str]]) -> list[str]:
    found: list[str] = []
    try:
        with closing(catalog.open_to_read(folder)) as connection, catalog.translated(folder):
            for finding in look(folder, connection):
                found.append(finding)
    except IndexDamaged as error:
        found.append(error.what)
    return found


def _of_structure(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    where = folder / catalog.FILE
    for (line,) in connection.execute("PRAGMA integrity_check").fetchall():
        if line != "ok":
            yield f"{where}: {line}"
    dim = read_fingerprint(folder, connection).dim
    for what, question in _QUESTIONS.items():
        count, one = connection.execute(question).fetchall()[0]
        if count:
            yield f"{where}: {count} {what}, the first is number {one}"
    for segment in read_segments(connection, catalog.generation_of(connection)):
        try:
            trust(folder, segment, dim)
        except IndexDamaged as error:
            yield f"{error.what}{_touches(connection, segment.first, segment.first + segment.rows)}"


def _of_bytes(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    dim = read_fingerprint(folder, connection).dim
    for segment in read_segments(connection, catalog.generation_of(connection)):
        file = segment_file(folder, segment.number)
        sums: dict[int, bytes] = dict(
            connection.execute("SELECT block, checksum FROM blocks WHERE segment = ?", (segment.number,))
        )
        wrong = []
        try:
            for block, content in enumerate(read_blocks(file)):
                if block_sum(content) != sums.get(block):
                    wrong.append(block)
                    first, end = _vectors_in(segment, block, dim)
                    yield f"{file}: bytes from {block * BLOCK} are not what was written{_touches(connection, first, end)}"
            if not wrong and whole_sum(read_blocks(file)) != segment.checksum:
                yield f"{file}: it is not what was written{_touches(connection, segment.first, segment.first + segment.rows)}"
        except OSError as error:
            yield f"{file} cannot be read: {error.strerror}{_touches(connection, segment.first, segment.first + segment.rows)}"


def _vectors_in(segment: Segment, block: int, dim: int) -> tuple[int, int]:
    """The numbers of the vectors that lie in a block, wholly or in part: from, up to."""
    row = 2 * dim
    start, end = block * BLOCK - segment.header, (block + 1) * BLOCK - segment.header
    return segment.first + max(start, 0) // row, segment.first + min(-(-max(end, 0) // row), segment.rows)


def _touches(connection: apsw.Connection, first: int, end: int) -> str:
    rows: list[tuple[Any, ...]] = connection.execute(_AFFECTED, (first, end, _NAMED + 1)).fetchall()
    names = [f"{to_name(root)}/{to_name(path)}" for root, path in rows]
    if not names:
        return ""
    return f"; it holds vectors of {', '.join(names[:_NAMED])}{' and others' if len(names) > _NAMED else ''}"
