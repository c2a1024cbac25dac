"""Opens an index with its models and asks it: what the command line, the API and Python callers share.

Knows settings and the read path; knows no terminal and no HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import Settings
from rag.errors import MovedOn, NoSuchPassage, WrongRequest
from rag.index.locations import expand_home
from rag.loaders.policy import policy_of
from rag.models.canaries import compare_canaries
from rag.models.loading import Models, Say, open_embedder, reranker_beside, shared, silent
from rag.models.selection import choose_embedder, this_machine
from rag.serialization import checked_kinds
from rag.text.query_syntax import literal, spoken
from rag.types import Content, Filters, Hit, Kind, Query

if TYPE_CHECKING:
    from rag.index.reader.federated import Searchable
    from rag.index.reader.open_index import IndexStatus, OpenIndex
    from rag.search.pipeline import Results

_ATTEMPTS = 4  # each is undone only by another compaction within milliseconds


class Searcher:
    """An open index with its models. Close it, or use it in a `with`."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        say: Say = silent,
        models: Models | None = None,
        opened: OpenIndex | None = None,
    ) -> None:
        """`models` are used before others are loaded; `opened` is the index where it is open already."""
        from rag.index.catalog.index_folder import fingerprint_of, settings_of
        from rag.index.reader.open_index import open_index as open_folder

        self.settings = settings
        kept = settings_of(folder)
        self.policy = policy_of(kept)
        chosen = choose_embedder(settings, kept, this_machine())
        self.embedder = shared(chosen, open_embedder, say, models)
        if self.embedder.fingerprint == fingerprint_of(folder):
            compare_canaries(folder, kept, self.embedder)
        self.reranker = reranker_beside(self.embedder.fingerprint.model, settings, say, models)
        self.index = opened or open_folder(folder, settings.search)
        self._asked_of: Searchable = self.index

    def __enter__(self) -> Searcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The name of the index; of several, all of them."""
        return self._asked_of.name

    def beside(self, others: Sequence[Searcher]) -> Searcher:
        """One whose questions go to the indexes of all of them, with the models of this one. EmbedderMismatch."""
        from rag.index.reader.federated import FederatedIndex

        together = copy(self)
        together._asked_of = FederatedIndex([self.index, *(other.index for other in others)])
        return together

    def close(self) -> None:
        """Lets go of the index folder."""
        self.index.close()

    def status(self) -> IndexStatus:
        """What the index holds."""
        return self.index.status()

    def roots(self) -> Mapping[str, Path]:
        """The roots that can be asked for, by name, with the folder of each."""
        with self._asked_of.snapshot() as snapshot:
            return snapshot.roots()

    def query(self, text: str = "", **asked: Any) -> list[Hit]:
        """The hits for words, a picture or both, best first; the keywords are those of `search`."""
        return self.search(text, **asked).hits

    def search(
        self,
        text: str = "",
        *,
        image: str | os.PathLike[str] | bytes | None = None,
        video: str | None = None,
        like: str | None = None,
        content: Content | None = None,
        kinds: Sequence[Kind] = (),
        paths: Sequence[str] = (),
        roots: Sequence[str] = (),
        after: str | float | None = None,
        before: str | float | None = None,
        top_k: int | None = None,
        candidates: int | None = None,
        min_score: float | None = None,
        blend: float | str | None = None,
        rerank: bool = True,
        fold: bool = True,
        ocr: bool = True,
    ) -> Results:
        """Hits, the order after each stage, and notes.

        `image` is a picture file, or the bytes of one; `video` is `FILE@SECONDS`; `like` is the id of a passage, which is left
        out of the hits; `content` is what it holds, where another index has it. `after` (inclusive) and `before` (exclusive)
        are dates such as `2026-03-14` or seconds since the epoch. What is None is as the settings say; with `rerank` false the
        order of the first stages stands, with `fold` false results that repeat one another stand each for itself. With `ocr`
        false the words in a query picture are not looked for, which takes seconds: its pixels alone count, unless the model
        only reads.

        WrongRequest where nothing is asked or a filter cannot be meant, NoSuchPassage, TooLarge for the bytes of a huge picture.
        """
        from rag.search.pipeline import SearchOptions, search

        paths, roots = self._below_roots(paths, roots)
        filters = Filters(
            kinds=checked_kinds(kinds),
            paths=tuple(paths),
            roots=self._known_roots(roots),
            after=seconds_of(after),
            before=seconds_of(before),
        )
        if content is None:
            content = self._asked(text, image, video, like, ocr)
        settings = self.settings
        wanted = settings.top_k if top_k is None else top_k
        if wanted < 1:
            raise WrongRequest(f"top_k is {wanted}", remedy="ask for one hit or more")
        reach = SearchOptions(
            top_k=wanted + (like is not None),
            candidates=max(settings.candidates if candidates is None else candidates, wanted),
            min_score=settings.min_score if min_score is None else min_score,
            blend=settings.blend if blend is None else blend,
            fold_from=settings.fold_from,
            good_from=settings.good_from,
            fold=fold and like is None,  # what repeats the passage is the most like it, and must not go with it
        )
        words = text if text.strip() else literal(content.text or content.clues)
        ask = partial(
            search,
            self._asked_of,
            Query(words, content, filters),
            self.embedder,
            self.reranker if rerank else None,
            reach,
            limits=self.policy.limits,
            clues=self.policy.clues,
        )
        results = _asked_again(ask)
        return results if like is None else _without(results, like, wanted)

    def _asked(
        self, text: str, image: str | os.PathLike[str] | bytes | None, video: str | None, like: str | None, ocr: bool
    ) -> Content:
        from rag.search.query_media import query_frame, query_picture, query_picture_bytes

        policy = self.policy if ocr or "image" not in self.embedder.modalities else replace(self.policy, ocr="never")

        given = [name for name, one in (("picture", image), ("video", video), ("passage", like)) if one is not None]
        if len(given) > 1:
            raise WrongRequest(f"both a {given[0]} and a {given[1]} were given", remedy="ask with one of them")
        if like is not None:
            return self.content_of(like, text)
        if isinstance(image, bytes):
            shown = query_picture_bytes(image, policy)
        elif image is not None:
            if not os.fspath(image):
                raise WrongRequest("a picture without a name was given", remedy="name a picture file")
            shown = query_picture(expand_home(image), policy)
        elif video is not None:
            shown = query_frame(video, policy)
        elif text.strip():
            return Content(modality="text", text=_asked_for(text))
        else:
            raise WrongRequest("the query is empty", remedy='ask for something: rag query "harbour at night"')
        asked = _asked_for(text) if text.strip() else ""
        return Content(modality="image", text=asked, pixels=shown.pixels, clues=shown.clues)

    def content_of(self, id: str, text: str) -> Content:
        """A passage as a query: its words, or its picture with the words known about it; `text` stands beside.

        NoSuchPassage; WrongRequest where it has no words and its file cannot be opened.
        """
        from rag.search.stored_content import read_contents

        with self._asked_of.snapshot() as snapshot:
            stored = snapshot.by_id(id.removeprefix("#"))
        if stored is None:
            raise NoSuchPassage(id)
        passage = stored.passage
        known = "\n".join(part for part in (passage.caption, passage.text) if part)
        [content] = read_contents([stored], self.policy.limits)
        if content.modality != "text" and content.pixels:
            return Content("image", text=text, pixels=content.pixels, clues=known)
        words = "\n".join(part for part in (text, known) if part.strip())
        if not words:
            raise WrongRequest(f"{stored.file} cannot be opened, and it has no words", remedy="`rag index` looks for it again")
        return Content("text", text=words)

    def _below_roots(self, paths: Sequence[str], roots: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        """Patterns that are all written as they lie on disk, in one root: as they lie below it, and that root."""
        known = self.roots() if any(path.startswith(("/", "~")) for path in paths) else {}
        below: list[str] = []
        owners: list[str] = []
        for path in paths:
            whole = f"{expand_home(path)}{'/' if path.endswith('/') else ''}"
            for name, folder in known.items():
                if whole.startswith(f"{folder}/"):
                    below.append("/" + (whole.removeprefix(f"{folder}/") or "**"))
                    owners.append(name)
        return (below, roots or owners) if len(set(owners)) == 1 and len(below) == len(paths) else (paths, roots)

    def _known_roots(self, roots: Sequence[str]) -> tuple[str, ...]:
        known = self.roots()
        for root in roots:
            if root not in known:
                raise WrongRequest(f"no root is called {root!r}", remedy=f"the roots are: {', '.join(sorted(known))}")
        return tuple(roots)


def _asked_again(ask: Callable[[], Results]) -> Results:
    """What is asked, also where a compaction took away what was about to be opened: the next moment is of a newer commit."""
    for _ in range(_ATTEMPTS):
        with suppress(MovedOn):
            return ask()
    return ask()


def _without(results: Results, id: str, top_k: int) -> Results:
    """The results without the passage that was asked with, ranks counted anew."""
    others = [hit for hit in results.hits if id.removeprefix("#") not in {hit.id, *(member.id for member in hit.members)}]
    return replace(results, hits=[replace(hit, rank=rank) for rank, hit in enumerate(others[:top_k], start=1)])


def _asked_for(text: str) -> str:
    """What a model should read of a query. WrongRequest where it only says what is not wanted."""
    if asked := spoken(text):
        return asked
    raise WrongRequest(f"{text!r} only says what is not wanted", remedy='say what is: rag query -- harbour -draft -"old plan"')


# ---- values ---------------------------------------------------------------------------------


def seconds_of(given: str | float | None) -> float | None:
    """Seconds since the epoch of an ISO date or date and time; without a zone it is UTC. WrongRequest for anything else."""
    if given is None or isinstance(given, int | float):
        return given
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError as error:
        raise WrongRequest(f"not a date: {given!r}", remedy="write 2026-03-14 or 2026-03-14T09:30") from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
