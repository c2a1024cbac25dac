"""The tree of errors: what happened, where, and what to do next; each leaf has its exit code.

Knows nothing else of the package. Only `rag.cli` turns these into an exit status.

    RagError
    ├── WrongRequest        2   an invalid option, query or setting
    │   ├── WrongSetting        an invalid key or value in flags, RAG_* or rag.toml
    │   ├── TooLarge            the input exceeds a limit
    │   ├── NoSuchPassage       the index has no passage with that id
    │   ├── NotShown            the passage has no picture, or its file is gone
    │   └── MissingExtra        an optional package is not installed
    ├── BackendError        3   a model or its server failed or gave an unusable answer
    │   ├── NoChatModel         no chat model is set: the error holds the evidence
    │   ├── ContentRefused      it rejects some inputs but works for others
    │   └── Overloaded          it has more requests than it can answer
    ├── IndexFailure        4   the index folder cannot be used
    │   ├── IndexNotFound       there is no index
    │   ├── NoSuchIndex         the server has no index of that name
    │   ├── IndexDamaged        its content is not what was written
    │   ├── IndexLocked         another process is writing it
    │   ├── IndexReplaced       rebuilt since it was opened
    │   ├── IndexBuilding       not searched while its vectors are put under another kind of index: ask later
    │   ├── MovedOn             the commit being read was compacted away: ask again
    │   ├── IndexTooNew         written by a newer version of this program
    │   ├── IndexTooOld         written by an older version, not yet upgraded
    │   ├── AnotherModel        a server now answers with other weights
    │   ├── EmbedderMismatch    made by another model: vectors cannot be compared
    │   └── StorageFailed       the disk is full or a write failed
    ├── UnreadableDocument  5   one file of the corpus; becomes a `Skipped`, never ends a run
    └── Interrupted       130   Ctrl-C

Exit codes: 0 done or found · 1 nothing found, or some inputs refused · 2 wrong request · 3 model or server · 4 index ·
5 documents were skipped under --strict · 130 Ctrl-C.
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
    """What went wrong and where (`what`), and what the user can do about it (`remedy`)."""

    exit_code = 2

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class WrongRequest(RagError):
    """The request is invalid."""

    exit_code = 2


class WrongSetting(WrongRequest):
    """An invalid key or value in the flags, the environment or rag.toml."""


class TooLarge(WrongRequest):
    """The input exceeds a limit: `what` names the size and the limit."""


class NoSuchPassage(WrongRequest):
    """The index has no passage with that id."""

    def __init__(self, id: str) -> None:
        super().__init__(f"no passage has the id {id}", remedy="copy an id from a hit; when a file changes, so do its ids")


class NotShown(WrongRequest):
    """This passage cannot be shown as a picture: it is text, or its file is gone."""


class MissingExtra(WrongRequest):
    """An optional package is needed but not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, remedy=f"install it from the checkout of this program: pip install '.[{extra}]'")


class BackendError(RagError):
    """A model or its server failed, or gave an answer that cannot be used."""

    exit_code = 3


class ContentRefused(BackendError):
    """A model rejects some of its inputs but works for others: a text is too long for it, or a picture cannot be read.

    `reasons` maps the position of each rejected input to the reason. `others` holds the results of all other inputs, in order:
    rows of vectors, or scores. So a caller can continue without asking again.
    """

    def __init__(self, what: str, remedy: str, reasons: Mapping[int, str], others: Any) -> None:
        super().__init__(what, remedy)
        self.reasons = reasons
        self.others = others


class NoChatModel(BackendError):
    """No chat model is set, so nothing answers; `evidence` is what one would have been given."""

    def __init__(self, evidence: Any) -> None:
        super().__init__(
            "no chat model is set, so there is evidence but no answer",
            remedy="start one with `rag serve answerer`, or name a server: RAG_ANSWER_URL=http://HOST:PORT",
        )
        self.evidence = evidence


class Overloaded(BackendError):
    """A server has more requests than it can answer: ask later, or ask for less."""


class IndexFailure(RagError):
    """The index folder cannot be used as it is."""

    exit_code = 4


class IndexNotFound(IndexFailure):
    """There is no index in that folder."""

    def __init__(self, folder: Path | str) -> None:
        super().__init__(f"no index at {folder}", remedy="make one: rag index FOLDER (or name another with --index)")


class NoSuchIndex(IndexFailure):
    """A server does not serve an index of that name, or none that the key of a request may see: "" where none was named."""

    def __init__(self, name: str, served: Sequence[str]) -> None:
        what = f"no index called {name!r} is served here" if name else "the key of this request may see no index here"
        remedy = f"the indexes are: {', '.join(served)}" if served else "use a key of an index or a root of here: rag key list"
        super().__init__(what, remedy=remedy)


class IndexDamaged(IndexFailure):
    """Something in the index is no longer what was written."""


class IndexLocked(IndexFailure):
    """Another process is writing this index."""

    def __init__(self, folder: Path | str, owner: str) -> None:
        super().__init__(f"{folder} is being written by {owner}", remedy="wait until it ends; queries keep working")


class IndexReplaced(IndexFailure):
    """The index was rebuilt after it was opened: the open one is the old one."""

    def __init__(self, folder: Path | str) -> None:
        super().__init__(f"{folder} was rebuilt while it was open", remedy="open it again")


class IndexBuilding(IndexFailure):
    """The vectors of an index are being put under another kind of index, and it is not searched meanwhile."""

    def __init__(self, place: Path | str, reason: str) -> None:
        super().__init__(
            f"{place} cannot be searched now: {reason}",
            remedy="this ends by itself, in minutes, or hours with many millions of vectors: ask again then",
        )


class MovedOn(IndexFailure):
    """The commit being read is old, and a compaction has removed data that it needs."""

    def __init__(self, folder: Path | str, generation: int) -> None:
        super().__init__(f"{folder}: commit {generation} has been compacted away", remedy="ask again: the answer will be current")


class IndexTooNew(IndexFailure):
    """The index was written by a newer version of this program."""

    def __init__(self, folder: Path | str, found: int, known: int) -> None:
        super().__init__(
            f"{folder} has format {found}; this version reads formats up to {known}",
            remedy="update multimodal-rag, or build the index again in another folder: rag index FOLDER --index NAME",
        )


class IndexTooOld(IndexFailure):
    """The index was written by an older version of this program and must be upgraded first."""

    def __init__(self, folder: Path | str, found: int, known: int) -> None:
        super().__init__(
            f"{folder} has format {found}; this version reads format {known}",
            remedy="make the folder writable and run rag repair, or any other command: each upgrades the index first",
        )


class EmbedderMismatch(IndexFailure):
    """The index was made by another model: its vectors cannot be compared."""

    def __init__(self, folder: Path | str, made_by: Fingerprint, asked: Fingerprint) -> None:
        super().__init__(
            f"{folder} was made with {made_by.model} ({made_by.dim} dims, {made_by.preprocessing}), "
            f"not {asked.model} ({asked.dim} dims, {asked.preprocessing})",
            remedy="leave the model out to use the one it was made with; to add this one beside it: rag index --add-model NAME",
        )


class AnotherModel(IndexFailure):
    """A server claims the right model name, but its vectors come from another model."""

    def __init__(self, folder: Path | str, model: str, canary: str, likeness: float) -> None:
        super().__init__(
            f"{folder}: the server claims to be {model}, but its vector for a fixed {canary} differs from the one in the index "
            f"(cosine {likeness:.3f})",
            remedy="serve the model the index was made with, or index everything again: rag index --rebuild",
        )


class StorageFailed(IndexFailure):
    """A write to disk or to a database failed: the index is at its last commit."""

    def __init__(
        self,
        folder: Path | str,
        reason: str,
        remedy: str = "the last commit is intact; free some space and run the same command again",
    ) -> None:
        super().__init__(f"writing to {folder} failed: {reason}", remedy=remedy)


class UnreadableDocument(RagError):
    """One file of the corpus cannot be read; `what` is the reason a person reads in the report."""

    exit_code = DOCUMENTS_SKIPPED


class Interrupted(RagError):
    """Ctrl-C: finished work is committed."""

    exit_code = 130


def first_line(error: BaseException) -> str:
    """The first line of a library's error, at most 300 characters; the name of its type if it has no text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
