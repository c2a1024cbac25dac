"""The nouns of the project: frozen values passed between its packages.

Knows no file, no model, no index, and does no I/O. The words are defined in README.md, section "Words".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.location import Location

    Pixels: TypeAlias = NDArray[np.uint8]
    Vectors: TypeAlias = NDArray[np.float32]

Kind = Literal["text", "page", "image", "screenshot", "frame"]
Modality = Literal["text", "image", "video"]
Role = Literal["query", "document"]
Lane = str  # "lexical", "dense" (the first vector space that is asked), or "dense:NAME" (another one)
Trust = Literal["whole", "partial", "broken"]  # it says all that is drawn; more is drawn; something else is drawn
Clue = Literal["ocr", "caption", "path", "date"]

KINDS: tuple[Kind, ...] = ("text", "page", "image", "screenshot", "frame")
CLUES: tuple[Clue, ...] = ("ocr", "caption", "path", "date")


# ---- where a passage is ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines `start` to `end` of a text, counted from 1, both included."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page, counted from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Slide:
    """A slide, counted from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time range, in seconds from the start of the video."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole document."""


Locator: TypeAlias = Lines | Page | Slide | Sheet | Seconds | Whole


# ---- the corpus -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class DocumentId:
    """Root name and POSIX path below that root."""

    root: str
    path: str

    def __str__(self) -> str:
        return f"{self.root}/{self.path}"


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the corpus, as the walk found it."""

    id: DocumentId
    file: Path  # absolute
    stamp: str = ""  # size, mtime, ctime and inode of the file and its companions: equal stamps mean an unchanged document
    modified: float = 0.0  # seconds since the epoch
    companions: tuple[Path, ...] = ()  # captions, subtitles and sidecars beside it
    caption: str = ""  # text of its companions, and alt texts that other documents give it

    @property
    def name(self) -> str:
        """Its name without folders. That of `file` is a number where the document is a file inside another."""
        return self.id.path.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """In lower case, with its dot; "" where there is none."""
        dot = self.name.rfind(".")
        return self.name[dot:].lower() if dot > 0 else ""


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a passage in its document."""

    title: str = ""  # of the document
    heading: str = ""  # headings above the passage, outermost first, joined by " › "
    slide: int | None = None
    sheet: str = ""
    about: str = ""  # who made the document and how it is rated, as it says itself
    seen: str = ""  # what its picture shows, in words that a classifier is sure of
    location: tuple[float, float] | None = None  # where a picture or a video was taken: latitude, longitude in degrees


@dataclass(frozen=True, slots=True)
class Passage:
    """The smallest thing embedded and returned. Carries where it is, never its bytes."""

    document: DocumentId
    ordinal: int  # its place among the passages of the document, from 0
    locator: Locator
    kind: Kind
    modality: Modality
    text: str = ""  # its own words: the span, the page's text layer, subtitles, or OCR text
    caption: str = ""
    context: Context = field(default_factory=Context)
    taken: float | None = None  # when the content was made (a picture taken, a mail sent), seconds since the epoch, if known
    inner: str = ""  # POSIX path of the file inside the document, `letters.zip/a.txt` of a mail; "": the document itself


@dataclass(frozen=True, slots=True)
class Dropped:
    """A passage left out on purpose: a blank frame, or one that repeats the frame before."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document, or a part of one, that could not be read, and why."""

    document: DocumentId
    reason: str


@dataclass(frozen=True, slots=True)
class CaptionOf:
    """What one document says about a picture it shows."""

    target: str  # POSIX path below the same root
    text: str


# ---- models -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class TextLayer:
    """The words a page holds as text, and whether they are what its picture shows."""

    words: str
    trust: Trust
    rest: Pixels | None = None  # where it is partial: the picture with what is known painted over


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """A decoded passage or query, ready for a model."""

    modality: Modality
    text: str = ""  # the words of a text; "" for a picture
    pixels: tuple[Pixels, ...] = ()  # RGB, uint8, (height, width, 3); several for a video, and for a query of several pictures
    clues: str = ""  # words known about a picture (OCR, caption, date), for models that cannot see it or cannot read it
    vector: Vectors | None = None  # float32 (dim,): a document's embedding, for rerankers that use it
    layer: TextLayer | None = None  # of a page that has one; only for those who read its picture, never for a model


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What makes two document vectors comparable."""

    model: str
    revision: str
    dim: int
    instruction: str  # prepended to a document; "" where the model takes none
    preprocessing: str


# ---- queries and hits -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filters:
    """Which passages a search may return. Empty fields allow everything; a passage must satisfy all fields."""

    kinds: tuple[Kind, ...] = ()
    paths: tuple[str, ...] = ()  # globs on the path below the root; one match is enough
    roots: tuple[str, ...] = ()
    documents: tuple[DocumentId, ...] = ()
    after: float | None = None  # seconds since the epoch, inclusive: when the content was made, else the file's mtime
    before: float | None = None  # exclusive


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for: words, a picture, or both."""

    words: str
    content: Content
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True)
class LaneRank:
    """How one first stage ranked a candidate: rank from 1, that stage's own score, and the share of the query it matched, 0…1."""

    rank: int
    score: float
    share: float = 1.0
    space: str = ""  # of a dense lane, the name of its vector space; "" in an index of one


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as the index keeps it."""

    number: int  # the catalog's integer: never reused
    id: str  # short and stable across rebuilds: a hash of document and locator
    passage: Passage
    file: Location  # where the document was found, absolute
    dated: float  # when the content was made, else mtime: what the date filters compare
    index: str = ""  # name of its index, where results of several are mixed


@dataclass(frozen=True, slots=True)
class Member:
    """One passage of a grouped hit."""

    id: str
    locator: Locator
    score: float


@dataclass(frozen=True, slots=True)
class Similar:
    """A result that repeats a hit, and is shown under it."""

    id: str
    root: str
    document: str
    path: str
    locator: Locator
    score: float
    index: str = ""
    inner: str = ""  # which file inside the document


@dataclass(frozen=True, slots=True)
class Hit:
    """A final result, with every score that led to it. Its JSON is a contract: `rag.serialization`."""

    rank: int
    id: str
    index: str
    root: str
    document: str
    path: str
    kind: Kind
    modality: Modality
    locator: Locator
    snippet: str
    score: float
    similarity: float | None
    rerank_score: float | None
    lanes: Mapping[Lane, LaneRank]
    best: Locator
    members: tuple[Member, ...]
    context: Context
    fused: float  # the fused score of the lanes, 0…1
    decided: str  # what `score` is: "rerank_score", "fused", or how the two were blended
    folded: tuple[Similar, ...] = ()  # results that repeat this one, best first
    dated: float | None = None  # when the content was made, else when the file was modified, seconds since the epoch
    ranks: Mapping[str, int] = field(default_factory=dict)  # by stage, "fused" and "reranked": rank from 1
    inner: str = ""  # which file inside the document `locator`, `best` and `members` are of; "": the document itself
