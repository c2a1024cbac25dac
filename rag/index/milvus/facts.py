"""What is known of an index before any search: its model, settings, roots and generation, in one request.

Knows notes; knows no passage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.errors import IndexDamaged, IndexTooNew
from rag.index.catalog.row_codec import fingerprint_from_json, fingerprint_to_json
from rag.index.catalog.spaces import FIRST, Space
from rag.index.milvus.engine import now
from rag.index.milvus.names import from_field
from rag.index.milvus.notes import FACT, ROOT, SETTING, SPACE, Notes
from rag.index.milvus.schema import FORMAT
from rag.location import Location, stored_location
from rag.text.folding import REVISION
from rag.types import Fingerprint

KIND = "kind"
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
    kinds: Mapping[int, str]  # that the vectors of each space lie under; FLAT where nothing is said
    spaces: tuple[Space, ...]  # beside the first, by number
    spaces_given: int  # numbers of spaces that were given: none is given twice
    successor: str  # the stem of the set that is about to take its place, or did; "" of most


def read_facts(notes: Notes, place: str, moment: Mapping[str, Any]) -> Facts | None:
    """The facts; None where the index was never completed. IndexTooNew, IndexDamaged."""
    found = notes.of_sorts((FACT, SETTING, ROOT, SPACE), moment)
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
            _kinds(found[FACT]),
            tuple(sorted((_space_of(number, text) for number, text in found[SPACE].items()), key=lambda one: one.number)),
            int(found[FACT].get("spaces", "0")),
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


def kind_note(space: int) -> str:
    """The name of the fact that says what kind of index the vectors of a space lie under."""
    return KIND if space == FIRST else f"{KIND} of space {space}"


def _kinds(facts: Mapping[str, str]) -> dict[int, str]:
    of_space = re.compile(f"{KIND}(?: of space ([0-9]+))?")
    return {int(found[1] or FIRST): text for name, text in facts.items() if (found := of_space.fullmatch(name))}


def space_note(space: Space) -> tuple[tuple[str, str], str]:
    """The note that says there is a further vector space: its sort and name, and its text."""
    made_by = fingerprint_to_json(space.fingerprint)
    return (SPACE, str(space.number)), json.dumps([space.name, made_by, dict(space.settings)])


def _space_of(number: str, text: str) -> Space:
    name, made_by, settings = json.loads(text)
    return Space(int(number), name, fingerprint_from_json(made_by), settings)


def later_generation(generation: int) -> int:
    """The generation of the next commit: milliseconds since the epoch, always larger than the last."""
    return max(generation + 1, int(now() * 1000))
