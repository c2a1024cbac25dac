"""`make bench`: all rows, as one table. Knows the order only."""

from __future__ import annotations

import sys

from tests.bench import (
    commits,
    http_client,
    large_query,
    lexical,
    media,
    memory,
    objects,
    passages,
    rescan,
    spaces,
    startup,
    users,
    vectors,
    warm_query,
    writing,
)
from tests.bench.measure import show

parts = (
    startup,
    rescan,
    http_client,
    large_query,
    commits,
    lexical,
    warm_query,
    memory,
    media,
    passages,
    spaces,
    writing,
    objects,
    users,
    vectors,
)
found = [row for part in parts for row in part.rows()]
show(found)
sys.exit(not all(row.holds for row in found))
