"""The JSON of a hit and of a locator: a contract with everyone who calls us.

Knows the nouns and their JSON; knows no index, no terminal and no HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.errors import WrongRequest
from rag.types import Hit, Lines, Locator, Page, Seconds, Sheet, Slide, Whole

if TYPE_CHECKING:
    from rag.index.status import IndexStatus


def locator_json(locator: Locator) -> dict[str, Any]:
    """`{"page": n}`, `{"slide": n}`, `{"sheet": name}`, `{"start": s, "end": s}`, `{"line_start": a, "line_end": b}` or `{}`."""
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
    """The locator that `locator_json` wrote. WrongRequest for anything else."""
    match value:
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
        case dict() if not value:
            return Whole()
    raise WrongRequest(f"not a locator: {value!r}", remedy='write {"page": 3}, {"start": 1.0, "end": 2.0} or {}')


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
        "locator": locator_json(hit.locator),
        "snippet": hit.snippet,
        "score": round(hit.score, 6),
        "similarity": None if hit.similarity is None else round(hit.similarity, 6),
        "rerank_score": None if hit.rerank_score is None else round(hit.rerank_score, 6),
        "lanes": {lane: {"rank": seen.rank, "score": round(seen.score, 6)} for lane, seen in hit.lanes.items()},
        "best": locator_json(hit.best),
        "members": [
            {"id": member.id, "locator": locator_json(member.locator), "score": round(member.score, 6)} for member in hit.members
        ],
        "context": {
            "title": hit.context.title,
            "heading": hit.context.heading,
            "slide": hit.context.slide,
            "sheet": hit.context.sheet,
        },
    }


def status_json(found: IndexStatus) -> dict[str, Any]:
    """What an index holds, as plain JSON values."""
    made_by = found.fingerprint
    return {
        "index": found.folder.name,
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
    }


def explain_json(hit: Hit) -> dict[str, Any]:
    """What led to the score of a hit: every stage's rank and score, and how the last one came about."""
    lanes = {
        lane: {"rank": seen.rank, "score": round(seen.score, 6), "share": round(seen.share, 6)}
        for lane, seen in hit.lanes.items()
    }
    return {"lanes": lanes, "fused": round(hit.fused, 6), "rerank_score": hit.rerank_score, "score_is": hit.decided}


def place(locator: Locator) -> str:
    """The place as a person reads it: `p. 12`, `02:15–02:45`, `lines 40–58`, or nothing for a whole document."""
    match locator:
        case Page(number):
            return f"p. {number}"
        case Slide(number):
            return f"slide {number}"
        case Sheet(name):
            return f"sheet {name}"
        case Seconds(start, end):
            return f"{clock(start)}–{clock(end)}" if clock(end) != clock(start) else clock(start)
        case Lines(start, end):
            return f"lines {start}–{end}" if end > start else f"line {start}"
        case Whole():
            return ""


def clock(seconds: float) -> str:
    """`02:15`, or `1:02:15` from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
