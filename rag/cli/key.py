"""`rag key`: keys for a server, limited or not. Knows options and printing; `rag.api.keys` keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import Json
from rag.cli.terminal import harmless, say

if TYPE_CHECKING:
    from rag.api.keys import StoredKey

ACTIONS = ("add", "list", "rm")


def key(
    action: Annotated[str, typer.Argument(help="add: make a key. list: all keys. rm: end one.")] = "list",
    name: Annotated[str, typer.Argument(help="What the key is called.")] = "",
    index: Annotated[
        list[str] | None, typer.Option("--index", "-i", help="With add: only this index, by name (repeatable).")
    ] = None,
    root: Annotated[list[str] | None, typer.Option("--root", help="With add: only this root of them (repeatable).")] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="With add: search only; without, it also uploads and starts runs.")
    ] = False,
    json: Json = False,
) -> None:
    """Make, list and end keys for `rag ui`. A key is printed once; what is kept is a hash of it."""
    from rag.api.keys import key_file
    from rag.config import load_settings
    from rag.errors import WrongRequest

    if action not in ACTIONS or (action != "list") != bool(name):
        said = f"rag key {action} {name}".strip()
        raise WrongRequest(f"{said} means nothing", remedy="rag key add NAME, rag key list, or rag key rm NAME")
    if action != "add" and (index or root or read_only):
        raise WrongRequest("limits are for new keys", remedy="end the key and make another: rag key rm NAME, rag key add NAME …")
    file = key_file(load_settings({}).keys)
    if action == "add":
        made = file.add(name, index or (), root or (), read_only=read_only)
        say(f"the key {name}, told this once; kept as a hash in {file.file}:")
        print(made)
    elif action == "rm":
        file.remove(name)
        print(f"ended the key {harmless(name)}: the next request with it is refused")
    else:
        _list(file.kept(), json)


def _list(found: Sequence[StoredKey], json: bool) -> None:
    from rag.humanize import day

    if json:
        from json import dumps

        shown = [
            {"name": one.name, "created": one.created, "indexes": one.indexes, "roots": one.roots, "read_only": one.read_only}
            for one in found
        ]
        print(dumps(shown, ensure_ascii=False, indent=2))
        return
    for one in found:
        limits = [*(f"index {name}" for name in one.indexes), *(f"root {name}" for name in one.roots)]
        what = "reads" if one.read_only else "reads, uploads, starts runs"
        print(harmless(f"{one.name}: {what}; {', '.join(limits) or 'everything'}; made {day(one.created)}"))
    if not found:
        say("there are no keys; make one: rag key add NAME --read-only")
