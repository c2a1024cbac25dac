"""The SQL tables of the catalog, and their format number.

Knows no connection and no other file of the index. Every table and column is explained in indexes/README.md.
"""

from __future__ import annotations

from rag.types import KINDS, Kind

FORMAT = 4  # PRAGMA user_version; readers refuse larger ones, `rag.index.upkeep.migration` migrates smaller ones
APPLICATION = 0x52414749  # PRAGMA application_id: "RAGI"
PAGE_RESERVE = 8  # bytes at the end of every page, where SQLite's checksum VFS stores the page's checksum

KIND_CODES: dict[Kind, int] = {kind: code for code, kind in enumerate(KINDS)}  # stored: append to KINDS, never reorder

COLUMNS = ("text", "caption", "path")  # of the full-text index
COLUMN_WEIGHTS = (1.0, 1.2, 0.7)  # in BM25, same order: a caption describes the passage, a path only often does

SPACE_TABLES = """
CREATE TABLE spaces(
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, fingerprint TEXT NOT NULL, settings TEXT NOT NULL,
    given INTEGER NOT NULL, born INTEGER NOT NULL, ended INTEGER
) STRICT;
CREATE UNIQUE INDEX live_spaces ON spaces(name) WHERE ended IS NULL;
CREATE TABLE members(
    space INTEGER NOT NULL REFERENCES spaces, vector INTEGER NOT NULL REFERENCES vectors, number INTEGER NOT NULL,
    PRIMARY KEY(space, vector)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX members_by_number ON members(space, number);
"""  # format 4

TABLES = (
    """
CREATE TABLE facts(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE roots(
    number INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB NOT NULL, folder BLOB NOT NULL, born INTEGER NOT NULL, ended INTEGER
) STRICT;
CREATE UNIQUE INDEX live_roots ON roots(name) WHERE ended IS NULL;

CREATE TABLE documents(
    number INTEGER PRIMARY KEY AUTOINCREMENT, root INTEGER NOT NULL REFERENCES roots, path BLOB NOT NULL,
    stamp TEXT NOT NULL, modified REAL NOT NULL, digest BLOB, loader TEXT NOT NULL, caption TEXT NOT NULL,
    path_words TEXT NOT NULL, skipped TEXT, born INTEGER NOT NULL, ended INTEGER
) STRICT;
CREATE UNIQUE INDEX live_documents ON documents(root, path) WHERE ended IS NULL;
CREATE INDEX documents_by_digest ON documents(digest) WHERE digest IS NOT NULL;

CREATE TABLE passages(
    number INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents, kind INTEGER NOT NULL,
    vector INTEGER NOT NULL REFERENCES vectors, dated REAL NOT NULL, born INTEGER NOT NULL, ended INTEGER
) STRICT;
CREATE INDEX passages_by_document ON passages(document);
CREATE INDEX passages_by_vector ON passages(vector);
CREATE INDEX ended_passages ON passages(ended) WHERE ended IS NOT NULL;

CREATE TABLE texts(
    passage INTEGER PRIMARY KEY REFERENCES passages, id TEXT NOT NULL, ordinal INTEGER NOT NULL, locator TEXT NOT NULL,
    modality TEXT NOT NULL, text TEXT NOT NULL, caption TEXT NOT NULL, context TEXT NOT NULL, taken REAL
) STRICT;
CREATE INDEX texts_by_id ON texts(id);

CREATE VIRTUAL TABLE lexical USING fts5(
    text, caption, path, content = '', contentless_delete = 1, tokenize = 'ascii'
);
CREATE TABLE terms(term TEXT PRIMARY KEY, passages INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE vectors(number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE segments(
    number INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL, rows INTEGER NOT NULL, size INTEGER NOT NULL,
    header INTEGER NOT NULL, header_checksum BLOB NOT NULL, checksum BLOB NOT NULL, born INTEGER NOT NULL, ended INTEGER,
    space INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE blocks(segment INTEGER PRIMARY KEY REFERENCES segments, checksums BLOB NOT NULL) STRICT;

CREATE TABLE captions(
    root INTEGER NOT NULL REFERENCES roots, source BLOB NOT NULL, ordinal INTEGER NOT NULL, target BLOB NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY(root, source, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX captions_by_target ON captions(root, target);
CREATE TABLE recognised(key BLOB PRIMARY KEY, words TEXT NOT NULL) STRICT;
"""
    + SPACE_TABLES
)


LIVE = "born <= ?1 AND (ended IS NULL OR ended > ?1)"  # at generation ?1
