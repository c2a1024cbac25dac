"""`rag repair`: set right what `rag check` found, as far as that can be. Knows printing only."""

from __future__ import annotations

from rag.cli.options import Index
from rag.cli.terminal import harmless, say
from rag.humanize import counted


def repair(index: Index = "") -> None:
    """Make derived files anew and take damaged documents out, so that the next `rag index` reads them again."""
    from rag.index.locations import existing_index
    from rag.index.upkeep.repair import repair as repair_index

    folder = existing_index(index)
    found = repair_index(folder)
    for line in found.done:
        print(harmless(line))
    for document in found.documents:
        print(f"to be read again: {harmless(str(document))}")
    if found.documents:
        out = counted(len(found.documents), "document is", "documents are")
        say(f"{out} out of the index, whose vectors were damaged, until: rag index")
    elif not found.done:
        print(f"{harmless(str(folder))}: nothing to repair")
