"""`rag status`: what an index holds. Knows printing only."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from rag.cli.left_out import print_ignored
from rag.cli.options import Index, Json
from rag.cli.terminal import harmless, size
from rag.humanize import counted

if TYPE_CHECKING:
    from rag.index.catalog.spaces import SpaceCounts
    from rag.index.reader.open_index import IndexStatus

MOST_UNREAD = 20  # parts shown; --json has them all
MOST_SUFFIXES = 12  # shown by name; --json has them all


def status(index: Index = "", json: Json = False) -> None:
    """Show documents and passages by kind, the model, the size, and what was skipped and why."""
    from rag.index.locations import existing_room

    with closing(existing_room(index).open("auto")) as opened:
        found = opened.status()
    _print_json(found) if json else _print(found)


def _print(found: IndexStatus) -> None:
    from rag.corpus.sources import is_there
    from rag.indexing.live_run import live_run

    if run := live_run(found.folder):
        done, total = int(run.progress.get("done", 0)), int(run.progress.get("total", 0))
        print(f"running     {done} of {counted(total, 'document')} (process {run.process})")
    print(f"index       {harmless(str(found.folder))} (format {found.format}, commit {found.generation}, {size(found.bytes)})")
    model = found.fingerprint
    print(f"model       {model.model}{revised(model.revision)}, {model.dim} dimensions; {model.preprocessing}")
    for space in found.spaces:
        print(f"and model   {space_line(space, sum(found.passages.values()))}")
    for name, folder in sorted(found.roots.items()):
        print(f"root        {harmless(name)}: {harmless(str(folder))}{'' if is_there(folder) else '  (folder not found)'}")
    by_count = sorted(found.suffixes.items(), key=lambda one: (-one[1], one[0]))
    suffixes = ", ".join(f"{count} {harmless(suffix) or 'without suffix'}" for suffix, count in by_count[:MOST_SUFFIXES])
    suffixes += f", {sum(count for _, count in by_count[MOST_SUFFIXES:])} others" if len(by_count) > MOST_SUFFIXES else ""
    print(f"documents   {found.documents}{f' ({suffixes})' if suffixes else ''}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.passages.items() if count)
    print(f"passages    {sum(found.passages.values())}{f' ({kinds})' if kinds else ''}, {counted(found.vectors, 'vector')}")
    print(f"skipped     {len(found.skipped)}")
    for skipped in found.skipped:
        print(f"            {harmless(str(skipped.document))}: {harmless(skipped.reason)}")
    documents = len({one.document for one in found.unread})
    inside = (
        f" parts of {counted(documents, 'document')}: rag status --json lists them" if found.unread_count > MOST_UNREAD else ""
    )
    print(f"not read    {found.unread_count}{inside if inside else ' inside documents'}")
    for part in found.unread[:MOST_UNREAD]:
        print(f"            {harmless(str(part.document))}: {harmless(part.reason)}")
    print_ignored(found.ignored, "left out    ")


def revised(revision: str) -> str:
    """What is said of a model's revision: nothing where it is not known, as over HTTP."""
    return f", revision {revision}" if revision else ""


def space_line(space: SpaceCounts, passages: int) -> str:
    """A vector space beside the first, in an index of so many passages."""
    share = space.passages / passages if passages else 1.0
    model = space.fingerprint
    named = f"{space.name}: {model.model}" if space.name != model.model else model.model
    filled = f"{space.passages} of {counted(passages, 'passage')} ({int(100 * share)} %), {size(space.bytes)}"
    return harmless(f"{named}{revised(model.revision)}, {model.dim} dimensions; {filled}")


def _print_json(found: IndexStatus) -> None:
    import json

    from rag.serialization import status_json

    print(json.dumps(status_json(found), ensure_ascii=False, indent=2))
