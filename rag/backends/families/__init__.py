"""The families of models, one file each; what callers need of them, in one place.

Knows no prompt: a family's file does.
"""

from rag.backends.families.base import MAX_PIXELS, Family, Task
from rag.backends.families.recognise import (
    PROMPTS_VERSION,
    classifier_overrides,
    ended,
    family_of,
    fingerprint_of,
    instruction_for,
    model_name,
    native_dim,
    resizing,
    trust_of,
)
from rag.backends.families.table import FAMILIES

__all__ = [
    "FAMILIES",
    "MAX_PIXELS",
    "PROMPTS_VERSION",
    "Family",
    "Task",
    "classifier_overrides",
    "ended",
    "family_of",
    "fingerprint_of",
    "instruction_for",
    "model_name",
    "native_dim",
    "resizing",
    "trust_of",
]
