"""An answer with its claims, each with the sources that bear it out, and whether the files tell at all.

Knows sentences and sources; knows no model and no stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.answers.citations import Citation, Said, bare, sentences
from rag.answers.evidence import Source
from rag.answers.refusal import THE_FILES_DO_NOT_TELL, refused
from rag.answers.support import bears_out, contains
from rag.serialization import hit_json
from rag.text.snippets import snippet


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer."""

    text: str
    sources: tuple[int, ...]  # that it cites, and that exist
    verified: bool  # at least one of them says so
    quotes: Mapping[int, str] = field(default_factory=dict)  # by source that says so: its words


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer. Its JSON is a contract: `answer_json`."""

    text: str
    claims: tuple[Claim, ...]
    sources: tuple[Source, ...]  # all that the model was given, best first
    enough: bool  # False: the files do not tell
    model: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def cited(self) -> tuple[Source, ...]:
        """The sources that a claim cites."""
        numbers = {number for claim in self.claims for number in claim.sources}
        return tuple(source for source in self.sources if source.number in numbers)

    def quote(self, number: int) -> str:
        """The words of a source that bear out the first claim that cites it; "" where nothing does."""
        return next((claim.quotes[number] for claim in self.claims if number in claim.quotes), "")


def claims_of(raw: str, sources: Sequence[Source]) -> tuple[Claim, ...]:
    """The claims of an answer as the model wrote it, checked against the sources; none of a refusal."""
    if refused(raw) is not None:
        return ()
    return tuple(checked(said, sources) for said in sentences(raw))


def checked(said: Said, sources: Sequence[Source]) -> Claim:
    """A sentence with the sources that exist. It is verified by a source that holds all words quoted from it; where nothing is
    quoted, by one that holds its numbers and most of its words.
    """
    by_number = {source.number: source for source in sources}
    cited = [(by_number[one.number], one) for one in said.citations if one.number in by_number]
    quotes = {source.number: found for source, citation in cited if (found := _borne_out(said.text, citation, source.words))}
    return Claim(said.text, tuple(dict.fromkeys(source.number for source, _ in cited)), bool(quotes), quotes)


def shown_text(raw: str, sources: Sequence[Source], *, strict: bool) -> str:
    """The answer as a person reads it. With `strict`, only the claims that are verified."""
    rest = refused(raw)
    numbers = [source.number for source in sources]
    if rest is not None:
        return f"{THE_FILES_DO_NOT_TELL} {bare(rest, numbers)}".strip()
    if strict:
        kept = [claim_text(claim) for claim in claims_of(raw, sources) if claim.verified]
        return " ".join(kept) or f"{THE_FILES_DO_NOT_TELL} No sentence of the answer could be verified."
    return bare(raw, numbers).strip()


def claim_text(claim: Claim) -> str:
    """A claim with the numbers of its sources: `The ferry sails at 8. [2]`."""
    numbers = "".join(f"[{number}]" for number in claim.sources)
    return f"{claim.text} {numbers}".rstrip()


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as plain JSON values."""
    cited = {source.number for source in answer.cited}
    return {
        "answer": answer.text,
        "claims": [{"text": claim.text, "sources": list(claim.sources), "verified": claim.verified} for claim in answer.claims],
        "sources": [
            source_json(one) | {"cited": one.number in cited, "quote": answer.quote(one.number)} for one in answer.sources
        ],
        "enough": answer.enough,
        "model": answer.model,
        "seconds": {stage: round(seconds, 6) for stage, seconds in answer.seconds.items()},
        "tokens": dict(answer.tokens),
        "notes": list(answer.notes),
    }


def source_json(source: Source) -> dict[str, Any]:
    """A source as plain JSON values: its hit, its number, and how the model got it."""
    return hit_json(source.hit) | {
        "number": source.number,
        "passages": [one.id for one in source.passages],
        "seen": bool(source.pictures),
    }


def _borne_out(claim: str, citation: Citation, words: str) -> str:
    """The words of a source that bear out a claim; "" if they do not."""
    if citation.quotes:
        return " … ".join(citation.quotes) if all(contains(words, quote) for quote in citation.quotes) else ""
    return snippet(words, claim) if bears_out(words, claim) else ""
