"""Is the index what was written? Every finding names what and where.

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
from rag.index.catalog.affected_documents import affected_clause
from rag.index.catalog.connection import checksum_vfs, generation_of, open_to_read, translate_errors
from rag.index.catalog.index_folder import read_fingerprint
from rag.index.files.checksums import BLOCK, block_sum
from rag.index.files.layout import segment_file
from rag.index.vectors.segments import read_blocks, read_segments, read_sums, vectors_in, verify_header

# What is wrong: how many, and one of them.
_CONSISTENCY_QUERIES = {
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


_MAX_PAGES_NAMED = 8  # that one finding names


def check_structure(folder: Path) -> list[str]:
    """What of the catalog and of the segments' sizes and headers is not as written. Reads the catalog, not the vectors.

    IndexNotFound, IndexTooNew; what is damaged beyond opening is a finding.
    """
    return _findings(folder, _structure_findings)


def check_catalog(folder: Path) -> list[str]:
    """What of the catalog alone is not as written: pages, and the order of its tables. IndexNotFound, IndexTooNew."""
    return _findings(folder, _catalog_findings)


def check_bytes(folder: Path) -> list[str]:
    """What of the segments' bytes is not as written, block by block, with the documents it touches. Reads all of it."""
    return _findings(folder, _byte_findings)


def wrong_in_full_text(connection: apsw.Connection) -> str:
    """What is wrong with the full text, which is derived from the texts; empty where nothing is."""
    missing, extra = "number NOT IN (SELECT rowid FROM lexical)", "rowid NOT IN (SELECT number FROM passages)"
    count = int(connection.execute(f"SELECT count(*) FROM passages WHERE {missing}").get)
    if count:
        first = connection.execute(f"SELECT min(number) FROM passages WHERE {missing}").get
        return f"{counted(count, 'passage is', 'passages are')} missing in the full text, the first is number {first}"
    count = int(connection.execute(f"SELECT count(*) FROM lexical WHERE {extra}").get)
    return f"the full text has {counted(count, 'passage that is', 'passages that are')} not there" if count else ""


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
    """The pages of the catalog's file that are not what was written; none where its header does not say how long they are."""
    file = folder / CATALOG_FILE
    with closing(apsw.Connection(":memory:", vfs=checksum_vfs())) as connection, file.open("rb") as opened:
        page = int.from_bytes(opened.read(18)[16:], "big")
        if page < 512:
            return []
        opened.seek(0)
        pages = enumerate(iter(lambda: opened.read(page), b""), 1)
        wrong = [at for at, content in pages if not connection.execute("SELECT verify_checksum(?)", (content,)).get]
    named = ", ".join(map(str, wrong[:_MAX_PAGES_NAMED])) + (
        f" and {len(wrong) - _MAX_PAGES_NAMED} more" if wrong[_MAX_PAGES_NAMED:] else ""
    )
    return [f"{file}: of its pages of {page} bytes these are not what was written: {named}"] if wrong else []


def _structure_findings(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    where = folder / CATALOG_FILE
    yield from _catalog_findings(folder, connection)
    dim = read_fingerprint(folder, connection).dim
    for what, question in _CONSISTENCY_QUERIES.items():
        count, one = connection.execute(question).fetchall()[0]
        if count:
            yield f"{where}: {count} {what}, the first is number {one}"
    if what := wrong_in_full_text(connection):
        yield f"{where}: {what}"
    for segment in read_segments(connection, generation_of(connection)):
        try:
            verify_header(folder, segment, dim)
        except IndexDamaged as error:
            yield f"{error.what}{affected_clause(connection, segment.first, segment.first + segment.rows)}"


def _catalog_findings(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check").fetchall():
        if line != "ok":
            yield f"{folder / CATALOG_FILE}: {line}"


def _byte_findings(folder: Path, connection: apsw.Connection) -> Iterator[str]:
    dim = read_fingerprint(folder, connection).dim
    for segment in read_segments(connection, generation_of(connection)):
        file = segment_file(folder, segment.number)
        sums = read_sums(connection, segment).tolist()
        try:
            for block, content in enumerate(read_blocks(file)):
                if block >= len(sums) or block_sum(content) != sums[block]:
                    names = affected_clause(connection, *vectors_in(segment, block, dim))
                    yield f"{file}: bytes from {block * BLOCK} are not what was written{names}"
        except OSError as error:
            names = affected_clause(connection, segment.first, segment.first + segment.rows)
            yield f"{file} cannot be read: {error.strerror}{names}"
