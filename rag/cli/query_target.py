"""Chooses what answers `rag query`: a named server, a running `rag ui` with the same indexes and models, or this process.

Knows settings, run files and both ways of searching; knows no output format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rag.cli.terminal import say
from rag.search.options import MOST_CANDIDATES, MOST_HITS, SearchOptions, pictures_in

if TYPE_CHECKING:
    from rag.client import Client
    from rag.config import Settings
    from rag.search.total import Total
    from rag.types import Hit

MOST_PICTURE_BYTES = 20_000_000  # larger query pictures, together, are not sent to a server that was found, not named


@dataclass(frozen=True, slots=True)
class TargetAnswer:
    """Hits, best first, from a server or from this process."""

    hits: list[Hit]
    notes: tuple[str, ...]
    texts: Mapping[str, str]  # the full text by the id of the hit, if requested
    good: bool | None  # whether the best is a good match; None if unknown
    total: Total | None = None  # how many results a whole list has


Target = Callable[[str, SearchOptions, bool], TargetAnswer]  # text, options, and whether to return full texts


@contextmanager
def choose_target(indexes: Sequence[str], flags: Mapping[str, Any], options: SearchOptions) -> Iterator[Target]:
    """The function that answers queries, opened on its first call; indexes, flags and errors as for `rag.open_index`."""
    from rag.config import load_settings

    settings = load_settings({**flags, "index": indexes[0] if indexes else None})
    with ExitStack() as opened:
        here = _this_process(indexes, flags, opened)
        names = list(indexes) or [settings.index]
        if settings.server not in ("auto", "none"):
            yield _named_server(settings, names, flags, opened)
        elif settings.server == "none" or options.video or _exceeds_a_server(settings, options):
            yield here
        else:
            yield _running_server(settings, names, flags, here, opened)


def _this_process(indexes: Sequence[str], flags: Mapping[str, Any], opened: ExitStack) -> Target:
    def search_here(text: str, options: SearchOptions, texts: bool) -> TargetAnswer:
        from rag.search.federated import open_index

        if not searchers:
            searchers.append(opened.enter_context(open_index(*indexes, say=say, **flags)))
        [searcher] = searchers
        found = searcher.search(text, options)
        full_texts = found.texts() if texts else {}
        return TargetAnswer(found.hits, found.notes, full_texts, found.good, found.total)

    searchers: list[Any] = []
    return search_here


def _named_server(settings: Settings, names: Sequence[str], flags: Mapping[str, Any], opened: ExitStack) -> Target:
    """The server of the setting `server`, with its own models."""
    from rag.client import connect
    from rag.errors import WrongRequest

    own = ("backend", "model", "family", "url", "reranker_model", "reranker_family", "reranker_url", "search")
    given = [key for key in own if flags.get(key)] + ["reranker"] * (flags.get("reranker") not in (None, "none"))
    if given:
        what = f"--{given[0].replace('_', '-')} has no effect on {settings.server}, which uses its own models"
        raise WrongRequest(what, remedy="leave it out, or search in this process: --server none")
    client = opened.enter_context(connect(settings.server, settings.token, ca_bundle=settings.ca_bundle))
    return _over_http(client, [name for name in names if name], settings)


def _running_server(
    settings: Settings, names: Sequence[str], flags: Mapping[str, Any], here: Target, opened: ExitStack
) -> Target:
    """A `rag ui` of this user that serves the indexes with the same models; `here` if there is none, or it cannot answer."""
    from rag.config import load_settings
    from rag.index.locations import identity, index_room
    from rag.models.run_files import running
    from rag.models.selection import query_print

    rooms = [index_room(name) for name in names]
    wanted = {identity(room.place) for room in rooms}
    reranking = {key: value for key, value in flags.items() if (key, value) != ("reranker", "none")}
    asks = query_print(load_settings(reranking))  # a search without reranking needs no other models
    found = next((one for one in running("ui") if wanted <= set(one.serves) and one.asks == asks), None)
    if found is None:
        return here

    from rag.client import Unreachable, connect
    from rag.errors import Overloaded, TooLarge

    client = opened.enter_context(connect(found.url, found.token))
    there = _over_http(client, [room.name for room in rooms], settings)
    unavailable = False

    def search_there(text: str, options: SearchOptions, texts: bool) -> TargetAnswer:
        nonlocal unavailable
        if not unavailable:
            try:
                if client.id() == found.id:
                    return there(text, options, texts)
            except (Unreachable, TooLarge, Overloaded) as error:
                say(f"note: {error.what}; searching in this process")
            unavailable = True
        return here(text, options, texts)

    return search_there


def _over_http(client: Client, names: Sequence[str], settings: Settings) -> Target:
    from rag.errors import WrongRequest
    from rag.index.locations import expand_home

    def search(text: str, options: SearchOptions, texts: bool) -> TargetAnswer:
        try:
            found = client.search(text, _completed(options, settings), indexes=names, texts=texts)
        except WrongRequest as error:
            given = [str(expand_home(os.fsdecode(one)).absolute()) for one in pictures_in(options)]
            if given:  # the server got their bytes, not their names
                error.what = error.what.replace("the query picture", " or ".join(given))
            raise
        return TargetAnswer(found.hits, found.notes, found.texts, found.good, found.total)

    return search


def _completed(options: SearchOptions, settings: Settings) -> SearchOptions:
    """The options completed by the settings of this process: the server may have others."""
    names = [name for name in ("top_k", "candidates", "min_score", "blend") if getattr(options, name) is None]
    return replace(options, **{name: getattr(settings, name) for name in names}, rerank=settings.reranker != "none")


def _exceeds_a_server(settings: Settings, options: SearchOptions) -> bool:
    """Whether the query exceeds what a server accepts."""
    from rag.index.locations import expand_home

    if settings.top_k > MOST_HITS or settings.candidates > MOST_CANDIDATES:
        return True
    try:
        return sum(expand_home(os.fsdecode(one)).stat().st_size for one in pictures_in(options)) > MOST_PICTURE_BYTES
    except OSError:
        return True  # this process reports what is wrong with the file
