"""Is the index what was written? Every finding names what and where.

Knows the whole format of the folder; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw

from rag.errors import IndexDamaged
from rag.index import catalog
from rag.index.damage import touched
from rag.index.folder import read_fingerprint, segment_file
from rag.index.segments import BLOCK, block_sum, read_blocks, read_segments, read_sums, trust, vectors_in

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
            yield f"{error.what}{touched(connection, segment.first, segment.first + segment.rows)}"


def _of_bytes(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    dim = read_fingerprint(folder, connection).dim
    for segment in read_segments(connection, catalog.generation_of(connection)):
        file = segment_file(folder, segment.number)
        sums = read_sums(connection, segment).tolist()
        try:
            for block, content in enumerate(read_blocks(file)):
                if block >= len(sums) or block_sum(content) != sums[block]:
                    names = touched(connection, *vectors_in(segment, block, dim))
                    yield f"{file}: bytes from {block * BLOCK} are not what was written{names}"
        except OSError as error:
            names = touched(connection, segment.first, segment.first + segment.rows)
            yield f"{file} cannot be read: {error.strerror}{names}"
