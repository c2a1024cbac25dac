"""Resolves filters to the passages they allow, before any search.

Knows the arrays of live passages; knows no SQL and no vector values.

    notes/      notes       the folder `notes` below the root and everything in it, or the file of that name
    *.pdf                   a pattern without a slash matches file names in any folder
    notes/*.md              `*` and `?` do not match a slash
    **/draft/**             `**` matches across folders
    /*.md                   a leading slash: only in the root folder itself
    [ab]*  [!a]*            one of these characters; none of them
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.corpus.composed_paths import composed
from rag.index.catalog.schema import KIND_CODES
from rag.index.reader.live_passages import DocumentTable, LivePassages
from rag.types import Filters

_TOKEN = re.compile(
    r"(?P<folders>(?:\*\*/)+)|(?P<all>\*\*+)|(?P<some>\*)|(?P<one>\?)|\[(?P<set>[!^]?\]?[^\]/]*)\]|(?P<plain>.)", re.S
)


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """The passages that filters allow: their numbers, ascending, and perhaps a mask over the live passages of a generation."""

    numbers: NDArray[np.int64]
    mask: NDArray[np.bool_] | None = None
    generation: int = -1

    def __len__(self) -> int:
        return len(self.numbers)


def matching(live: LivePassages, documents: Callable[[], DocumentTable], filters: Filters) -> Allowed | None:
    """The passages of a generation that the filters allow; None where they allow all. Calls `documents` only if it is needed."""
    if filters == Filters():
        return None
    keep = np.ones(len(live.numbers), np.bool_)
    if filters.kinds:
        keep &= np.isin(live.kinds, [KIND_CODES[kind] for kind in filters.kinds if kind in KIND_CODES])
    if filters.after is not None:
        keep &= live.dated >= filters.after
    if filters.before is not None:
        keep &= live.dated < filters.before
    if filters.paths or filters.roots or filters.documents:
        table = documents()
        chosen = table.numbers[_documents_kept(table, filters)]
        keep &= np.isin(live.documents, chosen)
    return Allowed(live.numbers[keep], keep, live.generation)


def allowed_mask(live: LivePassages, allowed: Allowed) -> NDArray[np.bool_]:
    """A bool per live passage: whether it is allowed. An `Allowed` of another generation is matched by passage number."""
    if allowed.mask is not None and allowed.generation == live.generation and len(allowed.mask) == len(live.numbers):
        return allowed.mask
    places = live.places(allowed.numbers)
    mask = np.zeros(len(live.numbers), np.bool_)
    mask[places[places >= 0]] = True
    return mask


def _documents_kept(table: DocumentTable, filters: Filters) -> NDArray[np.bool_]:
    keep = np.ones(len(table.numbers), np.bool_)
    if filters.roots:
        roots = frozenset(filters.roots)
        keep &= np.fromiter((root in roots for root in table.roots), np.bool_, len(keep))
    if filters.documents:
        wanted = frozenset((document.root, document.path) for document in filters.documents)
        pairs = zip(table.roots, table.paths, strict=True)
        keep &= np.fromiter((pair in wanted for pair in pairs), np.bool_, len(keep))
    if filters.paths:
        globs = [composed(glob) for glob in filters.paths]
        combined = "|".join(f"(?:{glob_to_regex(glob)})" for glob in globs if not is_wild(glob))
        tests: list[Callable[[str], object]] = [re.compile(combined, re.S).fullmatch] if combined else []
        tests += [wild_matcher(glob) for glob in globs if is_wild(glob)]
        paths = map(composed, table.paths)
        keep &= np.fromiter((any(fits(path) for fits in tests) for path in paths), np.bool_, len(keep))
    return keep


@lru_cache(maxsize=256)
def glob_to_regex(glob: str) -> str:
    """The regular expression that matches the whole path below the root. Every string is a glob; an unclosed `[` is literal."""
    anchored = glob.startswith(("/", "./"))
    pattern = glob.removeprefix("./").lstrip("/")
    if not re.search(r"[*?\[]", pattern):
        inside = re.escape(pattern.rstrip("/"))
        below = "/.*" if pattern.endswith("/") else "(?:/.*)?"
        return inside + below if inside else ".*"
    if pattern.endswith("/"):
        pattern += "**"
    start = "" if anchored or "/" in pattern else "(?:.*/)?"
    return start + "".join(_token_regex(token) for token in _TOKEN.finditer(pattern))


def is_wild(glob: str) -> bool:
    """Whether matching the glob as a regular expression could backtrack for minutes on one path."""
    found = [token.lastgroup for token in _tokens(glob)]
    crossing, within = found.count("all") + found.count("folders"), found.count("some")
    return crossing > 2 or within > (1 if found.count("all") else 2) or crossing + within > 3


def wild_matcher(glob: str) -> Callable[[str], bool]:
    """A matcher of whole paths in linear time: it simulates all states of the pattern at once, one bit per state."""
    steps: list[str] = []  # the regular expression of the next character; "" needs none
    stays_anywhere = stays_within = 0
    for token in _tokens(glob):
        here = 1 << len(steps)
        if token["folders"]:  # skipped as a whole, or left at a slash
            steps += ["skip", "/"]
            stays_anywhere |= here << 1
        elif token["all"]:
            steps.append("")
            stays_anywhere |= here
        elif token["some"]:
            steps.append("")
            stays_within |= here
        else:
            steps.append(_token_regex(token))
    free = sum(1 << place for place, step in enumerate(steps) if step in ("", "skip"))
    skips = sum(1 << place for place, step in enumerate(steps) if step == "skip")
    takes: dict[str, int] = {}

    def advance(ways: int) -> int:
        while (more := ways | (ways & free) << 1 | (ways & skips) << 2) != ways:
            ways = more
        return ways

    def fits(path: str) -> bool:
        ways = advance(1)
        for character in path:
            if character not in takes:
                takes[character] = sum(
                    1 << place
                    for place, step in enumerate(steps)
                    if step not in ("", "skip") and re.fullmatch(step, character, re.S)
                )
            stays = stays_anywhere if character == "/" else stays_anywhere | stays_within
            ways = advance((ways & takes[character]) << 1 | ways & stays)
            if not ways:
                return False
        return bool(ways >> len(steps) & 1)

    return fits


def _tokens(glob: str) -> list[re.Match[str]]:
    """The tokens of what `glob_to_regex` translates; empty for a glob without wildcards."""
    anchored = glob.startswith(("/", "./"))
    pattern = glob.removeprefix("./").lstrip("/")
    if not re.search(r"[*?\[]", pattern):
        return []
    if pattern.endswith("/"):
        pattern += "**"
    start = "" if anchored or "/" in pattern else "**/"
    return list(_TOKEN.finditer(start + pattern))


def _token_regex(token: re.Match[str]) -> str:
    if token["folders"]:
        return "(?:.*/)?"
    if token["all"]:
        return ".*"
    if token["some"]:
        return "[^/]*"
    if token["one"]:
        return "[^/]"
    if token["set"] is not None:
        return _class_regex(token["set"])
    return re.escape(token["plain"])


def _class_regex(characters: str) -> str:
    negated = characters[:1] in ("!", "^")
    listed = characters[1:] if negated else characters
    if not listed:
        return re.escape(f"[{characters}]")
    spelled = re.sub(r"([\\\[\]^&~|])", r"\\\1", listed)
    try:
        re.compile(f"[{spelled}]")
    except re.error:  # a reversed range, such as [z-a]
        return re.escape(f"[{characters}]")
    return f"(?!/)[{'^' if negated else ''}{spelled}]"
