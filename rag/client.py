"""Queries a running `rag ui` from Python: the same hits, without loading a model.

    with rag.connect("http://127.0.0.1:7860") as client:
        for hit in client.query("harbour at night", kinds=["image"]):
            print(hit.score, hit.path, hit.locator)

Knows HTTP and the contract of a hit; knows no index and no model.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from rag.errors import BackendError, WrongRequest
from rag.search.options import SearchOptions, asked_indexes, pictures_in
from rag.search.total import Total
from rag.serialization import checked_kinds, error_from_json, hit_from_json
from rag.types import Hit

if TYPE_CHECKING:
    import httpx

_DEFAULTS = SearchOptions()
TIMEOUT_SECONDS = 90.0  # for one answer; the server gives up after 60


class Unreachable(BackendError):
    """Nothing answers at the address, or what answers is not a `rag ui`."""


@dataclass(frozen=True, slots=True)
class SearchResponse:
    """Hits, best first, and what the server says about them."""

    hits: list[Hit]
    notes: tuple[str, ...]
    good: bool  # False: no hit is a good match; the best are listed all the same
    reranker: str | None  # its name, if one ran
    index: str
    generation: int
    counts: Mapping[str, Mapping[str, int]]  # number of candidates by `kinds`, `folders` and `roots`
    seconds: Mapping[str, float]  # of each stage, and `total`
    texts: Mapping[str, str]  # the full text by the id of the hit, if requested
    indexes: tuple[str, ...] = ()  # all that were searched
    total: Total | None = None  # how many results a whole list has; None where none was asked for


@dataclass(frozen=True, slots=True)
class Relevance:
    """One reranked document: its position in the given list, from 0, and its score, 0…1."""

    index: int
    score: float


def connect(url: str, token: str = "", *, timeout: float = TIMEOUT_SECONDS, ca_bundle: str = "") -> Client:
    """A client of the `rag ui` at `url`; `token` is its key, `ca_bundle` a file of certificates. WrongRequest for a bad URL."""
    return Client(url, token, timeout=timeout, ca_bundle=ca_bundle)


class Client:
    """A connection to a running `rag ui`. Close it, or use it in a `with`.

    Raises the errors that the same call would raise locally (WrongRequest, IndexNotFound, BackendError, …), and Unreachable.
    """

    def __init__(self, url: str, token: str = "", *, timeout: float = TIMEOUT_SECONDS, ca_bundle: str = "") -> None:
        import ssl

        import httpx

        place = urlsplit(url)
        if place.scheme not in ("http", "https") or not place.hostname:
            raise WrongRequest(f"not a server address: {url!r}", remedy="write it like http://127.0.0.1:7860")
        self.url = f"{place.scheme}://{place.netloc}{place.path.rstrip('/')}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        trusted: Any = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else True
        local = place.hostname in ("127.0.0.1", "::1", "localhost")  # no proxy for this machine, whatever the environment says
        self._http = httpx.Client(
            base_url=self.url, headers=headers, timeout=timeout, verify=trusted if place.scheme == "https" else False,
            trust_env=not local,
        )  # fmt: skip

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def query(self, text: str = "", **asked: Any) -> list[Hit]:
        """The hits for words, a picture or both, best first; takes the keywords of `search`."""
        return self.search(text, **asked).hits

    def search(
        self,
        text: str = "",
        options: SearchOptions | None = None,
        *,
        index: str | None = None,
        indexes: Sequence[str] = (),
        texts: bool = False,
        **asked: Any,
    ) -> SearchResponse:
        """The hits and what the server says about them. The keywords are the fields of `SearchOptions`; pictures are
        local files.

        Without `index` and `indexes` the server's first index is searched; several `indexes` are searched as one. With `texts`,
        the full text of each hit comes too. WrongRequest for a `video`: send a picture of it.
        """
        body = _sent(replace(options or SearchOptions(), **asked)) | _which(index, indexes)
        body |= {"text": text.encode("utf-8", "replace").decode(), "texts": texts, "explain": True}
        found = self._ask("POST", "/v1/search", body)
        return SearchResponse(
            hits=[hit_from_json(hit) for hit in found["hits"]],
            notes=tuple(found["notes"]),
            good=found["good"],
            reranker=found["reranker"],
            index=found["index"],
            indexes=tuple(found.get("indexes", [found["index"]])),
            generation=found["generation"],
            counts=found["counts"],
            seconds=found["seconds"],
            texts={hit["id"]: hit["text"] for hit in found["hits"]} if texts else {},
            total=_total(found),
        )

    def ask(
        self,
        question: str,
        options: SearchOptions | None = None,
        *,
        index: str | None = None,
        indexes: Sequence[str] = (),
        strict: bool = False,
        **asked: Any,
    ) -> dict[str, Any]:
        """The whole answer to a question, as the JSON of `rag ask --json`. The keywords are filters, pictures and `top_k`.

        NoChatModel where the server has no chat model.
        """
        known = {"image", "images", "kinds", "paths", "roots", "spaces", "after", "before", "top_k"}
        given = {name: value for name, value in _sent(replace(options or SearchOptions(), **asked)).items() if name in known}
        body = given | _which(index, indexes) | {"question": question, "strict": strict, "stream": False}
        found: dict[str, Any] = self._ask("POST", "/v1/ask", body)
        return found

    def id(self) -> str:
        """The id of this run of the server; asked without the key."""
        return str(self._ask("GET", "/healthz", key=False).get("id", ""))

    def rerank(self, query: str, documents: Sequence[str], top_n: int | None = None) -> list[Relevance]:
        """The documents, best first, scored by the server's reranker; at most `top_n`."""
        asked = {"query": query, "documents": list(documents)} | ({"top_n": top_n} if top_n else {})
        found = self._ask("POST", "/v1/rerank", asked)
        return [Relevance(one["index"], one["relevance_score"]) for one in found["results"]]

    def picture(self, id: str, index: str = "") -> bytes:
        """The picture of a passage, WebP or JPEG: a page, a video frame, a picture.

        NotShown where it has none; NoSuchPassage; Unreachable.
        """
        import httpx

        which = f"&index={quote(index, safe='')}" if index else ""
        try:
            answer = self._http.get(f"/v1/media/{quote(id, safe='')}?size=view{which}")
        except httpx.HTTPError as error:
            what = f"{self.url} does not answer: {error or type(error).__name__}"
            raise Unreachable(what, remedy="is `rag ui` running there?") from error
        if not answer.is_success:
            _value(self.url, answer)  # raises
        return answer.content

    def indexes(self) -> list[dict[str, Any]]:
        """Every index the server knows: name, folder, documents, passages, kinds, model, roots, job, problem."""
        found: list[dict[str, Any]] = self._ask("GET", "/v1/indexes")
        return found

    def status(self, index: str | None = None) -> dict[str, Any]:
        """What an index holds: the JSON of `rag status`."""
        found: dict[str, Any] = self._ask("GET", "/v1/status" + (f"?index={quote(index, safe='')}" if index else ""))
        return found

    def start_indexing(self, index: str | None = None, root: str | None = None) -> str:
        """Starts a job that indexes changes in one root, or in all; returns its id."""
        return str(self._ask("POST", "/v1/index", {"index": index, "root": root})["job"])

    def job(self, id: str) -> dict[str, Any]:
        """The progress of a job: `state` is running, done, stopped or failed."""
        found: dict[str, Any] = self._ask("GET", f"/v1/index/jobs/{quote(id, safe='')}")
        return found

    def stop_indexing(self, id: str) -> dict[str, Any]:
        """Stops a job as Ctrl-C does: what is done is committed."""
        found: dict[str, Any] = self._ask("DELETE", f"/v1/index/jobs/{quote(id, safe='')}")
        return found

    def _ask(self, method: str, path: str, asked: Mapping[str, Any] | None = None, *, key: bool = True) -> Any:
        import httpx

        body = None if asked is None else json.dumps(asked).encode("ascii")
        try:
            request = self._http.build_request(method, path, content=body, headers={"Content-Type": "application/json"})
            if not key:  # it asks who is there: another program on that port must not get the key
                request.headers.pop("Authorization", None)
            answer = self._http.send(request)
        except httpx.HTTPError as error:
            what = f"{self.url} does not answer: {error or type(error).__name__}"
            raise Unreachable(what, remedy="is `rag ui` running there? `rag ui --no-open` starts it") from error
        return _value(self.url, answer)


def _value(url: str, answer: httpx.Response) -> Any:
    try:
        value = answer.json()
    except ValueError as error:
        what = f"{url} answered with status {answer.status_code} and without JSON"
        raise Unreachable(what, remedy="is it the address of a `rag ui`?") from error
    if answer.is_success:
        return value
    if not isinstance(value, dict) or not isinstance(value.get("error"), dict):
        raise Unreachable(f"{url} answered with status {answer.status_code}", remedy="is it the address of a `rag ui`?")
    raise error_from_json(value["error"], answer.status_code)


def _total(found: Mapping[str, Any]) -> Total | None:
    total = found.get("total")
    return None if total is None else Total(total["results"], total["exact"], found["counts"])


def _sent(options: SearchOptions) -> dict[str, Any]:
    """The given options as the body of a request. WrongRequest for a video, too many pictures and unknown kinds."""
    if options.video is not None:
        raise WrongRequest("a server accepts no video frame as a query", remedy="send a picture of it as `image`")
    given: dict[str, Any] = {field.name: getattr(options, field.name) for field in fields(options)}
    given |= {"kinds": list(checked_kinds(options.kinds)), "paths": list(options.paths), "roots": list(options.roots)}
    given |= {"spaces": list(options.spaces), "less_like": list(options.less_like)}
    pictures = [_data_url(one) for one in pictures_in(options)]  # one as `image`, which servers of any version understand
    given |= {"image": pictures[0] if len(pictures) == 1 else None, "images": pictures if len(pictures) > 1 else None}
    unasked = {
        name for name in ("whole", "offset", "order", "spaces") if given[name] in (getattr(_DEFAULTS, name), [])
    }  # older servers refuse them
    return {name: value for name, value in given.items() if value is not None and name not in unasked}


def _which(index: str | None, indexes: Sequence[str]) -> dict[str, Any]:
    """One index as servers of any version understand it; several as `indexes`. WrongRequest where both are given."""
    names = asked_indexes(index, indexes)
    if len(names) > 1:
        return {"indexes": list(names)}
    return {} if names[0] is None else {"index": names[0]}


def _data_url(image: str | os.PathLike[str] | bytes) -> str:
    if isinstance(image, bytes):
        data = image
    else:
        try:
            data = Path(os.path.expanduser(image)).read_bytes()  # noqa: PTH111 (Path.expanduser fails without a home)
        except OSError as error:
            raise WrongRequest(f"{os.fspath(image)} cannot be opened: {error.strerror}", "name a readable file") from error
    return f"data:image/any;base64,{base64.b64encode(data).decode('ascii')}"
