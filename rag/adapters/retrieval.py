"""What every adapter does: opens an index here or a running `rag ui`, searches it, and returns texts, pictures and metadata.

Knows both ways of searching; knows no framework.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from rag.humanize import place
from rag.search.options import SearchOptions
from rag.serialization import hit_json
from rag.types import Hit

if TYPE_CHECKING:
    from rag.client import Client
    from rag.search.federated import FederatedSearcher
    from rag.search.searcher import Searcher

PICTURE_TYPE = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One hit as frameworks take it."""

    hit: Hit
    text: str  # its full text; of a picture its caption and the words in it, "" if it has none
    picture: bytes | None = None  # JPEG, if pictures are wanted and the hit is one

    @property
    def metadata(self) -> dict[str, Any]:
        """The JSON of the hit, and `source`: the file with the place, as a person reads it."""
        where = place(self.hit.locator, self.hit.inner)
        return hit_json(self.hit) | {"source": f"{self.hit.path}, {where}" if where else self.hit.path}


class Retrieval:
    """Searches one index or several, in this process or over HTTP; opened on the first search. Safe to share between threads."""

    def __init__(
        self, indexes: Sequence[str], url: str, token: str, options: SearchOptions, *, pictures: bool = False, **flags: Any
    ) -> None:
        """`url`: a running `rag ui`, whose own models answer; "": this process, with `flags` as settings."""
        self._indexes, self._url, self._token = tuple(indexes), url, token
        self._options, self._pictures, self._flags = options, pictures, flags
        self._opened: Searcher | FederatedSearcher | Client | None = None
        self._opening = threading.Lock()

    def search(self, text: str, top_k: int | None = None) -> list[Retrieved]:
        """The hits, best first. Errors as `Searcher.search` and `Client.search`."""
        from rag.client import Client

        opened, options = self._open(), self._options if top_k is None else replace(self._options, top_k=top_k)
        if isinstance(opened, Client):
            answer = opened.search(text, options, indexes=self._indexes, texts=True)
            hits, texts = answer.hits, dict(answer.texts)
        else:
            results = opened.search(text, options)
            hits, texts = results.hits, results.texts()
        return [Retrieved(hit, texts.get(hit.id, ""), self._picture(opened, hit)) for hit in hits]

    def close(self) -> None:
        """Closes what was opened; the next search opens it again."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _open(self) -> Searcher | FederatedSearcher | Client:
        from rag.client import connect
        from rag.search.federated import open_index

        with self._opening:
            if self._opened is None:
                if self._url:
                    self._opened = connect(self._url, self._token)
                else:
                    self._opened = cast("Searcher | FederatedSearcher", open_index(*(self._indexes or ("",)), **self._flags))
            return self._opened

    def _picture(self, opened: Searcher | FederatedSearcher | Client, hit: Hit) -> bytes | None:
        """The picture of a hit; None for a text, or where its file is gone."""
        from rag.client import Client
        from rag.errors import NotShown
        from rag.search.federated import FederatedSearcher

        if not self._pictures or hit.modality == "text":
            return None
        if isinstance(opened, Client):
            try:
                return _jpeg(opened.picture(hit.id, hit.index))
            except NotShown:
                return None
        from rag.search.stored_content import hit_pixels

        first = opened.searchers[0] if isinstance(opened, FederatedSearcher) else opened
        pixels = hit_pixels(hit, first.files)
        if pixels is None:
            return None
        from PIL import Image

        return _encoded(Image.fromarray(pixels))


def _jpeg(picture: bytes) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        return _encoded(opened)


def _encoded(picture: Any) -> bytes:
    kept = io.BytesIO()
    picture.convert("RGB").save(kept, "JPEG", quality=90)
    return kept.getvalue()
