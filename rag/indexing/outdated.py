"""Says which documents a run reads again because this version, or a program that was installed since, reads more of them.

Knows counts by family; knows no index and no loader.
"""

from __future__ import annotations

from collections.abc import Mapping

from rag.humanize import counted
from rag.index.catalog.reader_versions import UNREAD


def describe_outdated(counts: Mapping[str, int], verb: str) -> list[str]:
    """A note for the report, with the verb "are" or "would be"; none where nothing is outdated."""
    families = {name: count for name, count in counts.items() if name != UNREAD}
    said = []
    if families:
        listed = ", ".join(f"{count:,} {name}" for name, count in sorted(families.items(), key=lambda pair: (-pair[1], pair[0])))
        total = sum(families.values())
        are = "is" if (verb, total) == ("are", 1) else verb
        said.append(f"more of some files can be read now: {counted(total, 'document')} {are} read again ({listed})")
    if unread := counts.get(UNREAD, 0):
        are = "is" if (verb, unread) == ("are", 1) else verb
        said.append(f"{counted(unread, 'file')} that could not be read {are} tried again")
    return said
