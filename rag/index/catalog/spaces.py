"""The vector spaces beside the first: which there are, and which content has which vector there.

Knows the tables `spaces`, `members` and `passages`; knows no vector values and no model.

The first space is the index itself: number 0, `facts.fingerprint`, a vector for every passage. A further space holds vectors of
the same contents by another model, as many as were made so far. A content is named by its vector in the first space.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import apsw

from rag.index.catalog.row_codec import clean, fingerprint_from_json, fingerprint_to_json
from rag.index.catalog.schema import LIVE
from rag.types import Fingerprint

FIRST = 0  # number of the first space


@dataclass(frozen=True, slots=True)
class Space:
    """A further space, as it was made."""

    number: int  # from 1, never reused
    name: str  # unique among the live ones
    fingerprint: Fingerprint
    settings: Mapping[str, str]  # how its model is opened, and the canaries of a server


class SpaceCounts(NamedTuple):
    """What a space holds."""

    name: str
    fingerprint: Fingerprint
    passages: int  # live ones that have a vector there
    bytes: int  # of its live segments


def read_spaces(connection: apsw.Connection, generation: int) -> tuple[Space, ...]:
    """The further spaces live at a generation, by number. apsw.CorruptError where one cannot be read."""
    question = f"SELECT number, name, fingerprint, settings FROM spaces WHERE {LIVE} ORDER BY number"
    try:
        return tuple(
            Space(number, name, fingerprint_from_json(made_by), json.loads(settings))
            for number, name, made_by, settings in connection.execute(question, (generation,))
        )
    except (ValueError, TypeError) as error:
        raise apsw.CorruptError(f"a vector space cannot be read: {error}") from error


def insert_space(connection: apsw.Connection, name: str, fingerprint: Fingerprint, settings: Mapping[str, str], born: int) -> int:
    """Adds an empty space; returns its number."""
    values = (clean(name), fingerprint_to_json(fingerprint), json.dumps(dict(settings)), born)
    connection.execute("INSERT INTO spaces(name, fingerprint, settings, given, born) VALUES (?, ?, ?, 0, ?)", values)
    return connection.last_insert_rowid()


def update_settings(connection: apsw.Connection, space: int, settings: Mapping[str, str]) -> None:
    """Replaces the settings of a space."""
    connection.execute("UPDATE spaces SET settings = ? WHERE number = ?", (json.dumps(dict(settings)), space))


def end_space(connection: apsw.Connection, space: int, ended: int) -> None:
    """Ends a space with its segments; a later commit's writer removes their files."""
    connection.execute("UPDATE spaces SET ended = ? WHERE number = ?", (ended, space))
    connection.execute("UPDATE segments SET ended = ? WHERE space = ? AND ended IS NULL", (ended, space))
    connection.execute("DELETE FROM members WHERE space = ?", (space,))


def given_numbers(connection: apsw.Connection, space: int) -> int:
    """How many vector numbers a space has given so far: the last one, as they count from 1 and none is given twice."""
    return int(connection.execute("SELECT given FROM spaces WHERE number = ?", (space,)).get)


def keep_given(connection: apsw.Connection, space: int, given: int) -> None:
    """Keeps how many numbers a space has given."""
    connection.execute("UPDATE spaces SET given = ? WHERE number = ?", (given, space))


def missing_passages(connection: apsw.Connection, space: int) -> list[int]:
    """A live passage of each content that a space lacks, the most recent first: dates fall, then documents in order."""
    question = """SELECT passages.number FROM passages JOIN texts ON texts.passage = passages.number
        WHERE ended IS NULL AND vector NOT IN (SELECT vector FROM members WHERE space = ?)
        GROUP BY vector ORDER BY max(dated) DESC, document, ordinal"""
    return [number for (number,) in connection.execute(question, (space,))]


def contents_of(connection: apsw.Connection, passages: Sequence[int]) -> dict[int, int]:
    """The content of each of the passages, by passage; those that are not in the catalog are left out."""
    question = "SELECT vector FROM passages WHERE number = ?"
    found = {number: connection.execute(question, (number,)).get for number in passages}
    return {number: int(vector) for number, vector in found.items() if vector is not None}


def sharing_passages(connection: apsw.Connection, passage: int, most: int) -> list[int]:
    """The live passages of the same content as that one, by number; at most so many, -1: all."""
    question = """SELECT number FROM passages WHERE ended IS NULL
        AND vector = (SELECT vector FROM passages WHERE number = ?) ORDER BY number LIMIT ?"""
    return [number for (number,) in connection.execute(question, (passage, most))]


def count_spaces(connection: apsw.Connection, generation: int) -> list[SpaceCounts]:
    """What each further space holds at a generation, by number."""
    held = f"""SELECT count(*) FROM (SELECT vector FROM passages WHERE {LIVE})
        WHERE vector IN (SELECT vector FROM members WHERE space = ?2)"""
    size = f"SELECT coalesce(sum(size), 0) FROM segments WHERE {LIVE} AND space = ?2"
    return [
        SpaceCounts(
            space.name,
            space.fingerprint,
            int(connection.execute(held, (generation, space.number)).get),
            int(connection.execute(size, (generation, space.number)).get),
        )
        for space in read_spaces(connection, generation)
    ]


# ---- when the first space changes -----------------------------------------------------------------


def move_contents(connection: apsw.Connection, moves: Sequence[tuple[int, int, int]]) -> None:
    """Follows vectors of the first space that get new numbers: (offset, first, end), which first … end - 1 move by."""
    for (space,) in connection.execute("SELECT number FROM spaces WHERE ended IS NULL").fetchall():
        statement = "UPDATE members SET vector = vector + ? WHERE space = ? AND vector >= ? AND vector < ?"
        connection.executemany(statement, [(offset, space, first, end) for offset, first, end in moves])


def forget_contents(connection: apsw.Connection) -> None:
    """Removes the members whose content is gone from the first space."""
    connection.execute("DELETE FROM members WHERE vector NOT IN (SELECT number FROM vectors)")


def follow_renewed(connection: apsw.Connection) -> None:
    """Follows vectors of the first space that were made anew: temp.renewed holds the numbers `before` and `after`."""
    connection.execute("DELETE FROM members WHERE vector NOT IN (SELECT before FROM temp.renewed)")
    connection.execute("UPDATE members SET vector = (SELECT after FROM temp.renewed WHERE before = vector)")
