"""Inserts documents into the catalog, ends them, and finds them again.

Knows the tables of documents, passages, texts and full text; knows no transaction (the writer's) and no vector values.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw

from rag.index.catalog.row_codec import (
    clean,
    context_to_json,
    locator_to_json,
    passage_from_row,
    short_id,
    to_bytes,
    to_name,
)
from rag.index.catalog.schema import KIND_CODES
from rag.text.analyzer import stored_terms
from rag.text.clues import path_words
from rag.text.folding import REVISION
from rag.types import Document, DocumentId, Passage

_ROWS_PER_STEP = 1000  # of a long read, so that the caller may make changes between steps


@dataclass(frozen=True, slots=True)
class TwinDocument:
    """A document with the same bytes as another one."""

    id: DocumentId
    loader: str
    caption: str
    passages: tuple[tuple[Passage, bytes], ...]  # in order, each with the key of its vector


@dataclass(frozen=True, slots=True)
class StagedDocument:
    """A document that will go into the catalog once it has all its vectors."""

    document: Document
    digest: bytes
    loader: str
    passages: tuple[tuple[Passage, bytes], ...]
    path_words: str


class IncompleteDocument(NamedTuple):
    """A document some of whose vectors could not be made: its lost passages, and whether those are all of its passages."""

    document: Document
    digest: bytes
    lost: tuple[tuple[Passage, bytes], ...]
    whole: bool


def insert_document(
    connection: apsw.Connection, staged: StagedDocument, root: int, born: int, first: int, vectors: Mapping[bytes, int]
) -> Counter[str]:
    """Inserts a document and its passages, numbered from `first`. Returns how many of the passages contain each term."""
    document = staged.document
    connection.execute(
        """INSERT INTO documents(root, path, stamp, modified, digest, loader, caption, path_words, born)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (root, to_bytes(document.id.path), clean(document.stamp), float(document.modified), staged.digest, clean(staged.loader),
         clean(document.caption), clean(staged.path_words), born),
    )  # fmt: skip
    owner = connection.last_insert_rowid()
    path_terms = stored_terms(staged.path_words)
    counts: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for number, (passage, key) in enumerate(staged.passages, first):
        dated = float(document.modified if passage.taken is None else passage.taken)
        locator = locator_to_json(passage.locator, clean(passage.inner))
        identity = _free_id(connection, document.id, locator, seen[locator])
        seen[locator] += 1
        connection.execute(
            "INSERT INTO passages(number, document, kind, vector, dated, born) VALUES (?, ?, ?, ?, ?, ?)",
            (number, owner, KIND_CODES[passage.kind], vectors[key], dated, born),
        )
        connection.execute(
            "INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (number, identity, passage.ordinal, locator, passage.modality, clean(passage.text), clean(passage.caption),
             context_to_json(passage.context), passage.taken),
        )  # fmt: skip
        counts.update(_insert_words(connection, number, passage, path_terms))
    return counts


def update_term_counts(connection: apsw.Connection, changes: Mapping[str, int]) -> None:
    """Adds the changes to the number of live passages that contain each term; removes terms that no passage contains."""
    changed = [(term, count) for term, count in sorted(changes.items()) if count]
    connection.executemany(
        "INSERT INTO terms VALUES (?, ?) ON CONFLICT(term) DO UPDATE SET passages = passages + excluded.passages", changed
    )
    gone = [(term,) for term, count in changed if count < 0]
    connection.executemany("DELETE FROM terms WHERE term = ? AND passages <= 0", gone)


def insert_skipped(connection: apsw.Connection, document: Document, reason: str, root: int, born: int) -> None:
    """Records a file that could not be read, so that it is not opened again until it changes."""
    connection.execute(
        """INSERT INTO documents(root, path, stamp, modified, loader, caption, path_words, skipped, born)
           VALUES (?, ?, ?, ?, '', '', '', ?, ?)""",
        (root, to_bytes(document.id.path), clean(document.stamp), float(document.modified), clean(reason), born),
    )


def rebuild_full_text(connection: apsw.Connection) -> None:
    """Rebuilds the full text and the term counts from the texts of all passages, live and ended."""
    connection.execute("INSERT INTO lexical(lexical) VALUES ('delete-all')")
    connection.execute("DELETE FROM terms")
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('folding', ?)", (REVISION,))
    documents = "SELECT number, path_words, ended FROM documents WHERE skipped IS NULL AND number > ? ORDER BY number LIMIT ?"
    after = 0
    while rows := _fetch(connection, documents, (after, _ROWS_PER_STEP)):
        counts: Counter[str] = Counter()
        for owner, words, ended in rows:
            path_terms = stored_terms(words)
            numbers = _fetch(connection, "SELECT number FROM passages WHERE document = ? ORDER BY number", (owner,))
            passages = _read_passages(connection, owner, DocumentId("", f"number {owner}"))
            for (number,), (passage, _) in zip(numbers, passages, strict=True):
                terms = _insert_words(connection, number, passage, path_terms)
                counts.update(terms if ended is None else ())
        update_term_counts(connection, counts)
        after = int(rows[-1][0])


def end_document(connection: apsw.Connection, root: int, path: str, ended: int) -> Counter[str] | None:
    """Ends the live document at that path. Returns how many of its passages contain each term; None where there was none."""
    question = "SELECT number, path_words FROM documents WHERE root = ? AND path = ? AND ended IS NULL"
    row = connection.execute(question, (root, to_bytes(path))).fetchone()
    if row is None:
        return None
    owner, words = row
    path_terms = stored_terms(words)
    counts: Counter[str] = Counter()
    for passage, _ in _read_passages(connection, owner, DocumentId("", path)):
        counts.update({term for column in word_columns(passage, path_terms) for term in column})
    connection.execute("UPDATE documents SET ended = ? WHERE number = ?", (ended, owner))
    connection.execute("UPDATE passages SET ended = ? WHERE document = ?", (ended, owner))
    return counts


def find_twin(connection: apsw.Connection, digest: bytes, loader: str) -> TwinDocument | None:
    """The newest document with that digest, read by that loader; None where there is none."""
    row = connection.execute(
        """SELECT documents.number, roots.name, path, loader, caption FROM documents JOIN roots ON roots.number = documents.root
           WHERE digest = ? AND loader = ? ORDER BY documents.number DESC LIMIT 1""",
        (digest, loader),
    ).fetchone()
    if row is None:
        return None
    owner, root, path, loader, caption = row
    identity = DocumentId(to_name(root), to_name(path))
    return TwinDocument(identity, loader, caption, tuple(_read_passages(connection, owner, identity)))


def digest_of(connection: apsw.Connection, root: int, path: str) -> bytes | None:
    """The digest of the live document at that path; None where there is none, or it could not be read."""
    question = "SELECT digest FROM documents WHERE root = ? AND path = ? AND ended IS NULL"
    row = connection.execute(question, (root, to_bytes(path))).fetchone()
    return None if row is None else row[0]


def clear_stamps(connection: apsw.Connection, root: int, paths: Iterable[str]) -> None:
    """Clears the stamps of live documents, so that the next run reads them again. Composed and decomposed accents both match."""
    statement = "UPDATE documents SET stamp = '' WHERE root = ? AND path = ? AND ended IS NULL"
    spelled = {form for path in paths for form in (path, unicodedata.normalize("NFD", path))}
    connection.executemany(statement, [(root, to_bytes(form)) for form in spelled])


def read_stamps(connection: apsw.Connection, root: int, under: str) -> Iterator[tuple[str, str]]:
    """(path, stamp) of live documents, skipped ones too, ordered by the path's bytes. `under` limits them to a file or folder."""
    folder = to_bytes(under.rstrip("/"))
    after, before = (folder + b"/", folder + b"0") if folder else (b"", b"\xff" * 8)  # "0" follows "/"
    exact = "root = ? AND path = ? AND ended IS NULL"
    page = "root = ? AND path > ? AND path < ? AND ended IS NULL ORDER BY path LIMIT ?"
    found = _stamps_where(connection, exact, (root, folder))
    while True:
        yield from ((to_name(path), stamp) for path, stamp in found)
        found = _stamps_where(connection, page, (root, after, before, _ROWS_PER_STEP))
        if not found:
            return
        after = found[-1][0]


def _stamps_where(connection: apsw.Connection, condition: str, bindings: tuple[object, ...]) -> list[tuple[bytes, str]]:
    """(path, stamp) of the matching documents. SQLite returns them as one row, joined by "//", which neither can contain.

    Python may switch threads at every row: 20,000 rows took 30 ms longer while another thread walked a folder.
    """
    joined: bytes | None = connection.execute(
        f"""SELECT CAST(group_concat(path || '//' || stamp, '//' ORDER BY path) AS BLOB)
            FROM (SELECT path, stamp FROM documents WHERE {condition})""",
        bindings,
    ).get
    fields = joined.split(b"//") if joined else []
    if len(fields) % 2:
        raise apsw.CorruptError("the path of a document has an empty part")
    return [(path, stamp.decode()) for path, stamp in zip(fields[::2], fields[1::2], strict=True)]


def _read_passages(connection: apsw.Connection, owner: int, document: DocumentId) -> Iterator[tuple[Passage, bytes]]:
    rows: list[tuple[Any, ...]] = connection.execute(
        """SELECT vectors.key, kind, ordinal, locator, modality, text, caption, context, taken
           FROM passages JOIN texts ON texts.passage = passages.number JOIN vectors ON vectors.number = passages.vector
           WHERE passages.document = ? ORDER BY passages.number""",
        (owner,),
    ).fetchall()
    for key, *fields in rows:
        try:
            yield passage_from_row(document, tuple(fields)), key
        except (ValueError, KeyError, TypeError) as error:
            raise apsw.CorruptError(f"a passage of {document} cannot be read: {error}") from error


def word_columns(passage: Passage, path_terms: Sequence[str]) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """The terms of a passage that the full text indexes, by COLUMNS; `path_terms` are those of its document's path."""
    return stored_terms(_own_text(passage)), stored_terms(passage.caption), _path_terms(passage, path_terms)


def _insert_words(connection: apsw.Connection, number: int, passage: Passage, path_terms: Sequence[str]) -> set[str]:
    """Inserts a passage into the full text; returns its terms."""
    columns = word_columns(passage, path_terms)
    connection.execute("INSERT INTO lexical(rowid, text, caption, path) VALUES (?, ?, ?, ?)", (number, *_join_terms(columns)))
    return {term for column in columns for term in column}


def _path_terms(passage: Passage, path_terms: Sequence[str]) -> Sequence[str]:
    """The terms of the path, those of the file inside the document with them (none where paths are no clue), and of what is
    seen in its picture: less sure than a caption, as a path is.
    """
    inner = stored_terms(path_words(passage.inner)) if passage.inner and path_terms else ()
    seen = stored_terms(passage.context.seen) if passage.context.seen else ()
    return [*path_terms, *inner, *seen] if inner or seen else path_terms


def _fetch(connection: apsw.Connection, question: str, bindings: tuple[object, ...]) -> list[tuple[Any, ...]]:
    return connection.execute(question, bindings).fetchall()


def _join_terms(columns: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(column) for column in columns]


def _own_text(passage: Passage) -> str:
    """The text that the full text indexes as the passage's own; line breaks keep phrases from matching across its parts.

    Who made a document is found by its first passage: on all of a report's pages, the author would outweigh what they say.
    """
    context = passage.context
    about = "" if passage.ordinal else context.about
    return "\n".join(part for part in (passage.text, context.heading, context.title, context.sheet, about) if part)


def _free_id(connection: apsw.Connection, document: DocumentId, locator: str, nth: int) -> str:
    """The short id, lengthened where another live passage has it: in about one of 2,000 indexes of a million passages."""
    length = 10
    taken = "SELECT 1 FROM texts JOIN passages ON passages.number = passage WHERE texts.id = ? AND ended IS NULL"
    while connection.execute(taken, (identity := short_id(document, locator, nth, length),)).fetchone():
        length += 2
    return identity
