"""`rag show`: one passage in full, by the id of a hit. Knows printing only."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from rag.cli.options import Index, Json
from rag.cli.terminal import harmless


def show(
    id: Annotated[str, typer.Argument(help="The id of a hit, with or without #.")],
    index: Index = "",
    json: Json = False,
) -> None:
    """Print one passage: where it is, and its full text."""
    from rag.errors import WrongRequest
    from rag.humanize import day, degrees, place
    from rag.index.locations import existing_room
    from rag.serialization import context_json, location_json, locator_json

    with closing(existing_room(index).open("auto")) as opened:
        stored = opened.by_id(id.removeprefix("#"))
    if stored is None:
        raise WrongRequest(
            f"no passage has the id {id}", remedy="copy an id from `rag query`; when a file changes, so do its ids"
        )
    passage = stored.passage
    if json:
        import json as json_

        value = {
            "id": stored.id,
            "root": passage.document.root,
            "document": passage.document.path,
            "path": str(stored.file),
            "kind": passage.kind,
            "modality": passage.modality,
            "locator": locator_json(passage.locator, passage.inner),
            "text": passage.text,
            "caption": passage.caption,
            "context": context_json(passage.context),
            "dated": stored.dated,
            "location": location_json(passage.context),
        }
        print(json_.dumps(value, ensure_ascii=False, indent=2))
        return
    where = place(passage.locator, passage.inner)
    print(harmless(f"{stored.file}{' ' if passage.inner else ', ' if where else ''}{where} ({passage.kind})"))
    print(harmless(", ".join(filter(None, (day(stored.dated), passage.context.about, degrees(passage.context.location))))))
    if passage.context.seen:
        print(harmless(f"shows: {passage.context.seen}"))
    for text in (passage.caption, passage.text):
        if text:
            print("\n" + "\n".join(harmless(line) for line in text.splitlines()))
