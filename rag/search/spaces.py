"""The vector spaces that a query asks: their models, and the query's vector by each.

Knows embedders and queries; knows no snapshot and no ranking.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.backends.base import Embedder
from rag.errors import RagError, WrongRequest
from rag.index.catalog.spaces import FIRST, Space
from rag.models.further import open_to_ask
from rag.models.loading import ModelCache, Say
from rag.search.several_pictures import embed_pictures
from rag.text.query_syntax import spoken
from rag.types import Content

if TYPE_CHECKING:
    from rag.config import Settings
    from rag.search.asked_kind import AskedKind
    from rag.types import Vectors


@dataclass(frozen=True, slots=True)
class SpaceModel:
    """A vector space with the model that made it. `name` is "" where the index has one space only."""

    number: int
    name: str
    embedder: Embedder
    named: bool = False  # whether the query names it: then it is not left out where its model fails


@dataclass(frozen=True, slots=True, eq=False)
class SpaceQuery:
    """A query's vector in a space, float32 (1, dim)."""

    space: SpaceModel
    vector: Vectors
    combined: str = ""  # how several pictures became one vector; "" for one


class FurtherModels:
    """The models of the further spaces of an index, each opened once. Thread-safe."""

    def __init__(self, folder: Path | str, settings: Settings, models: ModelCache, say: Say) -> None:
        self._folder, self._settings, self._models, self._say = folder, settings, models, say
        self._opened: dict[int, Embedder] = {}  # by the number of the space
        self._lock = threading.Lock()

    def embedder(self, space: Space) -> Embedder:
        """The embedder of a space; the errors of `open_to_ask`."""
        with self._lock:
            if space.number not in self._opened:
                self._opened[space.number] = open_to_ask(self._folder, space, self._settings, self._models, self._say)
            return self._opened[space.number]


def spaces_to_ask(
    first: Embedder, spaces: Sequence[Space], names: Sequence[str], open_model: Callable[[Space], Embedder]
) -> tuple[list[SpaceModel], tuple[str, ...]]:
    """The spaces a query asks, in order, with notes on those whose model cannot be opened now; all for no `names`.

    WrongRequest for a name that no space has. The model of a space that is named must open: its errors are raised.
    """
    known = [first.fingerprint.model, *(space.name for space in spaces)]
    for name in names:
        if name not in known:
            raise WrongRequest(f"the index has no model called {name!r}", remedy=f"it has: {', '.join(known)}")
    found = []
    notes = []
    if not names or known[0] in names:
        found.append(SpaceModel(FIRST, known[0] if spaces else "", first, known[0] in names))
    for space in spaces:
        if names and space.name not in names:
            continue
        try:
            found.append(SpaceModel(space.number, space.name, open_model(space), space.name in names))
        except RagError as error:
            if names:
                raise
            notes.append(f"{space.name} was not asked: {error.what}; {error.remedy}")
    return found, tuple(notes)


def embed_query(
    spaces: Sequence[SpaceModel], content: Content, asked: AskedKind | None
) -> tuple[list[SpaceQuery], tuple[str, ...]]:
    """The query's vector in each space, and notes: on a picture that a model does not see, and on models that failed.

    The first space, and those that are named, raise their errors: BackendError, WrongRequest.
    """
    found: list[SpaceQuery] = []
    notes: list[str] = []
    for space in spaces:
        try:
            fitted, said = fit_query(space.embedder, as_asked(space.embedder, content, asked))
            found.append(SpaceQuery(space, *embed_pictures(space.embedder, fitted, space.name)))
            notes += said
        except RagError as error:
            if space.number == FIRST or space.named:
                raise
            notes.append(f"{space.name} was not asked: {error.what}; {error.remedy}")
    return found, tuple(dict.fromkeys(notes))


def as_asked(embedder: Embedder, content: Content, asked: AskedKind | None) -> Content:
    """The content without the words that ask for a kind: a model knows what "a photo of" means, lite would look for the word."""
    if asked is None or embedder.fingerprint.model != "lite":
        return content
    return replace(content, text=spoken(asked.words))


def fit_query(embedder: Embedder, content: Content) -> tuple[Content, tuple[str, ...]]:
    """The query in a form that the embedder accepts, with a note if its picture is dropped. WrongRequest if nothing is left."""
    if content.modality in embedder.modalities:
        return content, ()
    words = content.text or content.clues
    model = embedder.fingerprint.model
    if not words:
        raise WrongRequest(f"{model} is text-only, and the picture contains no text", remedy="search with words")
    return Content("text", text=words), (f"{model} is text-only: of the picture, only the text in it counts",)
