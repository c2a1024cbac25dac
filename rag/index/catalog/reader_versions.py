"""Finds documents that an older version of their loader read, and files that older loaders could not read.

Knows the tables `documents` and `facts`; knows versions as numbers and no loader.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import apsw

UNREAD = ""  # counts files that could not be read
_NAME = "loaders"  # of the fact: the versions that were the newest at the last run


def count_outdated(connection: apsw.Connection, versions: Mapping[str, int]) -> Counter[str]:
    """Live documents by the family of their loader, where it is older than `versions` says; and those that could not be read.

    Empty where the last run had these versions already: then nothing is counted.
    """
    if _known(connection) == dict(versions):
        return Counter()
    counts: Counter[str] = Counter()
    for loader, count in connection.execute(
        "SELECT loader, count(*) FROM documents WHERE ended IS NULL AND skipped IS NULL GROUP BY loader"
    ):
        if is_outdated(loader, versions):
            counts[family_of_loader(loader)] += count
    counts[UNREAD] = connection.execute("SELECT count(*) FROM documents WHERE ended IS NULL AND skipped IS NOT NULL").get
    return +counts


def clear_outdated(connection: apsw.Connection, versions: Mapping[str, int]) -> Counter[str]:
    """Clears the stamps of these documents, so that the run that follows reads them again, and keeps the versions."""
    counts = count_outdated(connection, versions)
    loaders = (
        [loader for (loader,) in connection.execute("SELECT DISTINCT loader FROM documents WHERE ended IS NULL")]
        if counts
        else []
    )
    old = [(loader,) for loader in loaders if is_outdated(loader, versions)]
    connection.executemany("UPDATE documents SET stamp = '' WHERE ended IS NULL AND loader = ?", old)
    if counts[UNREAD]:
        connection.execute("UPDATE documents SET stamp = '' WHERE ended IS NULL AND skipped IS NOT NULL")
    if _known(connection) != dict(versions):
        connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_NAME, json.dumps(dict(versions), sort_keys=True)))
    return counts


def _known(connection: apsw.Connection) -> dict[str, int]:
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (_NAME,)).get
    try:
        return {str(name): int(version) for name, version in json.loads(found).items()}
    except (TypeError, ValueError, AttributeError):
        return {}


def family_of_loader(loader: str) -> str:
    """The family of a loader as `documents.loader` has it: `pdf` of `pdf.pdf:2:<rules>`."""
    return loader.partition(".")[0]


def is_outdated(loader: str, versions: Mapping[str, int]) -> bool:
    """Whether a loader as `documents.loader` has it (`pdf.pdf:2:<rules>`) is older than its version of today."""
    version = loader.partition(":")[2].partition(":")[0]
    return version.isdecimal() and int(version) < versions.get(family_of_loader(loader), 0)
