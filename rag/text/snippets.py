"""The few words of a passage that show why it was found.

Knows where the words of a query match; knows no index and no terminal.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from rag.text.folding import folded
from rag.text.highlights import marks

LENGTH = 240  # characters
_SPACE = re.compile(r"\s+")


def snippet(text: str, query: str, length: int = LENGTH) -> str:
    """At most `length` characters of `text` on one line, around the place with the most distinct words of the query.

    Word rarity is unknown here, so longer words weigh more. Cuts fall between words and are marked with an extra `…`.
    """
    line = _SPACE.sub(" ", text).strip()
    if len(line) <= length:
        return line
    places = [(folded(line[begin:end]), begin, end) for begin, end in marks(line, query)]
    ends = [end for _, _, end in places]
    start = 0
    best = -1
    for first, (_, at, _) in enumerate(places[:2_000]):
        inside = {word for word, _, _ in places[first : bisect_right(ends, at + length - 40)]}
        weight = sum(min(len(word), 8) for word in inside)
        if weight > best:
            start, best = at, weight
    start = max(0, min(start - 40, len(line) - length))
    if start:
        start = line.find(" ", start, start + 20) + 1 or start
    end = min(len(line), start + length)
    if end < len(line):
        end = line.rfind(" ", end - 20, end) if line.rfind(" ", end - 20, end) > start else end
    return ("…" if start else "") + line[start:end].strip() + ("…" if end < len(line) else "")
