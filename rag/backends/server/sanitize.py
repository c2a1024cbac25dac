"""Makes a server's own words safe to show in an error message.

Knows strings; knows no request and no model.
"""

from __future__ import annotations

SHOWN = 300  # characters of a server's message


def shown(text: str) -> str:
    """At most 300 characters of a stranger's text, on one line and without control characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * SHOWN]).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
