"""Checks an index for damage. Every finding says what is wrong and where.

Knows the whole format of the folder; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw

from rag.corpus.file_types import CATALOG_FILE
from rag.errors import IndexDamaged
from rag.humanize import counted
from rag.index.base import Segment
from rag.index.catalog.affected_documents import affected_clause
from rag.index.catalog.connection import checksum_vfs, generation_of, open_to_read, translate_errors
from rag.index.catalog.index_folder import read_fingerprint
from rag.index.catalog.spaces import read_spaces
from rag.index.files.checksums import BLOCK, block_sum
from rag.index.files.layout import segment_file
from rag.index.vectors.segments import read_blocks, read_segments, read_sums, vectors_in, verify_header

# What is wrong → a query for (how many, the first one).
_CONSISTENCY_QUERIES = {
    "passages refer to a document that does not exist": """
        SELECT count(*), min(passages.number) FROM passages LEFT JOIN documents ON documents.number = passages.document
        WHERE documents.number IS NULL""",
    "live passages belong to a document that has ended": """
        SELECT count(*), min(passages.number) FROM passages JOIN documents ON documents.number = passages.document
        WHERE passages.ended IS NULL AND documents.ended IS NOT NULL""",
    "passages have no text row": """
        SELECT count(*), min(number) FROM passages LEFT JOIN texts ON passage = number WHERE passage IS NULL""",
    "passages refer to a vector that has no key": """
        SELECT count(*), min(passages.number) FROM passages LEFT JOIN vectors ON vectors.number = passages.vector
        WHERE vectors.number IS NULL""",
    "vectors are in no segment": """
        SELECT count(*), min(vectors.number) FROM vectors WHERE NOT EXISTS (
            SELECT 1 FROM segments
            WHERE ended IS NULL AND space = 0 AND vectors.number >= first AND vectors.number < first + rows)""",
    "vectors of a further space are in no segment of it": """
        SELECT count(*), min(members.number) FROM members WHERE NOT EXISTS (
            SELECT 1 FROM segments WHERE ended IS NULL AND segments.space = members.space
            AND members.number >= first AND members.number < first + rows)""",
    "vectors of a further space are of a content that does not exist": """
        SELECT count(*), min(members.number) FROM members WHERE vector NOT IN (SELECT number FROM vectors)""",
    "vectors belong to a space that does not exist": """
        SELECT count(*), min(number) FROM members WHERE space NOT IN (SELECT number FROM spaces WHERE ended IS NULL)""",
    "segments belong to a space that does not exist": """
        SELECT count(*), min(number) FROM segments
        WHERE ended IS NULL AND space <> 0 AND space NOT IN (SELECT number FROM spaces WHERE ended IS NULL)""",
    "documents refer to a root that does not exist": """
        SELECT count(*), min(documents.number) FROM documents LEFT JOIN roots ON roots.number = root
        WHERE roots.number IS NULL""",
    "live passages share a short id": """
        SELECT count(*), min(one) FROM (SELECT min(passage) AS one FROM texts JOIN passages ON passages.number = passage
            WHERE ended IS NULL GROUP BY id HAVING count(*) > 1)""",
    "rows belong to a commit that was never made": """
        SELECT count(*), min(number) FROM (SELECT number, born, ended FROM documents UNION ALL
            SELECT number, born, ended FROM passages UNION ALL SELECT number, born, ended FROM segments UNION ALL
            SELECT number, born, ended FROM spaces)
        WHERE max(born, coalesce(ended, 0)) > (SELECT value FROM facts WHERE name = 'generation')""",
}


_MAX_PAGES_NAMED = 8  # named in one finding


def check_structure(folder: Path) -> list[str]:
    """Findings on the catalog and on the segments' sizes and headers. Reads the catalog, not the vectors.

    IndexNotFound, IndexTooNew, IndexTooOld; damage that prevents opening is a finding.
    """
    return _findings(folder, _structure_findings)


def check_catalog(folder: Path) -> list[str]:
    """Findings of SQLite's integrity check on the catalog alone. IndexNotFound, IndexTooNew, IndexTooOld."""
    return _findings(folder, _catalog_findings)


def check_bytes(folder: Path) -> list[str]:
    """Findings on every block of the segments, with the documents they affect. Reads everything. Raises as `check_structure`."""
    return _findings(folder, _byte_findings)


def wrong_in_full_text(connection: apsw.Connection) -> str:
    """A finding on the full text, which is derived from the texts; empty where there is none."""
    missing, extra = "number NOT IN (SELECT rowid FROM lexical)", "rowid NOT IN (SELECT number FROM passages)"
    count = int(connection.execute(f"SELECT count(*) FROM passages WHERE {missing}").get)
    if count:
        first = connection.execute(f"SELECT min(number) FROM passages WHERE {missing}").get
        return f"{counted(count, 'passage is', 'passages are')} missing in the full text, the first is number {first}"
    count = int(connection.execute(f"SELECT count(*) FROM lexical WHERE {extra}").get)
    return f"the full text has {counted(count, 'passage that does', 'passages that do')} not exist" if count else ""


def _findings(folder: Path, look: Callable[[Path, apsw.Connection], Iterator[str]]) -> list[str]:
    found: list[str] = []
    try:
        with closing(open_to_read(folder)) as connection, translate_errors(folder):
            for finding in look(folder, connection):
                found.append(finding)
    except IndexDamaged as error:
        found.extend(_damaged_pages(folder) or [error.what])
    return found


def _damaged_pages(folder: Path) -> list[str]:
    """A finding that names the damaged pages of the catalog; empty where its header does not tell the page size."""
    file = folder / CATALOG_FILE
    with closing(apsw.Connection(":memory:", vfs=checksum_vfs())) as connection, file.open("rb") as opened:
        page = int.from_bytes(opened.read(18)[16:], "big")
        if page < 512:
            return []
        opened.seek(0)
        pages = enumerate(iter(lambda: opened.read(page), b""), 1)
        wrong = [at for at, content in pages if not connection.execute("SELECT verify_checksum(?)", (content,)).get]
    more = f" and {len(wrong) - _MAX_PAGES_NAMED} more" if len(wrong) > _MAX_PAGES_NAMED else ""
    named = ", ".join(map(str, wrong[:_MAX_PAGES_NAMED]))
    return [f"{file}: these pages of {page} bytes are damaged: {named}{more}"] if wrong else []


def _structure_findings(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    where = folder / CATALOG_FILE
    yield from _catalog_findings(folder, connection)
    for what, question in _CONSISTENCY_QUERIES.items():
        count, one = connection.execute(question).fetchall()[0]
        if count:
            yield f"{where}: {count} {what}, the first is number {one}"
    if what := wrong_in_full_text(connection):
        yield f"{where}: {what}"
    for segment, dim in _all_segments(folder, connection):
        try:
            verify_header(folder, segment, dim)
        except IndexDamaged as error:
            yield f"{error.what}{_affected_by(connection, segment)}"


def _all_segments(folder: Path, connection: apsw.Connection) -> Iterator[tuple[Segment, int]]:
    """The live segments of every space, with the dimension of their vectors."""
    generation = generation_of(connection)
    dims = {0: read_fingerprint(folder, connection).dim}
    dims |= {space.number: space.fingerprint.dim for space in read_spaces(connection, generation)}
    for space, dim in dims.items():
        yield from ((segment, dim) for segment in read_segments(connection, generation, space))


def _affected_by(connection: apsw.Connection, segment: Segment) -> str:
    return affected_clause(connection, segment.first, segment.first + segment.rows, segment.space)


def _catalog_findings(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check").fetchall():
        if line != "ok":
            yield f"{folder / CATALOG_FILE}: {line}"


def _byte_findings(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    for segment, dim in _all_segments(folder, connection):
        file = segment_file(folder, segment.number)
        sums = read_sums(connection, segment).tolist()
        try:
            for block, content in enumerate(read_blocks(file)):
                if block >= len(sums) or block_sum(content) != sums[block]:
                    names = affected_clause(connection, *vectors_in(segment, block, dim), segment.space)
                    yield f"{file}: the block at byte {block * BLOCK} is damaged{names}"
        except OSError as error:
            yield f"{file} cannot be read: {error.strerror}{_affected_by(connection, segment)}"
