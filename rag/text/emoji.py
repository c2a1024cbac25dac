"""Adds the names of emoji to text, so that a search for either finds the other.

Knows Unicode's names; knows no query and no file.
"""

from __future__ import annotations

import re
import unicodedata

# Pictographs; no flags, which are pairs of letters, and no skin tones.
_EMOJI = re.compile(r"[\u231a-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]")


def spelled(text: str) -> str:
    """The text with each emoji followed by its name: `🚀 plan` becomes `🚀 rocket  plan`. All else is unchanged."""
    return text if text.isascii() else _EMOJI.sub(_with_name, text)


def _with_name(found: re.Match[str]) -> str:
    name = unicodedata.name(found[0], "").lower()
    return f"{found[0]} {name} " if name and not name.startswith("variation") else found[0]
