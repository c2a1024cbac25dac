"""Matches paths with globs.

Knows text; knows no index.

    notes/      notes       the folder `notes` below the root and everything in it, or the file of that name
    *.pdf                   a pattern without a slash matches file names in any folder
    notes/*.md              `*` and `?` do not match a slash
    **/draft/**             `**` matches across folders
    /*.md                   a leading slash: only in the root folder itself
    [ab]*  [!a]*            one of these characters; none of them

A file inside a document is as a file in a folder: `mails.zip/**`, `mails.zip/*.eml`, `*.eml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from rag.corpus.composed_paths import composed
from rag.corpus.file_types import suffix_of

_TOKEN = re.compile(
    r"(?P<folders>(?:\*\*/)+)|(?P<all>\*\*+)|(?P<some>\*)|(?P<one>\?)|\[(?P<set>[!^]?\]?[^\]/]*)\]|(?P<plain>.)", re.S
)


def matcher(globs: Sequence[str]) -> Callable[[str], bool]:
    """Whether one of the globs matches a path below the root."""
    meant = [composed(glob) for glob in globs]
    combined = "|".join(f"(?:{glob_to_regex(glob)})" for glob in meant if not is_wild(glob))
    tests: list[Callable[[str], object]] = [re.compile(combined, re.S).fullmatch] if combined else []
    tests += [wild_matcher(glob) for glob in meant if is_wild(glob)]

    def fits(path: str) -> bool:
        plain = composed(path)
        return any(test(plain) for test in tests)

    return fits


def names_of(path: str, inner: str) -> list[str]:
    """The paths by which a glob may mean a file inside a document: its own, and those of the files it is in.

    `letters.zip/a.eml/plan.pdf` is in `a.eml`, which is named; folders in archives are not, as folders elsewhere.
    """
    parts = inner.split("/")
    ends = [end for end in range(1, len(parts)) if suffix_of(parts[end - 1])]
    return ["/".join((path, *parts[:end])) for end in (*ends, len(parts))]


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
