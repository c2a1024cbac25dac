"""The passages of one document as they are read: kept in order, their words joined, each with the key of its vector.

Knows clues and keys; knows no file, no index and no model but its fingerprint.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.clues import embedded_clues
from rag.decoding.jobs import Identity, Part
from rag.identity import content_key
from rag.opening import Policy
from rag.types import Content, Document, Dropped, Modality, Passage, Skipped

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.corpus import Found, Root
    from rag.index.writer import TwinDocument


@dataclass(slots=True)
class Arriving:
    """A document on its way into the index."""

    ticket: int
    root: Root
    found: Found
    document: Document
    identity: Identity | None = None
    twin: TwinDocument | None = None
    passages: list[tuple[Passage, bytes]] = field(default_factory=list)  # each with the key of its vector
    fresh: list[Passage] = field(default_factory=list)  # as split now, where a twin is taken over
    lost: list[Skipped] = field(default_factory=list)  # parts that could not be read
    dropped: Counter[str] = field(default_factory=Counter)  # parts left out on purpose, by reason
    unseen: str = ""  # why the model could be shown nothing of it

    def begin_anew(self) -> None:
        """Forgets the parts that came."""
        self.passages, self.fresh, self.lost, self.dropped, self.unseen = [], [], [], Counter(), ""

    def take(self, part: Part, embedder: Embedder, policy: Policy) -> tuple[bytes, Content] | None:
        """Keeps one part; gives the content the model is to be shown and its key, where there is one."""
        content = part.outcome
        if content is None:
            self.fresh.append(part.passage)
        elif isinstance(content, Dropped):
            self.dropped[content.reason.partition(" at ")[0]] += 1
        elif isinstance(content, Skipped):
            self.lost.append(content)
        else:
            return self._keyed(part, content, embedder, policy)
        return None

    def _keyed(self, part: Part, content: Content, embedder: Embedder, policy: Policy) -> tuple[bytes, Content] | None:
        passage = part.passage
        if content.modality != "text":
            seen = "\n".join(filter(None, part.words))
            passage = replace(passage, text="\n".join(filter(None, (passage.text, seen)))) if seen else passage
            content = replace(content, clues=embedded_clues(passage, policy.clues))
        shown = shown_to(embedder.modalities, content)
        if isinstance(shown, Dropped):
            self.dropped[shown.reason] += 1
            self.unseen = f"{shown.reason}: {embedder.fingerprint.model}"
            return None
        clues = shown.clues if embedder.reads_clues else ""
        key = content_key(shown, embedder.fingerprint, clues=clues, seen=part.digests if shown.pixels else ())
        self.passages.append((passage, key))
        return key, shown

    @property
    def failure(self) -> str:
        """Why nothing of it can be indexed; "" where something can."""
        if self.passages:
            return ""
        return self.lost[0].reason if self.lost else self.unseen or "nothing in it can be indexed"

    def taken_over(self) -> list[tuple[Passage, bytes]]:
        """The passages of its twin as its own. A name may say that a picture is a screenshot, or be a title."""
        assert self.twin is not None
        taken = [(replace(passage, document=self.document.id), key) for passage, key in self.twin.passages]
        fresh = {passage.ordinal: passage for passage in self.fresh}
        return [
            (replace(passage, kind=now.kind, context=now.context) if (now := fresh.get(passage.ordinal)) else passage, key)
            for passage, key in taken
        ]

    @property
    def is_renamed(self) -> bool:
        """Whether it bears another name than its twin."""
        return self.twin is not None and self.document.file.name != self.twin.id.path.rpartition("/")[2]


def shown_to(modalities: frozenset[Modality], content: Content) -> Content | Dropped:
    """The content as a model of these modalities can take it: a picture, for one that only reads, is the words known about it."""
    if content.modality in modalities:
        return content
    if content.clues:
        return Content("text", text=content.clues)
    return Dropped("a picture without words, for a model that only reads")
