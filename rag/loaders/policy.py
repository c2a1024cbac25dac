"""The reading policy of an index: the settings it keeps from its first run on.

Knows settings; opens no file and no index.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

from rag.config import Settings
from rag.loaders.base import Limits
from rag.types import Clue

FIXED = (*(field.name for field in fields(Limits)), "ocr", "clues")  # settings an index keeps from its first run on


@dataclass(frozen=True, slots=True)
class ReadingPolicy:
    """How an index reads its corpus. Fixed when the index is made: other values would give other passages."""

    limits: Limits
    ocr: str  # "auto": where a picture has no text of its own; "always"; "never"
    clues: frozenset[Clue]


def policy_of(kept: Mapping[str, str]) -> ReadingPolicy:
    """The policy from the settings an index keeps: JSON texts by name. Limits it was made without have their defaults."""
    values = {key: json.loads(kept[key]) for key in FIXED if key in kept}
    limits = Limits(**{field.name: values[field.name] for field in fields(Limits) if field.name in values})
    return ReadingPolicy(limits, values["ocr"], frozenset(values["clues"]))


def fixed_settings(settings: Settings) -> dict[str, str]:
    """The settings an index keeps, as JSON texts by name."""
    return {key: json.dumps(getattr(settings, key)) for key in FIXED}
