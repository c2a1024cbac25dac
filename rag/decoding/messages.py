"""Jobs and answers: the values that travel between this process and its workers.

Knows the nouns of the corpus; knows no loader, no process and no index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from rag.loaders.base import Limits
from rag.types import CaptionOf, Content, Document, Dropped, Passage, Skipped


@dataclass(frozen=True, slots=True)
class Rules:
    """How documents are read: the part of the policy that workers need."""

    limits: Limits
    ocr: str  # "auto", "always", "never"; "never" also where recognised words are no clue
    captions: bool  # whether what documents say of pictures is wanted
    key: str  # `identity.reading_key` of all of it
    side: int = 0  # pixels: what the model looks at of the shorter side of a picture (rag.backends.downsample); 0: all of it
    threads: int = 1  # inside one recognition of words
    seeing: int = 0  # revision of the words for what photos show (rag.loaders.picture.seen), where they are wanted; else 0
    patience: int = 1  # an answer may cost so many times as much as usual


@dataclass(frozen=True, slots=True)
class Identify:
    """Which loader reads the document, what are its bytes, and what does it say of pictures? Answered by `Identified`."""

    document: Document
    rules: Rules


@dataclass(frozen=True, slots=True)
class ListPassages:
    """Which passages has it? Nothing is decoded. Answered by a `PassageRead` without outcome for each, then `Done`."""

    document: Document
    rules: Rules
    loader: str


@dataclass(frozen=True, slots=True)
class ReadAll:
    """What do its passages hold? Answered by a `PassageRead` for each, in order, then `Done`.

    Where several readers may share it, a long one is answered by a `RangeFound` for each that is to be read apart, then `Done`.
    """

    document: Document
    rules: Rules
    loader: str
    readers: int = 1


@dataclass(frozen=True, slots=True)
class ReadRange:
    """What do these passages of it hold? Answered by a `PassageRead` for each, in order, then `Done`."""

    document: Document
    rules: Rules
    loader: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """What does this function say of the file? Answered by `Returned`.

    The function is called as `function(file, **details)` and gives plain values by name, arrays among them, and bytes. Where the
    job comes with descriptors, `file` is the first of them, and `details["out"]` the second, open for writing: a worker can open
    no file to write it.
    """

    function: str  # "module:name"
    file: Path = Path()
    details: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0  # bytes of the file
    room: int = 0  # bytes that may be written to `out`


Job: TypeAlias = Identify | ListPassages | ReadAll | ReadRange | Call


@dataclass(frozen=True, slots=True)
class Identified:
    """What a document is."""

    loader: str  # a name in LOADERS, or module:Class
    reading: str  # two documents of the same digest and reading have the same passages
    digest: bytes
    captions: tuple[CaptionOf, ...]


@dataclass(frozen=True, slots=True)
class PassageRead:
    """One passage, what was read of it, and the words recognised in its picture."""

    passage: Passage
    outcome: Content | Dropped | Skipped | None = None
    digests: tuple[bytes, ...] = ()  # of its pixels, one for each picture
    words: tuple[str | None, ...] = ()  # recognised, one for each picture; None where nobody was to look
    fresh: tuple[tuple[bytes, str], ...] = ()  # what was recognised now: the digest of what OCR looked at, and its words

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        pixels = sum(one.nbytes for one in self.outcome.pixels) if isinstance(self.outcome, Content) else 0
        return pixels + 4 * len(self.passage.text) + 500


@dataclass(frozen=True, slots=True)
class RangeFound:
    """Passages of a long document that any process may read, as a job of their own; numbered from 1."""

    number: int
    passages: tuple[Passage, ...]

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return sum(4 * len(passage.text) + 500 for passage in self.passages)


@dataclass(frozen=True, slots=True)
class Done:
    """The job is complete; `changed` if the file differs from what the walk saw, so that it is unknown which bytes were read."""

    changed: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The document cannot be read; `passing` if the system is the cause and not the file."""

    reason: str
    passing: bool = False
    killed: bool = False  # it took its reader with it, twice
    late: bool = False  # given up only for the time it took: the next run gives it more
    short: bool = False  # of memory, of which earlier files may have left too little


@dataclass(frozen=True, slots=True)
class Returned:
    """What a called function gave."""

    values: dict[str, Any]
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The job starts over: earlier answers are void."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The job itself is impossible, whatever the document: the run ends with this error."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker's first message, with what could not be taken from it: "the network", "writing files"."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OcrLookup:
    """A worker asks for cached OCR of the picture with this digest. Answered by a str or None."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class WantPrograms:
    """A worker asks for a line to a process that runs programs. Answered by `LineToPrograms`, which brings it."""


@dataclass(frozen=True, slots=True)
class LineToPrograms:
    """Why no programs can be run here; "" where the line comes with it."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunProgram:
    """Runs a command of `rag.loaders.programs` on the first open file that comes with it, into the second. Answered by
    `ProgramEnded`."""

    command: str
    numbers: tuple[int, ...]
    most: int  # bytes that it may write


@dataclass(frozen=True, slots=True)
class ProgramEnded:
    """The program is done; why it failed, or "". `ran` where it was started."""

    reason: str = ""
    ran: bool = True


Answer: TypeAlias = Identified | PassageRead | RangeFound | Returned | Done | Failed | Restarted | Rejected
