"""The JSON of hits, locators, errors and index status: a contract with every caller.

Knows the nouns and their JSON; knows no index, no terminal and no HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag import errors
from rag.errors import BackendError, RagError, WrongRequest
from rag.types import KINDS, Context, Hit, Kind, LaneRank, Lines, Locator, Member, Page, Seconds, Sheet, Similar, Slide, Whole

if TYPE_CHECKING:
    from rag.index.catalog.spaces import SpaceCounts
    from rag.index.catalog.status import IndexStatus


def locator_json(locator: Locator, inner: str = "") -> dict[str, Any]:
    """`{"page": n}`, `{"slide": n}`, `{"sheet": name}`, `{"start": s, "end": s}`, `{"line_start": a, "line_end": b}` or `{}`.

    With `"inner"`, the path of a file inside the document, where it is in one.
    """
    return _place_json(locator) | ({"inner": inner} if inner else {})


def _place_json(locator: Locator) -> dict[str, Any]:
    match locator:
        case Page(number):
            return {"page": number}
        case Slide(number):
            return {"slide": number}
        case Sheet(name):
            return {"sheet": name}
        case Seconds(start, end):
            return {"start": round(start, 3), "end": round(end, 3)}
        case Lines(start, end):
            return {"line_start": start, "line_end": end}
        case Whole():
            return {}


def locator_from_json(value: dict[str, Any]) -> Locator:
    """The locator that `locator_json` wrote, without its `"inner"`. WrongRequest for anything else."""
    match {key: part for key, part in value.items() if key != "inner"} if isinstance(value, dict) else value:
        case {"page": int(number)}:
            return Page(number)
        case {"slide": int(number)}:
            return Slide(number)
        case {"sheet": str(name)}:
            return Sheet(name)
        case {"start": int() | float() as start, "end": int() | float() as end}:
            return Seconds(float(start), float(end))
        case {"line_start": int(start), "line_end": int(end)}:
            return Lines(start, end)
        case {**rest} if not rest:
            return Whole()
    raise WrongRequest(f"not a locator: {value!r}", remedy='write {"page": 3}, {"start": 1.0, "end": 2.0} or {}')


def context_json(context: Context) -> dict[str, Any]:
    """What surrounds a passage, but for its coordinates, which stand by themselves."""
    return {name: getattr(context, name) for name in ("title", "heading", "slide", "sheet", "about")}


def location_json(context: Context) -> dict[str, float] | None:
    """`{"lat": 52.5163, "lon": 13.3777}` in degrees; None where nothing is known."""
    return None if context.location is None else {"lat": context.location[0], "lon": context.location[1]}


def hit_json(hit: Hit) -> dict[str, Any]:
    """One hit as plain JSON values, keys in the order of the contract."""
    return {
        "rank": hit.rank,
        "id": hit.id,
        "index": hit.index,
        "root": hit.root,
        "document": hit.document,
        "path": hit.path,
        "kind": hit.kind,
        "modality": hit.modality,
        "locator": locator_json(hit.locator, hit.inner),
        "snippet": hit.snippet,
        "score": round(hit.score, 6),
        "similarity": None if hit.similarity is None else round(hit.similarity, 6),
        "rerank_score": None if hit.rerank_score is None else round(hit.rerank_score, 6),
        "lanes": {lane: {"rank": seen.rank, "score": round(seen.score, 6)} | _space(seen) for lane, seen in hit.lanes.items()},
        "best": locator_json(hit.best, hit.inner),
        "members": [
            {"id": member.id, "locator": locator_json(member.locator, hit.inner), "score": round(member.score, 6)}
            for member in hit.members
        ],
        "context": context_json(hit.context),
        "dated": hit.dated,
        "location": location_json(hit.context),
        "folded": [
            {
                "id": one.id,
                "root": one.root,
                "document": one.document,
                "path": one.path,
                "locator": locator_json(one.locator, one.inner),
                "score": round(one.score, 6),
                "index": one.index,
            }
            for one in hit.folded
        ],
    }


def _space(seen: LaneRank) -> dict[str, str]:
    """`{"space": name}` of a dense lane in an index of several vector spaces."""
    return {"space": seen.space} if seen.space else {}


def hit_from_json(value: Mapping[str, Any]) -> Hit:
    """The hit that `hit_json` and `explain_json` wrote; scores stay rounded. WrongRequest for any other shape."""
    try:
        explained = value["explain"]
        return Hit(
            **{key: value[key] for key in _PLAIN},
            locator=locator_from_json(value["locator"]),
            inner=value["locator"].get("inner", ""),
            lanes={lane: LaneRank(**seen) for lane, seen in explained["lanes"].items()},
            rerank_score=explained["rerank_score"],
            best=locator_from_json(value["best"]),
            members=tuple(Member(one["id"], locator_from_json(one["locator"]), one["score"]) for one in value["members"]),
            context=Context(**value["context"], location=_location_from_json(value["location"])),
            dated=value["dated"],
            fused=explained["fused"],
            decided=explained["score_is"],
            folded=tuple(
                Similar(**{**one, "locator": locator_from_json(one["locator"]), "inner": one["locator"].get("inner", "")})
                for one in value["folded"]
            ),
            ranks={
                stage: explained[name]
                for stage, name in (("fused", "fused_rank"), ("reranked", "rerank_rank"))
                if explained[name] is not None
            },
        )
    except (KeyError, TypeError) as error:
        what = f"not a hit: {error} is missing or invalid"
        raise WrongRequest(what, remedy="run the same version on client and server") from error


def _location_from_json(value: Mapping[str, float] | None) -> tuple[float, float] | None:
    return None if value is None else (value["lat"], value["lon"])


_PLAIN = ("rank", "id", "index", "root", "document", "path", "kind", "modality", "snippet", "score", "similarity")


def failure_json(error: RagError) -> dict[str, str]:
    """What went wrong, the remedy, and the error code: `no_such_passage` for NoSuchPassage."""
    return {"what": error.what, "remedy": error.remedy, "code": error_code(type(error))}


def error_code(kind: type[RagError]) -> str:
    """`no_such_passage` for NoSuchPassage."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def error_from_json(value: Mapping[str, Any], status: int) -> RagError:
    """The error that `failure_json` wrote, of its class; for an unknown code, of a class that fits the HTTP `status`."""
    known = {error_code(kind): kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RagError)}
    other = errors.Overloaded if status in (429, 504) else WrongRequest if status < 500 else BackendError
    kind = known.get(str(value.get("code")), other)
    error = kind.__new__(kind)
    RagError.__init__(error, str(value.get("what", f"status {status}")), str(value.get("remedy", "")))
    return error


def status_json(found: IndexStatus) -> dict[str, Any]:
    """What an index holds, as plain JSON values."""
    made_by = found.fingerprint
    return {
        "index": found.name,
        "folder": str(found.folder),
        "format": found.format,
        "generation": found.generation,
        "bytes": found.bytes,
        "fingerprint": {name: getattr(made_by, name) for name in ("model", "revision", "dim", "instruction", "preprocessing")},
        "roots": {name: str(folder) for name, folder in found.roots.items()},
        "documents": found.documents,
        "suffixes": dict(found.suffixes),
        "passages": dict(found.passages),
        "vectors": found.vectors,
        "skipped": [{"root": one.document.root, "document": one.document.path, "reason": one.reason} for one in found.skipped],
        "unread": [{"root": one.document.root, "document": one.document.path, "reason": one.reason} for one in found.unread],
        "unread_count": found.unread_count,
        "ignored": dict(found.ignored),
        "spaces": [space_json(space, sum(found.passages.values())) for space in found.spaces],
    }


def space_json(space: SpaceCounts, passages: int) -> dict[str, Any]:
    """A vector space beside the first of an index of so many passages, as plain JSON values; `share` is 0…1."""
    return {
        "name": space.name,
        "model": space.fingerprint.model,
        "revision": space.fingerprint.revision,
        "dim": space.fingerprint.dim,
        "passages": space.passages,
        "share": round(space.passages / passages, 6) if passages else 1.0,
        "bytes": space.bytes,
    }


def explain_json(hit: Hit) -> dict[str, Any]:
    """How a hit got its score: rank and score in every stage, and what the final score is."""
    lanes = {
        lane: {"rank": seen.rank, "score": round(seen.score, 6), "share": round(seen.share, 6)} | _space(seen)
        for lane, seen in hit.lanes.items()
    }
    return {
        "lanes": lanes,
        "fused": round(hit.fused, 6),
        "fused_rank": hit.ranks.get("fused"),
        "rerank_score": hit.rerank_score,
        "rerank_rank": hit.ranks.get("reranked"),
        "score_is": hit.decided,
    }


def checked_kinds(kinds: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds in the order of KINDS, without repeats. WrongRequest for an unknown one."""
    for kind in kinds:
        if kind not in KINDS:
            raise WrongRequest(f"no kind is called {kind!r}", remedy=f"the kinds are: {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in kinds)
