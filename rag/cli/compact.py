"""`rag compact`: give back the room of what is gone. Knows printing only."""

from __future__ import annotations

from rag.cli.options import Index
from rag.cli.terminal import harmless, say, size


def compact(index: Index = "") -> None:
    """Remove what was deleted or replaced from the index for good, and join its segments. Queries may go on meanwhile."""
    from rag.index.files.layout import size_on_disk
    from rag.index.locations import existing_index, warm_up
    from rag.index.writer.writer import writing

    folder = existing_index(index)
    before = size_on_disk(folder)
    with writing(folder) as writer:
        done = writer.compact()
    for remark in warm_up(folder, say):
        say(f"note: {remark}")
    with writing(folder):
        after = size_on_disk(folder)  # without the files the new segments replace
    print(
        f"{harmless(str(folder))}: {done.passages} ended passages and {done.vectors} unused vectors are gone, "
        f"{done.before} segments became {done.after}, {size(before)} became {size(after)}"
    )
