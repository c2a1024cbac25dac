"""What is known of an index before any search: its model, settings, roots and generation, in one request.

Knows notes; knows no passage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.errors import IndexDamaged, IndexTooNew
from rag.index.catalog.row_codec import fingerprint_from_json, fingerprint_to_json
from rag.index.milvus.engine import now
from rag.index.milvus.names import from_field
from rag.index.milvus.notes import FACT, ROOT, SETTING, Notes
from rag.index.milvus.schema import FORMAT
from rag.location import Location, stored_location
from rag.text.folding import REVISION
from rag.types import Fingerprint

SUCCESSOR = "successor"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of an index at one moment."""

    fingerprint: Fingerprint
    folding: int  # revision of the rules for words
    generation: int  # of the last commit
    begun: int  # that of a commit that was begun: larger while it goes on, and after a kill
    settings: Mapping[str, str]
    roots: Mapping[str, Location]
    format: int  # of notes and rows
    index_kind: str  # that the vectors lie under
    successor: str  # the stem of the set that is about to take its place, or did; "" of most


def read_facts(notes: Notes, place: str, moment: Mapping[str, Any]) -> Facts | None:
    """The facts; None where the index was never completed. IndexTooNew, IndexDamaged."""
    found = notes.of_sorts((FACT, SETTING, ROOT), moment)
    if "fingerprint" not in found[FACT]:
        return None
    if int(found[FACT].get("format", "1")) > FORMAT:
        raise IndexTooNew(place, int(found[FACT]["format"]), FORMAT)
    try:
        return Facts(
            fingerprint_from_json(found[FACT]["fingerprint"]),
            int(found[FACT]["folding"]),
            int(found[FACT].get("generation", "0")),
            int(found[FACT].get("begun", "0")),
            {from_field(name): value for name, value in sorted(found[SETTING].items())},
            {from_field(name): stored_location(from_field(value)) for name, value in sorted(found[ROOT].items())},
            int(found[FACT].get("format", "1")),
            found[FACT].get("kind", "FLAT"),
            found[FACT].get(SUCCESSOR, ""),
        )
    except (ValueError, KeyError, TypeError) as error:
        what = f"{place}: the facts of the index cannot be read: {error}"
        raise IndexDamaged(what, remedy="read its folders anew: rag index --rebuild FOLDER …") from error


def write_facts(notes: Notes, fingerprint: Fingerprint, settings: Mapping[str, str]) -> None:
    """Completes a new index: the fingerprint comes last. StorageFailed."""
    facts = {"folding": str(REVISION), "format": str(FORMAT), "kind": "FLAT"}
    notes.write(
        {(SETTING, name): value for name, value in settings.items()} | {(FACT, name): value for name, value in facts.items()}
    )
    notes.write({(FACT, "fingerprint"): fingerprint_to_json(fingerprint)})


def later_generation(generation: int) -> int:
    """The generation of the next commit: milliseconds since the epoch, always larger than the last."""
    return max(generation + 1, int(now() * 1000))
