"""`rag models`: the models of an index. Knows options and printing; `rag.indexing.spaces` does the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.options import Index, Json
from rag.cli.status import revised
from rag.cli.terminal import harmless, say, size
from rag.humanize import counted

if TYPE_CHECKING:
    from rag.index.reader.open_index import IndexStatus

ACTIONS = ("list", "drop")


def models(
    action: Annotated[str, typer.Argument(help="list: what each model of the index holds. drop: remove one.")] = "list",
    name: Annotated[str, typer.Argument(help="With drop: the name of the model, as the list has it.")] = "",
    index: Index = "",
    json: Json = False,
) -> None:
    """List the models of an index, or drop one; to add one: rag index --add-model NAME."""
    from rag.errors import WrongRequest

    if action not in ACTIONS or (action == "drop") != bool(name):
        raise WrongRequest(
            f"rag models {action} {name}".strip() + " means nothing", remedy="rag models, or: rag models drop NAME"
        )
    if action == "drop":
        from rag.indexing.spaces import drop_model

        print(harmless(drop_model(name, index, say=say)))
        return
    from contextlib import closing

    from rag.index.locations import existing_room

    with closing(existing_room(index).open("auto")) as opened:
        found = opened.status()
    listed: list[dict[str, Any]] = models_json(found)
    if json:
        from json import dumps

        print(dumps(listed, ensure_ascii=False, indent=2))
        return
    for at, one in enumerate(listed):
        held = f"{one['passages']} of {counted(sum(found.passages.values()), 'passage')} ({int(100 * one['share'])} %)"
        first = ", first" if at == 0 else ""
        revision = revised(one["revision"])
        print(harmless(f"{one['name']}{first}: {held}, {one['dim']} dimensions{revision}, {size(one['bytes'])}"))
    if any(one["share"] < 1 for one in listed):
        say("rag index fills what is missing; searches find each passage by the models that have it")


def models_json(found: IndexStatus) -> list[dict[str, Any]]:
    """Every model of an index, the first one first, as `status_json` has the others."""
    from rag.index.catalog.spaces import SpaceCounts
    from rag.serialization import space_json

    passages = sum(found.passages.values())
    first = SpaceCounts(found.fingerprint.model, found.fingerprint, passages, found.vector_bytes)
    return [space_json(each, passages) for each in (first, *found.spaces)]


def add(folders: Sequence[str], index: str, form: str, quiet: bool, settings: dict[str, Any]) -> None:
    """`rag index --add-model`: prints what was filled. WrongRequest where folders are named: another run reads them."""
    from dataclasses import asdict
    from json import dumps

    from rag.cli.progress import json_line, progress_to
    from rag.errors import WrongRequest
    from rag.indexing.spaces import add_model

    if folders:
        what = "--add-model reads no folder: it works with what the index holds"
        raise WrongRequest(what, remedy="leave the folders out; rag index FOLDER indexes them for every model")
    settings.pop("kinds", None)
    with progress_to("" if quiet else form) as tell:
        filled = add_model(index, tell=tell, say=(lambda _: None) if quiet else say, **settings)
    if form == "text":
        print(harmless(str(filled)))
    elif form == "json":
        print(dumps(asdict(filled), ensure_ascii=False, indent=2))
    else:
        json_line({"event": "report", **asdict(filled)})


def refuse_together(given: Mapping[str, bool]) -> None:
    """WrongRequest where more than one of these options is given."""
    from rag.errors import WrongRequest

    named = [option for option, is_given in given.items() if is_given]
    if len(named) > 1:
        raise WrongRequest(f"{' and '.join(named)} cannot be combined", remedy="give one of them at a time")
