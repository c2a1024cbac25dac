"""Puts words together that are set apart on paper: broken at the end of a line, or with space between their letters.

Knows no page: text in, text out.

    trans-⏎portation        transportation          broken to fill the line
    well-⏎known · Jean-⏎Luc    well-known · Jean-Luc   a compound: parts and whole are found either way
    H E A D I N G          HEADING                 spaced out
"""

from __future__ import annotations

import re
from collections.abc import Callable

HYPHENS = "\u2010\u00ad-"
# A hyphen between letters at the end of a line; pdfium gives U+0002 or U+FFFE for it, and for the line's end.
_BROKEN = re.compile(
    rf"(?<![\w{HYPHENS}])(\w[\w{HYPHENS}]{{0,63}}?)"
    rf"(?:([\x02\ufffe])[ \t]*\r?\n?|([{HYPHENS}])[ \t]*\r?\n)[ \t]*([^\W\d_][\w{HYPHENS}]*)"
)
_BREAK = re.compile(rf"[\x02\ufffe]|[{HYPHENS}][ \t]*\r?\n")
_WORD = re.compile(rf"\w[\w{HYPHENS}]*")
_IN_WORDS = f"_{HYPHENS}"
_SOFT = re.compile("[\u00ad\x02\ufffe]")
_SPACED = re.compile(r"(?<!\S)(?:[^\W\d_] ){3,}[^\W\d_](?!\S)")
_SPACED_HINT = re.compile(r" [^\W\d_] [^\W\d_](?!\S)")  # looked for first: five times as fast
_SPACED_LINE = re.compile(r"[^\W\d_](?: {1,2}[^\W\d_])+(?: {2,}[^\W\d_](?: {1,2}[^\W\d_])+)*")
_HAN_LINE = re.compile(r"(?m)^[\u3400-\u9fff](?:[ \u3000]+[\u3400-\u9fff]){1,7}$")
_MOST_WORDS = 20_000  # of a page
# First parts of English compounds: words of their own, that rarely begin another word broken after them.
_HEADS = frozenset(
    re.findall(
        r"\w+",
        "above back best cross deep double down early eight even ever far fast first five fixed four free front full half hand "
        "hard heavy high home ill large last late left life light long low lower many middle most nine non old open quick real "
        "right second self seven short side single six slow small soft state third three time top two upper user vice water "
        "well whole wide work world year",
    )
)


def joined(text: str) -> str:
    """The text with words broken at line ends whole again, and soft hyphens gone."""
    if not any(sign in text for sign in "\x02\ufffe\u00ad") and not _BREAK.search(text):
        return text
    words = frozenset(_WORD.findall(_changed(text, lambda _: " ").casefold())[:_MOST_WORDS])
    for _ in range(2):  # a word may be broken twice
        text = _changed(text, lambda found: _whole(found, words))
    return _SOFT.sub("", text)


def _changed(text: str, change: Callable[[re.Match[str]], str]) -> str:
    """What `_BROKEN.sub` gives, in a fifth of its time: words are tried only before what may be a break."""
    pieces: list[str] = []
    at = 0
    for sign in _BREAK.finditer(text):
        start = sign.start()
        while start > at and (text[start - 1].isalnum() or text[start - 1] in _IN_WORDS):
            start -= 1
        if found := _BROKEN.match(text, start):
            pieces += (text[at:start], change(found))
            at = found.end()
    return "".join(pieces) + text[at:]


def _whole(found: re.Match[str], words: frozenset[str]) -> str:
    before, _, hyphen, after = found.groups()
    if hyphen == "\u00ad":
        return before + after
    last, first = before.rpartition("-")[2], after.partition("-")[0]
    return before + ("-" if _is_compound(before, last, first, words) else "") + after


def _is_compound(before: str, last: str, first: str, words: frozenset[str]) -> bool:
    """Whether the hyphen belongs to the word: a name, a chain of parts, an abbreviation, or two words that stand alone too."""
    capitals = last.isupper() and first.isupper()
    if (
        "-" in before
        or any(character.isdigit() for character in last)
        or (not capitals and (first[0].isupper() or last.isupper()))
    ):
        return True
    folded, after = before.casefold(), first.casefold()
    if folded + after in words:
        return False
    return f"{folded}-{after}" in words or folded in _HEADS or (len(last) > 2 and len(first) > 2 and {folded, after} <= words)


def despaced(text: str) -> str:
    """A line of recognised text with spaced letters as words: "H E A D I N G" or, with wider gaps between them, several."""
    if _SPACED_LINE.fullmatch(text) and text.count(" ") >= 3:
        return " ".join(word.replace(" ", "") for word in re.split(" {2,}", text))
    return _HAN_LINE.sub(lambda found: re.sub("[ \u3000]", "", found.group()), text)


def spaced_words(text: str) -> list[tuple[int, int]]:
    """Where letters stand with a space between each, as (start, end); whether they are words only their places can tell."""
    return [found.span() for found in _SPACED.finditer(text)] if _SPACED_HINT.search(text) else []
