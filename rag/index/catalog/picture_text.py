"""The texts that belong to pictures: captions that documents give them, and the words OCR recognised in them.

Knows the tables `captions` and `recognised`; knows no transaction (the writer's).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apsw

from rag.index.catalog.row_codec import clean, to_bytes, to_name
from rag.types import CaptionOf


def put_captions(connection: apsw.Connection, root: int, source: str, captions: Sequence[CaptionOf]) -> None:
    """Stores the captions that one document gives, replacing those it gave before."""
    forget_captions(connection, root, source)
    rows = [(root, to_bytes(source), at, to_bytes(each.target), clean(each.text)) for at, each in enumerate(captions)]
    connection.executemany("INSERT INTO captions VALUES (?, ?, ?, ?, ?)", rows)


def forget_captions(connection: apsw.Connection, root: int, source: str) -> None:
    """Deletes the captions that one document gave."""
    connection.execute("DELETE FROM captions WHERE root = ? AND source = ?", (root, to_bytes(source)))


def captions_from(connection: apsw.Connection, root: int, source: str) -> list[CaptionOf]:
    """The captions that one document gives, in their order there."""
    question = "SELECT target, text FROM captions WHERE root = ? AND source = ? ORDER BY ordinal"
    rows: list[tuple[Any, ...]] = connection.execute(question, (root, to_bytes(source))).fetchall()
    return [CaptionOf(to_name(target), text) for target, text in rows]


def captions_for(connection: apsw.Connection, root: int, target: str) -> list[str]:
    """The captions given to one picture, ordered by the path of the document that gives them and their order there."""
    question = "SELECT text FROM captions WHERE root = ? AND target = ? ORDER BY source, ordinal"
    rows: list[tuple[Any, ...]] = connection.execute(question, (root, to_bytes(target))).fetchall()
    return [text for (text,) in rows]


def by_target(captions: Sequence[CaptionOf]) -> dict[str, list[str]]:
    """The caption texts by target picture, each in order."""
    texts: dict[str, list[str]] = {}
    for caption in captions:
        texts.setdefault(caption.target, []).append(caption.text)
    return texts


def put_recognised(connection: apsw.Connection, key: bytes, words: str) -> None:
    """Stores the words recognised in the picture with that hash."""
    connection.execute("INSERT OR REPLACE INTO recognised VALUES (?, ?)", (key, clean(words)))


def recognised(connection: apsw.Connection, key: bytes) -> str | None:
    """The words recognised in the picture with that hash; None where OCR has not run on it."""
    row = connection.execute("SELECT words FROM recognised WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def all_recognised(connection: apsw.Connection) -> Iterator[tuple[bytes, str]]:
    """(hash, recognised words) of every picture that OCR has run on."""
    for key, words in connection.execute("SELECT key, words FROM recognised"):
        yield bytes(key), str(words)
