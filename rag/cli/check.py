"""`rag check`: verifies an index. Knows printing only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.cli.options import Index
from rag.cli.terminal import harmless


def check(
    index: Index = "",
    read_data: Annotated[bool, typer.Option("--read-data", help="Read every byte and compare every checksum.")] = False,
) -> None:
    """Verify the structure of an index, and with --read-data every checksum."""
    from rag.errors import IndexDamaged
    from rag.index.locations import existing_room

    room = existing_room(index)
    folder, found = room.place, list(room.check(read_data=read_data))
    for finding in found:
        print(harmless(finding))
    if found:
        count = f"{len(found)} finding{'' if len(found) == 1 else 's'}"
        remedy = "repair it: rag repair" if isinstance(folder, Path) else "touch the files that are named, then: rag index"
        raise IndexDamaged(f"{folder} is damaged: {count}", remedy=remedy)
    more = "compares every checksum" if isinstance(folder, Path) else "reads every passage"
    print(f"{harmless(str(folder))} is intact" + ("" if read_data else f" in structure; --read-data {more} too"))
