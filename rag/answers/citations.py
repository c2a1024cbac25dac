"""Reads the citations of an answer: which numbers and quotes follow which claim, and what a person sees of them.

Knows the form that the prompt asks for, `[2 "words"]`, and how models vary it; knows no source and no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST = 700  # characters of a citation; a longer bracket is text
_QUOTE = r'"[^"]*"|“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»|‹[^‹›]*›|「[^「」]*」|『[^『』]*』|\'[^\']*\''
_WORD = r"(?:sources?|quellen?|来源|資料)?\s*\^?#?"
_ONE = rf"{_WORD}\s*[1-9]\d{{0,2}}\s*[:：,–-]?\s*(?:(?:{_QUOTE})\s*(?:…|\.\.\.|[,;]|and|und)?\s*)*"
GROUP = re.compile(rf"[\[【]\s*{_ONE}(?:[,;、]\s*{_ONE})*[\]】](?!\()", re.IGNORECASE)
_SPACED = re.compile(rf"(?P<space>[ \t]*)(?P<group>{GROUP.pattern})", re.IGNORECASE)
_PARTS = re.compile(rf"(?P<number>(?<![\d\w])\d{{1,3}}(?!\d))|(?P<quote>{_QUOTE})")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,2000}(?:\s\"[^\"]*\")?\)")
_MARK = "\ue000{}\ue001"
_MARKS = re.compile("\ue000(\\d+)\ue001")
_END = re.compile(  # of a sentence, with the citations that follow it
    "(?:(?<!\\b[A-Za-z])(?<!\\b[A-Za-z][A-Za-z])[.!?][\"”’')]*|[。！？][”」』]*)(?:\\s*\ue000\\d+\ue001)*(?=\\s|$)"
    "|[。！？](?:\\s*\ue000\\d+\ue001)*|(?:\ue000\\d+\ue001[,;.]?)(?=\\s+[A-ZÀ-Þ\u0400-\u042f\u4e00-\u9fff]|\\s*$)"
)


@dataclass(frozen=True, slots=True)
class Citation:
    """One number, and the words quoted after it."""

    number: int
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of an answer, without its citations, and what it cites."""

    text: str
    citations: tuple[Citation, ...] = ()


def sentences(answer: str) -> list[Said]:
    """The sentences of an answer, in order, each with the citations in it and right after it."""
    groups: list[tuple[Citation, ...]] = []

    def marked(found: re.Match[str]) -> str:
        groups.append(cited(found[0]))
        return _MARK.format(len(groups) - 1)

    found = []
    for line in GROUP.sub(marked, answer.replace("\ue000", "").replace("\ue001", "")).splitlines():
        for part in _split(line):
            numbers = [int(one) for one in _MARKS.findall(part)]
            text = " ".join(_MARKS.sub("", part).split())
            text = re.sub(r"\s+([.,;:!?。！？])", r"\1", text)
            citations = tuple(citation for number in numbers for citation in groups[number])
            if any(letter.isalnum() for letter in text):
                found.append(Said(text, citations))
            elif citations and found:
                found[-1] = Said(found[-1].text, found[-1].citations + citations)
    return found


def cited(group: str) -> tuple[Citation, ...]:
    """The citations in one bracket: `[1 "a", 2 "b" … "c"]`."""
    found: list[Citation] = []
    for part in _PARTS.finditer(group[1:-1]):
        if part["number"]:
            found.append(Citation(int(part["number"])))
        elif found and part["quote"][1:-1].strip():
            found[-1] = Citation(found[-1].number, (*found[-1].quotes, part["quote"][1:-1].strip()))
    return tuple(found)


def bare(text: str, known: Iterable[int]) -> str:
    """The text as a person reads it: citations are `[2]` alone, numbers without a source are gone, links are their words."""
    sources = frozenset(known)

    def short(found: re.Match[str]) -> str:
        numbers = dict.fromkeys(one.number for one in cited(found["group"]) if one.number in sources)
        return found["space"] + "".join(f"[{number}]" for number in numbers) if numbers else ""

    return _LINK.sub(r"\1", _SPACED.sub(short, text))


def shortened(pieces: Iterable[str], known: Iterable[int]) -> Iterator[str]:
    """The same, of a text that arrives in pieces: what may be in a citation is held back until it is complete."""
    sources = frozenset(known)
    held = ""
    for piece in pieces:
        held += piece
        cut = _open_bracket(held)
        ready, held = held[:cut], held[cut:]
        if ready:
            yield bare(ready, sources)
    if held:
        yield bare(held, sources)


def _open_bracket(text: str) -> int:
    """Where a bracket begins that may go on in the next piece; the length of the text if there is none."""
    whole = len(text.rstrip(" \t!"))  # a space goes with the number after it, a ! with a picture
    start = max(text.rfind("["), text.rfind("【"))
    if start < 0 or len(text) - start > LONGEST:
        return whole
    while start > 0 and text[start - 1] in "![ \t":
        start -= 1
    rest = text[start:].lstrip(" \t")
    closed = GROUP.match(rest) or _LINK.match(rest)
    if closed and closed.end() < len(rest):
        return whole
    ends = max(rest.find("]"), rest.find("】"))
    is_text = ends >= 0 and ends + 1 < len(rest) and rest[ends + 1] != "(" and not _is_quoting(rest)
    return whole if is_text else start


def _is_quoting(text: str) -> bool:
    """Whether a quote is open, so that a closing bracket in it ends nothing."""
    return text.count('"') % 2 == 1 or text.count("“") > text.count("”")


def _split(line: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(line):
        yield line[start : end.end()]
        start = end.end()
    if line[start:].strip():
        yield line[start:]
