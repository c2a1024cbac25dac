"""The tree of errors: what happened, where, and what to do next; each leaf has its exit code.

Knows nothing else of the package. Only `rag.cli` turns these into an exit status.

    RagError
    ├── WrongRequest        2   an option, a query or a setting that cannot be meant
    │   ├── WrongSetting        a key or value in flags, RAG_* or rag.toml
    │   ├── TooLarge            what was given is more than is taken
    │   ├── NoSuchPassage       an id that the index does not hold
    │   ├── NotShown            a passage without a picture, or whose file is gone
    │   └── MissingExtra        an optional package is not installed
    ├── BackendError        3   a model or its server failed or answered nonsense
    │   ├── ContentRefused      it takes some contents not, and works for others
    │   └── Overloaded          it has more to do than it can
    ├── IndexFailure        4   the index folder
    │   ├── IndexNotFound       no index there
    │   ├── NoSuchIndex         a server does not serve it
    │   ├── IndexDamaged        something in it is not what was written
    │   ├── IndexLocked         another process writes it
    │   ├── IndexReplaced       rebuilt since it was opened
    │   ├── MovedOn             what was looked at was compacted away: ask again
    │   ├── IndexTooNew         made by a newer version of this program
    │   ├── IndexTooOld         made by an older one, and not yet brought up to date
    │   ├── AnotherModel        a server answers with other weights than it did
    │   ├── EmbedderMismatch    made by another model: vectors cannot be compared
    │   └── StorageFailed       the disk is full or refuses to keep what was written
    ├── UnreadableDocument  5   one file of the corpus; becomes a `Skipped`, never the end of a run
    └── Interrupted       130   Ctrl-C

Exit codes: 0 done or found · 1 nothing found, or some inputs refused · 2 wrong request · 3 model or server · 4 index ·
5 documents were skipped and --strict was given · 130 Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.types import Fingerprint

FOUND = 0
NOTHING_FOUND = INPUTS_REFUSED = 1
DOCUMENTS_SKIPPED = 5


class RagError(Exception):
    """What went wrong (with where), and what the user can do about it."""

    exit_code = 2

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class WrongRequest(RagError):
    """The request cannot be meant as it stands."""

    exit_code = 2


class WrongSetting(WrongRequest):
    """A key or a value in the flags, the environment or rag.toml."""


class TooLarge(WrongRequest):
    """What was given is more than is taken: `what` names the size and the limit."""


class NoSuchPassage(WrongRequest):
    """The index holds no passage of that id."""

    def __init__(self, id: str) -> None:
        super().__init__(f"no passage has the id {id}", remedy="take an id from a hit; a changed file has new ones")


class NotShown(WrongRequest):
    """There is nothing to show of this passage: it is text, or its file is not where it was."""


class MissingExtra(WrongRequest):
    """An optional package is needed and not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, remedy=f"install it: pip install 'multimodal-rag[{extra}]'")


class BackendError(RagError):
    """A model or its server failed, or answered something that cannot be used."""

    exit_code = 3


class ContentRefused(BackendError):
    """A model takes some of the contents it was given not, though it works: a text too long for it, a picture it cannot read.

    `reasons` holds a reason for each of those, by its place in what was given; `others` what came of all the others, in order:
    rows of vectors, or scores. So a caller can go on without asking again.
    """

    def __init__(self, what: str, remedy: str, reasons: Mapping[int, str], others: Any) -> None:
        super().__init__(what, remedy)
        self.reasons = reasons
        self.others = others


class Overloaded(BackendError):
    """A server has more to do than it can: ask again later, or less."""


class IndexFailure(RagError):
    """The index folder cannot be used as it is."""

    exit_code = 4


class IndexNotFound(IndexFailure):
    """There is no index at that place."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"no index at {folder}", remedy="make one: rag index FOLDER (or name another with --index)")


class NoSuchIndex(IndexFailure):
    """A server does not serve an index of that name."""

    def __init__(self, name: str, served: Sequence[str]) -> None:
        super().__init__(f"no index called {name!r} is served here", remedy=f"the indexes are: {', '.join(served)}")


class IndexDamaged(IndexFailure):
    """Something in the index is not what was written."""


class IndexLocked(IndexFailure):
    """Another process writes this index."""

    def __init__(self, folder: Path, owner: str) -> None:
        super().__init__(f"{folder} is being written by {owner}", remedy="wait for it to end; queries work meanwhile")


class IndexReplaced(IndexFailure):
    """It was rebuilt after it was opened: what is open is the old one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} was rebuilt meanwhile", remedy="open it again")


class MovedOn(IndexFailure):
    """What was looked at is of an older commit, of which a compaction has removed what is needed now."""

    def __init__(self, folder: Path, generation: int) -> None:
        super().__init__(f"{folder}: commit {generation} was compacted away meanwhile", remedy="ask again")


class IndexTooNew(IndexFailure):
    """The index was written by a newer version of this program."""

    def __init__(self, folder: Path, found: int, known: int) -> None:
        super().__init__(
            f"{folder} has format {found}; this version reads up to {known}",
            remedy="update multimodal-rag, or build the index again in another folder: rag index FOLDER --index NAME",
        )


class IndexTooOld(IndexFailure):
    """The index was written by an older version of this program and must be brought up to date first."""

    def __init__(self, folder: Path, found: int, known: int) -> None:
        super().__init__(
            f"{folder} has format {found}; this version reads {known}",
            remedy="any command brings it up to date where its folder may be written; rag repair does nothing else",
        )


class EmbedderMismatch(IndexFailure):
    """The index was made by another model: its vectors cannot be compared."""

    def __init__(self, folder: Path, made_by: Fingerprint, asked: Fingerprint) -> None:
        super().__init__(
            f"{folder} was made with {made_by.model} ({made_by.dim} dims, {made_by.preprocessing}), "
            f"not {asked.model} ({asked.dim} dims, {asked.preprocessing})",
            remedy="query it with the model it was made with, or rebuild it: rag index --rebuild FOLDER",
        )


class AnotherModel(IndexFailure):
    """A server answers under the right name with the vectors of another model."""

    def __init__(self, folder: Path, model: str, canary: str, likeness: float) -> None:
        super().__init__(
            f"{folder}: the server answers as {model}, but its vector of a fixed {canary} is not the one the index was made with "
            f"(cosine {likeness:.3f})",
            remedy="serve the model the index was made with, or read everything anew: rag index --rebuild",
        )


class StorageFailed(IndexFailure):
    """The disk refused a write: the index stands at its last commit."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"writing to {folder} failed: {reason}",
            remedy="the last commit is intact; free some space and run the same command again",
        )


class UnreadableDocument(RagError):
    """One file of the corpus cannot be read; `what` is the reason a person reads in the report."""

    exit_code = DOCUMENTS_SKIPPED


class Interrupted(RagError):
    """Ctrl-C: what was finished is committed."""

    exit_code = 130


def first_line(error: BaseException) -> str:
    """The first line of a library's error, at most 300 characters; the name of its type if it has no text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
