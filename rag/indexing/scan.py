"""What changed below a target since the last run, and which documents say something of pictures.

Knows the walk and the stamps of the index; opens no file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rag.corpus.composed_paths import composed
from rag.corpus.file_types import PICTURE_SUFFIXES, is_asked_for, suffix_of
from rag.corpus.walk import FileEntry, Ignored, Inaccessible, Remark, ScanEvent, walk
from rag.humanize import counted
from rag.indexing.roots import Target
from rag.indexing.tally import RunTally
from rag.types import CaptionOf, DocumentId, Kind, Skipped

_KEPT = ("document of it, which is", "documents of it, which are")


class Stamps(Protocol):
    """What is known of the files: a `Writer`, or an index that is only looked at. `stamps` gives (path, stamp) below a root."""

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]: ...


class Change(NamedTuple):
    """A document to be read: `known` where the index holds an older version of it."""

    found: FileEntry
    known: bool


class ChangeDetector:
    """Compares what a walk finds below a target, in its order, with what the index knows; counts what need not be read."""

    def __init__(self, target: Target, known: Stamps, tally: RunTally, kinds: frozenset[Kind]) -> None:
        """With `kinds`, documents whose names say that they give no passage of these are left as they are."""
        self._root, self._under, _ = target
        self._tally, self._kinds = tally, kinds
        self._stored = known.stamps(self._root.name, self._under)  # by path, as the walk
        self._next = next(self._stored, None)
        self._absent: list[str] = []
        self._blocked: set[str] = set()
        self._any = False  # whether a document is there

    def classify(self, seen: ScanEvent) -> Change | None:
        """The change that the next thing found is; None where it is none."""
        match seen:
            case FileEntry():
                self._any = True
                return self._compared(seen)
            case Ignored(_, reason):
                self._tally.ignored[reason] += 1
            case Remark(text):
                self._tally.notes.append(text)
            case Inaccessible(path, reason):
                self._blocked.add(path)
                self._tally.skipped.append(Skipped(DocumentId(self._root.name, path), reason))
        return None

    def gone(self) -> list[str]:
        """The documents that are not there any more: to be asked when the walk has ended.

        What lies in or below something `Inaccessible` is not gone, and an empty root is not believed.
        """
        self._pass(None)
        gone = [path for path in self._absent if not self._is_hidden(path)]
        if gone and not self._any and not self._under:
            self._tally.notes.append(
                f"{self._root.folder} is empty, and the index holds {counted(len(gone), *_KEPT)} kept. "
                f"If they are gone for good: rag rm {self._root.folder}"
            )
            return []
        return gone

    def _compared(self, found: FileEntry) -> Change | None:
        self._pass(found.path)
        stamp = None
        if self._next is not None and self._next[0] == found.path:
            stamp = self._next[1]
            self._next = next(self._stored, None)
        if stamp == found.stamp:
            self._tally.unchanged += 1
        elif is_asked_for(found.path, self._kinds):
            return Change(found, known=stamp is not None)
        else:
            self._tally.ignored["of a kind not asked for"] += 1
        return None

    def _pass(self, path: str | None) -> None:
        """What the index holds before that path, or at all, and the walk did not find, is absent."""
        while self._next is not None and (path is None or self._next[0] < path):
            self._absent.append(self._next[0])
            self._next = next(self._stored, None)

    def _is_hidden(self, path: str) -> bool:
        """Whether it lies in or below what could not be looked at; "" is the root itself."""
        if not self._blocked:
            return False
        parts = path.split("/")
        return any("/".join(parts[:count]) in self._blocked for count in range(len(parts) + 1))


def pictures_to_recaption(target: Target, recaptioned: AbstractSet[str], kinds: frozenset[Kind]) -> list[FileEntry]:
    """Unchanged pictures below the target of which other documents say something else now."""
    if not recaptioned:
        return []
    pictures = (seen for seen in walk(*target) if isinstance(seen, FileEntry) and is_asked_for(seen.path, kinds))
    return [seen for seen in pictures if composed(seen.path) in recaptioned]


def of_pictures(captions: Sequence[CaptionOf]) -> list[CaptionOf]:
    """What is said of files that are pictures by their names."""
    said = ((composed(one.target), one.text) for one in captions)
    return [CaptionOf(path, text) for path, text in said if suffix_of(path) in PICTURE_SUFFIXES]


BATCH = 256  # what is handed over together, at most
MOMENT = 0.01  # seconds after which it is handed over, however little it is


@dataclass(frozen=True, slots=True)
class ScanBatch:
    """What a walk came by, in its order."""

    seen: tuple[ScanEvent, ...]
    is_last: bool = False  # the walk has ended
    is_broken: bool = False  # by an error that is a bug: what would have come is not known


class ScanSink(Protocol):
    """Where they go."""

    def put_scan(self, bunch: ScanBatch) -> bool:
        """Waits while there are many already; False where nobody takes them any more."""
        ...


class ScanThread:
    """A walk that goes on. Nobody waits for its thread: a network disk may hold it for minutes."""

    def __init__(self, target: Target, bunches: ScanSink) -> None:
        """Starts it."""
        self._target, self._bunches = target, bunches
        self._stopped = False
        threading.Thread(target=self._walk, name="rag-walk", daemon=True).start()

    def stop(self) -> None:
        """It ends at its next step; what it has found may still come."""
        self._stopped = True

    def _walk(self) -> None:
        last = ScanBatch((), is_last=True, is_broken=True)
        seen: list[ScanEvent] = []
        handed_over = time.monotonic()
        try:
            for one in walk(*self._target):
                seen.append(one)
                if len(seen) < BATCH and time.monotonic() - handed_over < MOMENT:
                    continue
                if self._stopped or not self._bunches.put_scan(ScanBatch(tuple(seen))):
                    return
                seen.clear()
                handed_over = time.monotonic()
            last = ScanBatch(tuple(seen), is_last=True)
        finally:  # also after an error that is a bug: the thread that writes must not wait for ever
            self._bunches.put_scan(last)
