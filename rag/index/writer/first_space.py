"""Puts a further vector space in the place of the first one, within the writer's open transaction.

Knows the tables; knows no model, and reads and writes no vector: the files of the space stay as they are.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import apsw

from rag.index.catalog.row_codec import clean, fingerprint_to_json
from rag.index.catalog.spaces import Space, given_numbers
from rag.index.upkeep.compaction import remove_all_ended

CANARIES = "canaries"  # the setting that only an index of a server's model has


def replace_first(connection: apsw.Connection, space: Space, generation: int) -> None:
    """Numbers passages and other spaces by the vectors of a space, which must have one for every live passage.

    Ended rows go, as in a compaction, because the space may lack their contents. The segments of the first space end.
    """
    remove_all_ended(connection)
    given = given_numbers(connection, space.number)
    firsts = "CREATE TEMP TABLE firsts(before INTEGER PRIMARY KEY, after INTEGER NOT NULL)"
    connection.execute(firsts)
    try:
        connection.execute("INSERT INTO temp.firsts SELECT vector, number FROM members WHERE space = ?", (space.number,))
        _number_vectors(connection, space)
        connection.execute("UPDATE passages SET vector = (SELECT after FROM temp.firsts WHERE before = vector)")
        _number_members(connection, space)
    finally:
        connection.execute("DROP TABLE temp.firsts")
    connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'vectors'", (given,))
    connection.execute("UPDATE segments SET ended = ? WHERE space = 0 AND ended IS NULL", (generation,))
    connection.execute("UPDATE segments SET space = 0 WHERE space = ? AND ended IS NULL", (space.number,))
    connection.execute("UPDATE spaces SET ended = ? WHERE number = ?", (generation, space.number))
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('compacted', ?)", (generation,))
    connection.execute("UPDATE facts SET value = ? WHERE name = 'fingerprint'", (fingerprint_to_json(space.fingerprint),))
    connection.execute("DELETE FROM settings WHERE name = ?", (CANARIES,))
    settings = [(clean(name), clean(value)) for name, value in space.settings.items()]
    connection.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", settings)


def _number_vectors(connection: apsw.Connection, space: Space) -> None:
    """Gives every content its number in the space, under a key that stands for what it stood for and the space's model."""
    salt = json.dumps(fingerprint_to_json(space.fingerprint)).encode()
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT after, key FROM vectors JOIN temp.firsts ON before = vectors.number"
    ).fetchall()
    connection.execute("DELETE FROM vectors")
    numbered = [(number, blake2b(key + salt, digest_size=16).digest()) for number, key in rows]
    connection.executemany("INSERT INTO vectors(number, key) VALUES (?, ?)", numbered)


def _number_members(connection: apsw.Connection, space: Space) -> None:
    """Names the contents of the other spaces by their new numbers."""
    connection.execute(
        """CREATE TEMP TABLE renamed AS SELECT space, after AS vector, number FROM members
           JOIN temp.firsts ON before = members.vector WHERE space <> ?""",
        (space.number,),
    )
    connection.execute("DELETE FROM members")
    connection.execute("INSERT INTO members SELECT space, vector, number FROM temp.renamed")
    connection.execute("DROP TABLE temp.renamed")
