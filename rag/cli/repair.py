"""`rag repair`: set right what `rag check` found, as far as that can be. Knows printing only."""

from __future__ import annotations

from rag.cli.options import Index
from rag.cli.terminal import harmless, say


def repair(index: Index = "") -> None:
    """Make derived files anew and take damaged documents out, so that the next `rag index` reads them again."""
    from rag.index.repair import repair as repair_index
    from rag.opening import existing_index

    folder = existing_index(index)
    found = repair_index(folder)
    for line in found.done:
        print(harmless(line))
    for document in found.documents:
        print(f"to be read again: {harmless(str(document))}")
    if found.documents:
        say(f"{len(found.documents)} documents had damaged vectors and are out of the index until: rag index")
    elif not found.done:
        print(f"{harmless(str(folder))}: nothing to repair")
