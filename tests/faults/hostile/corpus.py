"""The whole hostile corpus, in one list. Knows its parts only."""

from __future__ import annotations

from tests.faults.hostile.bad import Bad
from tests.faults.hostile.bombs import bombs
from tests.faults.hostile.containers import containers
from tests.faults.hostile.damage import damaged_files
from tests.faults.hostile.names import names
from tests.faults.hostile.places import places
from tests.faults.hostile.texts import texts


def bad_files() -> list[Bad]:
    """Every bad file, each path once."""
    bad = [*damaged_files(), *bombs(), *containers(), *texts(), *names(), *places()]
    assert len({one.path for one in bad}) == len(bad)
    return bad
