"""Stores how many files the last run over each root left out by rule, by reason, for the most frequent reasons.

Knows the table `facts`; knows no rules and no files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import apsw

KEPT = 200  # reasons per root; a folder of a thousand repositories may have ten thousand
OTHERS = "left out by other rules"
_NAME = "ignored"


def read_ignored(connection: apsw.Connection) -> dict[str, dict[str, int]]:
    """{root name: {reason: count}}; empty where no run has stored any, or the row cannot be decoded."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (_NAME,)).get
    try:
        return {
            str(root): {str(reason): int(count) for reason, count in counts.items()} for root, counts in json.loads(found).items()
        }
    except (TypeError, ValueError, AttributeError):
        return {}


def write_ignored(connection: apsw.Connection, root: str, counts: Mapping[str, int]) -> None:
    """Stores the counts of a run over a whole root, replacing those of the run before."""
    often = Counter(counts).most_common()
    kept = dict(often[:KEPT])
    if others := sum(count for _, count in often[KEPT:]):
        kept[OTHERS] = others
    known = read_ignored(connection)
    if known.get(root, {}) != kept:
        connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_NAME, json.dumps(known | {root: kept})))
