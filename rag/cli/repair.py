"""`rag repair`: repairs what `rag check` found, as far as possible. Knows printing only."""

from __future__ import annotations

from rag.cli.options import Index
from rag.cli.terminal import harmless, say
from rag.humanize import counted


def repair(index: Index = "") -> None:
    """Rebuild derived files and remove damaged documents, so that the next `rag index` reads them again."""
    from rag.index.locations import existing_index
    from rag.index.upkeep.repair import repair as repair_index

    folder = existing_index(index)
    found = repair_index(folder, say)
    for line in found.done:
        print(harmless(line))
    for document in found.documents:
        print(f"removed until the next `rag index`: {harmless(str(document))}")
    if found.documents:
        say(f"removed {counted(len(found.documents), 'document')} with damaged vectors; to read them again: rag index")
    elif not found.done:
        print(f"{harmless(str(folder))}: nothing to repair")
