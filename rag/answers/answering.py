"""An answer under way: its text piece by piece, then the whole, checked; it can be stopped from another thread.

Knows evidence, turns and a chat model's stream; knows no index and no terminal.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.answers.answer import Answer, checked, claim_text, claims_of, shown_text
from rag.answers.chat import ChatModel, ChatStream, Turns
from rag.answers.citations import sentences, shortened
from rag.answers.evidence import Evidence
from rag.answers.refusal import THE_FILES_DO_NOT_TELL, opened, refused

THINKING = ("<think>", "</think>")
CUT_OFF = "the answer was cut off after {} tokens: RAG_ANSWER_TOKENS allows more"
NOTHING_FOUND = f"{THE_FILES_DO_NOT_TELL} Nothing was found."


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to the model."""

    turns: Turns
    most: int  # tokens of the answer
    prompt_tokens: int  # counted, or an upper bound
    exact: bool  # counted by the model's own tokenizer, and without pictures, whose tokens are bounded
    strict: bool = False  # only verified claims
    notes: tuple[str, ...] = ()
    began: float = field(default_factory=time.monotonic)


class Answering:
    """Iterate over it for the pieces of the answer, once; `whole()` reads on to the end and returns the checked answer.

    It is checked whole in the end: the pieces are what the model writes, with bare numbers for citations. With `strict`, a line
    comes when it is checked.
    """

    def __init__(self, evidence: Evidence, chat: ChatModel | None, request: Request | None) -> None:
        """Without `request` nothing was found, and no model is asked."""
        self.evidence = evidence
        self._chat, self._request = chat, request
        self._stream: ChatStream | None = None
        self._raw: list[str] = []
        self._seconds: dict[str, float] = dict(evidence.seconds)
        self._pieces: Iterator[str] | None = None
        self._aborted = False
        self._whole: Answer | None = None

    def __iter__(self) -> Iterator[str]:
        """The pieces that are still to come."""
        self._pieces = self._pieces or self._read()
        return self._pieces

    def whole(self) -> Answer:
        """The checked answer; reads what is still to come. BackendError if it breaks off."""
        if self._whole is None:
            for _ in self:
                pass
            self._whole = self._checked()
        return self._whole

    def abort(self) -> None:
        """Stops the answer, from any thread: the model stops generating. What has arrived is the whole answer then."""
        self._aborted = True
        if self._stream is not None:
            self._stream.abort()

    def _read(self) -> Iterator[str]:
        if self._chat is None or self._request is None:
            yield NOTHING_FOUND
            return
        if self._aborted:
            return
        self._stream = self._chat.stream(self._request.turns, self._request.most)
        if self._aborted:
            self._stream.abort()
        try:
            numbers = [source.number for source in self.evidence.sources]
            raw = self._kept(without_thinking(self._stream))
            yield from self._verified(raw) if self._request.strict else shortened(opened(raw), numbers)
        finally:
            self._stream.abort()  # of a caller that stops reading
            self._seconds["total"] = time.monotonic() - self._request.began

    def _kept(self, pieces: Iterable[str]) -> Iterator[str]:
        for piece in pieces:
            if not self._raw and self._request is not None:
                self._seconds["first"] = time.monotonic() - self._request.began
            self._raw.append(piece)
            yield piece

    def _verified(self, pieces: Iterable[str]) -> Iterator[str]:
        """The verified claims of each line, when the line is complete."""
        told = False
        for line in _lines(opened(pieces)):
            if line.startswith(THE_FILES_DO_NOT_TELL):
                yield line
                return
            for said in sentences(line):
                claim = checked(said, self.evidence.sources)
                if claim.verified:
                    yield f"{' ' if told else ''}{claim_text(claim)}"
                    told = True
        if not told:
            yield shown_text("".join(self._raw), self.evidence.sources, strict=True)

    def _checked(self) -> Answer:
        evidence, request = self.evidence, self._request
        if request is None or self._chat is None:
            return Answer(NOTHING_FOUND, (), (), False, "", self._seconds, _tokens(None, {}), evidence.notes)
        raw = "".join(self._raw).strip()
        claims = claims_of(raw, evidence.sources)
        claims = tuple(claim for claim in claims if claim.verified) if request.strict else claims
        stream = self._stream
        notes = (*evidence.notes, *request.notes)
        if stream is not None and stream.finish == "length":
            notes = (*notes, CUT_OFF.format(request.most))
        return Answer(
            text=shown_text(raw, evidence.sources, strict=request.strict),
            claims=claims,
            sources=evidence.sources,
            enough=refused(raw) is None and any(claim.sources for claim in claims),
            model=self._chat.name,
            seconds=self._seconds,
            tokens=_tokens(request, stream.usage if stream else {}),
            notes=notes,
        )


def without_thinking(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of an answer without a block of thinking before it."""
    begin, end = THINKING
    held, state = "", "start"
    for piece in pieces:
        if state == "after" and (piece := piece.lstrip()):
            state = "answer"
        if state == "answer":
            yield piece
            continue
        held += piece
        if state == "start" and not begin.startswith(held.lstrip()[: len(begin)]):
            state = "answer"
            yield held
        elif held.lstrip().startswith(begin):
            state = "thinking"
        if state == "thinking" and end in held:
            rest = held.partition(end)[2].lstrip()
            state = "answer" if rest else "after"
            if rest:
                yield rest
    if state == "start" and held.strip():
        yield held


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        held += piece
        *lines, held = held.split("\n")
        yield from lines
    if held:
        yield held


def _tokens(request: Request | None, usage: Mapping[str, int]) -> dict[str, Any]:
    """The tokens of the prompt and of the answer; `exact`: counted by the model, else `prompt` is an upper bound."""
    if request is None:
        return {"prompt": 0, "answer": 0, "exact": True}
    prompt = usage.get("prompt_tokens", request.prompt_tokens)
    return {"prompt": prompt, "answer": usage.get("completion_tokens"), "exact": "prompt_tokens" in usage or request.exact}
