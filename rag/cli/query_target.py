"""Who answers `rag query`: the server that was named, a running `rag ui` of the same index and models, else this process.

Knows settings, run files and both ways of asking; knows no format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rag.cli.terminal import say
from rag.search.options import MOST_CANDIDATES, MOST_HITS, SearchOptions

if TYPE_CHECKING:
    from rag.client import Client
    from rag.config import Settings
    from rag.types import Hit

MOST_BYTES = 20_000_000  # of a query picture that goes to a server nobody named


@dataclass(frozen=True, slots=True)
class TargetAnswer:
    """Hits, best first, whoever found them."""

    hits: list[Hit]
    notes: tuple[str, ...]
    texts: Mapping[str, str]  # the whole words by the id of the hit, where they were asked for
    good: bool | None  # whether the best is a good match; None where nobody can say


Ask = Callable[[str, SearchOptions, bool], TargetAnswer]  # words, options, and whether whole texts are wanted


@contextmanager
def asking(indexes: Sequence[str], flags: Mapping[str, Any], options: SearchOptions) -> Iterator[Ask]:
    """What answers, opened when it is first asked; indexes and flags as for `rag.open_index`. Errors: those of searching here."""
    from rag.config import load_settings

    settings = load_settings({**flags, "index": indexes[0] if indexes else None})
    with ExitStack() as opened:
        here = _here(indexes, flags, opened)
        names = list(indexes) or [settings.index]
        if settings.server not in ("auto", "none"):
            yield _named(settings, names, flags, opened)
        elif settings.server == "none" or options.video or _too_much(settings, options):
            yield here
        else:
            yield _nearby(settings, names, flags, here, opened)


def _here(indexes: Sequence[str], flags: Mapping[str, Any], opened: ExitStack) -> Ask:
    def ask(text: str, options: SearchOptions, texts: bool) -> TargetAnswer:
        from rag.search.federated import open_index

        if not searchers:
            searchers.append(opened.enter_context(open_index(*indexes, say=say, **flags)))
        [searcher] = searchers
        found = searcher.search(text, options)
        words = found.texts() if texts else {}
        return TargetAnswer(found.hits, found.notes, words, found.good)

    searchers: list[Any] = []
    return ask


def _named(settings: Settings, names: Sequence[str], flags: Mapping[str, Any], opened: ExitStack) -> Ask:
    """The server of the setting `server`, with its own models."""
    from rag.client import connect
    from rag.errors import WrongRequest

    own = ("backend", "model", "family", "url", "reranker_model", "reranker_family", "reranker_url", "search")
    given = [key for key in own if flags.get(key)] + ["reranker"] * (flags.get("reranker") not in (None, "none"))
    if given:
        what = f"--{given[0].replace('_', '-')} says nothing to {settings.server}, which has its own models"
        raise WrongRequest(what, remedy="leave it out, or ask here: --server none")
    client = opened.enter_context(connect(settings.server, settings.token, ca_bundle=settings.ca_bundle))
    return _there(client, [name for name in names if name], settings)


def _nearby(settings: Settings, names: Sequence[str], flags: Mapping[str, Any], here: Ask, opened: ExitStack) -> Ask:
    """A `rag ui` of this user that serves the indexes with the same models; `here` where there is none, or it cannot answer."""
    from rag.config import load_settings
    from rag.index.locations import index_folder
    from rag.models.run_files import running
    from rag.models.selection import query_print

    folders = [index_folder(name) for name in names]
    wanted = {os.path.realpath(folder) for folder in folders}
    reranking = {key: value for key, value in flags.items() if (key, value) != ("reranker", "none")}
    asks = query_print(load_settings(reranking))  # leaving the reranker out needs no other models
    found = next((one for one in running("ui") if wanted <= set(one.serves) and one.asks == asks), None)
    if found is None:
        return here

    from rag.client import Unreachable, connect
    from rag.errors import Overloaded, TooLarge

    client = opened.enter_context(connect(found.url, found.token))
    there = _there(client, [folder.name for folder in folders], settings)
    silent = False

    def ask(text: str, options: SearchOptions, texts: bool) -> TargetAnswer:
        nonlocal silent
        if not silent:
            try:
                if client.id() == found.id:
                    return there(text, options, texts)
            except (Unreachable, TooLarge, Overloaded) as error:
                say(f"note: {error.what}; searching here")
            silent = True
        return here(text, options, texts)

    return ask


def _there(client: Client, names: Sequence[str], settings: Settings) -> Ask:
    from rag.errors import WrongRequest
    from rag.index.locations import expand_home

    def ask(text: str, options: SearchOptions, texts: bool) -> TargetAnswer:
        try:
            found = client.search(text, _completed(options, settings), indexes=names, texts=texts)
        except WrongRequest as error:
            if options.image is not None:  # the server knows the picture, not its name
                error.what = error.what.replace("the query picture", str(expand_home(os.fsdecode(options.image)).absolute()))
            raise
        return TargetAnswer(found.hits, found.notes, found.texts, found.good)

    return ask


def _completed(options: SearchOptions, settings: Settings) -> SearchOptions:
    """The options with the settings of this side: the server has others."""
    names = [name for name in ("top_k", "candidates", "min_score", "blend") if getattr(options, name) is None]
    return replace(options, **{name: getattr(settings, name) for name in names}, rerank=settings.reranker != "none")


def _too_much(settings: Settings, options: SearchOptions) -> bool:
    """Whether the question is larger than a server takes."""
    from rag.index.locations import expand_home

    if settings.top_k > MOST_HITS or settings.candidates > MOST_CANDIDATES:
        return True
    try:
        return options.image is not None and expand_home(os.fsdecode(options.image)).stat().st_size > MOST_BYTES
    except OSError:
        return True  # this process says what is the matter with it
