"""`rag compact`: frees the space of deleted passages. Knows printing only."""

from __future__ import annotations

from rag.cli.options import Index, IndexKind
from rag.cli.terminal import harmless, say, size
from rag.humanize import counted


def compact(index: Index = "", index_kind: IndexKind = None) -> None:
    """Remove deleted and replaced passages from the index for good, and merge its segments. Queries keep working."""
    from rag.config import load_settings
    from rag.index.files.layout import size_on_disk
    from rag.index.locations import existing_index, existing_room, is_address, warm_up
    from rag.index.writer.writer import writing

    named = index or load_settings({}).index
    if is_address(named):
        room = existing_room(named)
        for remark in room.warm_up(load_settings({"index_kind": index_kind}), say):
            say(f"note: {remark}")
        removed = room.sweep()
        print(f"{harmless(str(room.place))}: removed {counted(removed, 'row')} that nothing names")
        return
    folder = existing_index(index)
    before = size_on_disk(folder)
    with writing(folder, say) as writer:
        done = writer.compact()
    for remark in warm_up(folder, say):
        say(f"note: {remark}")
    with writing(folder, say):
        after = size_on_disk(folder)  # without the files that the new segments replace
    print(
        f"{harmless(str(folder))}: "
        f"removed {counted(done.passages, 'deleted passage')} and {counted(done.vectors, 'unused vector')}; "
        f"segments: {done.before} → {done.after}; size: {size(before)} → {size(after)}"
    )
