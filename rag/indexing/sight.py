"""Says whether a run names what photos show, and which documents an earlier run read without it.

Knows fingerprints, policies and loader versions; knows no classifier and opens no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rag.loaders import VERSIONS
from rag.loaders.policy import ReadingPolicy
from rag.loaders.programs import version_here

if TYPE_CHECKING:
    from rag.types import Fingerprint

_SEES_NOTHING = "lite"  # the model that knows colours and shapes of a picture, and not what it shows


def ocr_rule(policy: ReadingPolicy) -> str:
    """When OCR looks at pictures: "auto", "always" or "never"; never where recognised words are no clue."""
    return policy.ocr if "ocr" in policy.clues else "never"


def seeing(fingerprint: Fingerprint, policy: ReadingPolicy) -> int:
    """The revision of the words for what photos show, where an index of that model wants them: where it recognises words too.

    0 for any other model: those that see need no help, and would be asked for by surer words.
    """
    from rag.loaders.picture.seen import REVISION

    return REVISION if fingerprint.model == _SEES_NOTHING and ocr_rule(policy) != "never" else 0


def versions_with(revision: int) -> Mapping[str, int]:
    """The versions of the loaders as documents keep them: with the revision of those words, and the installed programs."""
    return {name: version_here(name, version, revision) for name, version in VERSIONS.items()}
