"""Finds an implementation by its name in a table, and imports it only then.

A table is `name → "module:Class"`; `module:Class` itself is accepted as a name: that is the whole plugin system.
Knows no implementation.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from rag.errors import WrongRequest


def resolve(table: Mapping[str, str], name: str, what: str) -> Any:
    """The class that `name` stands for in `table`, or that it names as `module:Class`.

    `what` is the word for it in messages. WrongRequest where the name is unknown or its module cannot be imported.
    """
    place = table.get(name, name if ":" in name else "")
    if not place:
        known = ", ".join(sorted(table))
        raise WrongRequest(f"no {what} is called {name!r}", remedy=f"choose one of: {known}, or module:Class")
    module, _, attribute = place.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise WrongRequest(f"the {what} {name!r} cannot be loaded: {error}", remedy="is its package installed?") from error
