"""Filters to the passages they allow, before any search.

Knows the pinned arrays; knows no SQL and no vectors' values.

    notes/      notes       the folder `notes` below the root, and all in it (or the file of that name)
    *.pdf                   a pattern without a slash: a file of that name in any folder
    notes/*.md              `*` and `?` stay within one folder
    **/draft/**             `**` crosses folders
    /*.md                   a leading slash: in the root folder itself
    [ab]*  [!a]*            one character of these; not of these
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.corpus.walk import composed
from rag.index.catalog.schema import KIND_CODES
from rag.index.reader.live_passages import DocumentTable, LivePassages
from rag.types import Filters

_TOKEN = re.compile(
    r"(?P<folders>(?:\*\*/)+)|(?P<all>\*\*+)|(?P<some>\*)|(?P<one>\?)|\[(?P<set>[!^]?\]?[^\]/]*)\]|(?P<plain>.)", re.S
)


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """The passages that filters allow: their numbers, ascending; and which places in the arrays of one generation."""

    numbers: NDArray[np.int64]
    kept: NDArray[np.bool_] | None = None
    generation: int = -1

    def __len__(self) -> int:
        return len(self.numbers)


def matching(live: LivePassages, documents: Callable[[], DocumentTable], filters: Filters) -> Allowed | None:
    """What the filters allow of a generation; None where they allow everything. `documents` is called only where it is needed."""
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


def kept_of(live: LivePassages, allowed: Allowed) -> NDArray[np.bool_]:
    """Which of the passages live at a generation are allowed; those of an older answer are found by their numbers."""
    if allowed.kept is not None and allowed.generation == live.generation:
        return allowed.kept
    places = live.places(allowed.numbers)
    kept = np.zeros(len(live.numbers), np.bool_)
    kept[places[places >= 0]] = True
    return kept


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
        usual = "|".join(f"(?:{glob_to_regex(glob)})" for glob in globs if not is_wild(glob))
        tests: list[Callable[[str], object]] = [re.compile(usual, re.S).fullmatch] if usual else []
        tests += [wild_matcher(glob) for glob in globs if is_wild(glob)]
        paths = map(composed, table.paths)
        keep &= np.fromiter((any(fits(path) for fits in tests) for path in paths), np.bool_, len(keep))
    return keep


@lru_cache(maxsize=256)
def glob_to_regex(glob: str) -> str:
    """The regular expression that fits the whole path below the root. Every string is a glob; an odd `[` stands for itself."""
    anchored = glob.startswith(("/", "./"))
    pattern = glob.removeprefix("./").lstrip("/")
    if not re.search(r"[*?\[]", pattern):
        inside = re.escape(pattern.rstrip("/"))
        below = "/.*" if pattern.endswith("/") else "(?:/.*)?"
        return inside + below if inside else ".*"
    if pattern.endswith("/"):
        pattern += "**"
    start = "" if anchored or "/" in pattern else "(?:.*/)?"
    return start + "".join(_piece(token) for token in _TOKEN.finditer(pattern))


def is_wild(glob: str) -> bool:
    """Whether a regular expression, which tries every way to share a path among the stars, could take minutes over one path."""
    found = [token.lastgroup for token in _tokens(glob)]
    crossing, within = found.count("all") + found.count("folders"), found.count("some")
    return crossing > 2 or within > (1 if found.count("all") else 2) or crossing + within > 3


def wild_matcher(glob: str) -> Callable[[str], bool]:
    """Whether the whole path fits, in time proportional to its length: every way is followed at once, one bit for each."""
    steps: list[str] = []  # what one character must be to go on; "" goes on by itself
    stays_anywhere = stays_within = 0
    for token in _tokens(glob):
        here = 1 << len(steps)
        if token["folders"]:  # gone past as a whole, or left by a slash
            steps += ["skip", "/"]
            stays_anywhere |= here << 1
        elif token["all"]:
            steps.append("")
            stays_anywhere |= here
        elif token["some"]:
            steps.append("")
            stays_within |= here
        else:
            steps.append(_piece(token))
    free = sum(1 << place for place, step in enumerate(steps) if step in ("", "skip"))
    skips = sum(1 << place for place, step in enumerate(steps) if step == "skip")
    takes: dict[str, int] = {}

    def onward(ways: int) -> int:
        while (more := ways | (ways & free) << 1 | (ways & skips) << 2) != ways:
            ways = more
        return ways

    def fits(path: str) -> bool:
        ways = onward(1)
        for character in path:
            if character not in takes:
                takes[character] = sum(
                    1 << place
                    for place, step in enumerate(steps)
                    if step not in ("", "skip") and re.fullmatch(step, character, re.S)
                )
            stays = stays_anywhere if character == "/" else stays_anywhere | stays_within
            ways = onward((ways & takes[character]) << 1 | ways & stays)
            if not ways:
                return False
        return bool(ways >> len(steps) & 1)

    return fits


def _tokens(glob: str) -> list[re.Match[str]]:
    """What `glob_to_regex` spells, token by token; none for a glob without a wildcard."""
    anchored = glob.startswith(("/", "./"))
    pattern = glob.removeprefix("./").lstrip("/")
    if not re.search(r"[*?\[]", pattern):
        return []
    if pattern.endswith("/"):
        pattern += "**"
    start = "" if anchored or "/" in pattern else "**/"
    return list(_TOKEN.finditer(start + pattern))


def _piece(token: re.Match[str]) -> str:
    if token["folders"]:
        return "(?:.*/)?"
    if token["all"]:
        return ".*"
    if token["some"]:
        return "[^/]*"
    if token["one"]:
        return "[^/]"
    if token["set"] is not None:
        return _set(token["set"])
    return re.escape(token["plain"])


def _set(characters: str) -> str:
    negated = characters[:1] in ("!", "^")
    listed = characters[1:] if negated else characters
    if not listed:
        return re.escape(f"[{characters}]")
    spelled = re.sub(r"([\\\[\]^&~|])", r"\\\1", listed)
    try:
        re.compile(f"[{spelled}]")
    except re.error:  # a range that runs backwards
        return re.escape(f"[{characters}]")
    return f"(?!/)[{'^' if negated else ''}{spelled}]"
