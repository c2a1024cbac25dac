"""What the last run over each root left out by rule, as the catalog keeps it: counts by reason, the most frequent of them.

Knows the tables `facts` and `roots`; knows no rule and no file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import apsw

KEPT = 200  # reasons of a root; a folder of a thousand repositories may have ten thousand
OTHERS = "left out by other rules"
_NAME = "ignored"


def read_ignored(connection: apsw.Connection) -> dict[str, dict[str, int]]:
    """Counts by reason, by the name of the root; nothing where no run has kept any."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (_NAME,)).get
    try:
        return {
            str(root): {str(reason): int(count) for reason, count in counts.items()} for root, counts in json.loads(found).items()
        }
    except (TypeError, ValueError, AttributeError):
        return {}


def write_ignored(connection: apsw.Connection, root: str, counts: Mapping[str, int]) -> None:
    """Keeps what a run over all of a root left out, in place of what one before it did."""
    often = Counter(counts).most_common()
    kept = dict(often[:KEPT])
    if others := sum(count for _, count in often[KEPT:]):
        kept[OTHERS] = others
    known = read_ignored(connection)
    if known.get(root, {}) != kept:
        connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_NAME, json.dumps(known | {root: kept})))
