"""Prepares a query for the pipeline: its content for the models, and its filters for the index.

Knows options, passages and roots; knows no model and no ranking.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag.errors import WrongRequest
from rag.index.locations import expand_home
from rag.location import Location, is_object_url
from rag.search.options import SearchOptions, pictures_in
from rag.serialization import checked_kinds
from rag.text.query_syntax import spoken
from rag.types import Content, Filters, StoredPassage

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool
    from rag.loaders.base import Limits
    from rag.loaders.policy import ReadingPolicy

_MEDIA = {"image": "picture", "video": "video", "like": "passage"}


def given_medium(options: SearchOptions) -> str:
    """ "image", "video" or "like", whichever is given; "" for none. WrongRequest for two of them, and for too many pictures."""
    given = [name for name in _MEDIA if (bool(pictures_in(options)) if name == "image" else getattr(options, name) is not None)]
    if len(given) > 1:
        first, second = (_MEDIA[name] for name in given[:2])
        raise WrongRequest(f"both a {first} and a {second} were given", remedy="search with one of them")
    return given[0] if given else ""


def words_content(text: str) -> Content:
    """The text to search with. WrongRequest if it is empty or only excludes."""
    if not text.strip():
        raise WrongRequest("the query is empty", remedy='search for something: rag query "harbour at night"')
    return Content(modality="text", text=_require_words(text))


def picture_content(text: str, options: SearchOptions, policy: ReadingPolicy, files: AskPool) -> Content:
    """The pictures or frame to search with, and `text` beside them; `policy` says whether text in them is read.

    WrongRequest, TooLarge for a huge picture.
    """
    from rag.search.query_media import query_frame

    given = pictures_in(options)
    shown = [_picture(one, policy, files) for one in given] or [query_frame(options.video or "", policy, files)]
    return Content(
        "image",
        text=_require_words(text) if text.strip() else "",
        pixels=tuple(pixels for one in shown for pixels in one.pixels),
        clues="\n".join(dict.fromkeys(one.clues for one in shown if one.clues)),
    )


def content_of(stored: StoredPassage, text: str, limits: Limits, files: AskPool) -> Content:
    """A passage as a query: its text, or its picture with the text known about it, and `text` added to it. WrongRequest."""
    from rag.search.stored_content import read_contents

    passage = stored.passage
    known = "\n".join(part for part in (passage.caption, passage.text) if part)
    [content] = read_contents([stored], limits, files)
    if content.modality != "text" and content.pixels:
        return Content("image", text=text, pixels=content.pixels, clues=known)
    words = "\n".join(part for part in (text, known) if part.strip())
    if not words:
        raise WrongRequest(f"{stored.file} cannot be opened, and no text is known of it", remedy="update the index: rag index")
    return Content("text", text=words)


def filters_of(options: SearchOptions, roots: Mapping[str, Location]) -> Filters:
    """The filters of the options, for an index with these roots. WrongRequest for an unknown root or kind, or a wrong date."""
    paths, names = _below_roots(options.paths, options.roots, roots)
    for root in names:
        if root not in roots:
            raise WrongRequest(f"no root is called {root!r}", remedy=f"the roots are: {', '.join(sorted(roots))}")
    return Filters(
        kinds=checked_kinds(options.kinds),
        paths=tuple(paths),
        roots=tuple(names),
        after=seconds_of(options.after),
        before=seconds_of(options.before),
    )


def seconds_of(given: str | float | None) -> float | None:
    """Seconds since the epoch for an ISO date, or date and time; without a time zone it is UTC. WrongRequest for other text."""
    if given is None or isinstance(given, int | float):
        return given
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError as error:
        raise WrongRequest(f"not a date: {given!r}", remedy="write 2026-03-14 or 2026-03-14T09:30") from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _picture(given: str | os.PathLike[str] | bytes, policy: ReadingPolicy, files: AskPool) -> Content:
    """One query picture, a file or the bytes of one. WrongRequest, TooLarge."""
    from rag.search.query_media import query_picture, query_picture_bytes

    if isinstance(given, bytes):
        return query_picture_bytes(given, policy, files)
    if not os.fspath(given):
        raise WrongRequest("the name of the query picture is empty", remedy="name a picture file")
    return query_picture(expand_home(given), policy, files)


def _require_words(text: str) -> str:
    """The query as a model should read it. WrongRequest where it only excludes words."""
    if words := spoken(text):
        return words
    raise WrongRequest(f"{text!r} only excludes words", remedy='add words to search for: rag query -- harbour -draft -"old plan"')


def _below_roots(
    paths: Sequence[str], names: Sequence[str], roots: Mapping[str, Location]
) -> tuple[Sequence[str], Sequence[str]]:
    """Absolute patterns that all lie in one root become relative, and select that root; others stay, with the roots `names`."""
    below: list[str] = []
    owners: list[str] = []
    for path in paths:
        if path.startswith(("/", "~")):
            whole = f"{expand_home(path)}{'/' if path.endswith('/') else ''}"
        elif is_object_url(path):
            whole = path
        else:
            continue
        for name, folder in roots.items():
            if whole.startswith(f"{folder}/"):
                below.append("/" + (whole.removeprefix(f"{folder}/") or "**"))
                owners.append(name)
    return (below, names or owners) if len(set(owners)) == 1 and len(below) == len(paths) else (paths, names)
