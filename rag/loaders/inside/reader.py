"""Loads a document together with the files inside it: its own passages, then theirs, each with its path inside.

Knows loaders and the walk through files; knows no format. Files inside are opened once to be split and read, and again only where
some passages of a document are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import count, groupby

from rag.corpus.file_types import SHOWN_BY
from rag.errors import UnreadableDocument
from rag.loaders import LOADERS
from rag.loaders.base import STRETCH, Limits, Loader
from rag.loaders.inside import HOLDERS
from rag.loaders.inside.walk import Found, walk
from rag.loaders.text.passage_content import text_content
from rag.plugins import resolve
from rag.types import CaptionOf, Content, Document, Dropped, Passage, Skipped, Whole

Outcome = Content | Dropped | Skipped
_INSIDE = "inside it: "
_SMALL = "a picture in a document, less than 64 pixels high or wide"
_ORNAMENT = 64  # pixels: a picture in a document that is less high or wide is a bullet, a rule or an icon
_MOST_TEXT = 4  # times max_text_bytes: characters of all files inside a document, which are in memory until it is complete


def loader_of(name: str) -> Loader:
    """The loader of that name, which gives also what is inside its documents, where they can hold others."""
    own: Loader = resolve(LOADERS, name, "loader")()
    return WithInside(own, name) if name in HOLDERS else own


def reading_of(name: str, limits: Limits) -> str:
    """What the passages of a document depend on beside its loader, its bytes and other limits; "" where it holds no others."""
    if name not in HOLDERS or not limits.max_depth:
        return ""
    return f":{limits.max_depth}.{limits.max_members}.{limits.max_unpacked_bytes}"


class WithInside:
    """A loader, and the files inside its documents. What is not read of them is a passage without words: read, it is skipped."""

    def __init__(self, own: Loader, name: str) -> None:
        self._own, self._name = own, name
        self.version = own.version

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        ordinal = 0
        failed: UnreadableDocument | None = None
        try:
            for passage in self._own.split(document, limits):
                yield passage
                ordinal += 1
        except UnreadableDocument as error:
            if ordinal:
                raise
            failed = error
        for _, passages in self._inside(document, limits, ordinal, failed):
            yield from passages

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Outcome]:
        with closing(_Seeker(document, self._name, limits, passages)) as seeker:
            for (inner, textual), run in groupby(passages, key=_run):
                same = list(run)
                if not inner:
                    yield from self._own.read(document, same, limits)
                elif textual:
                    yield from map(_words_or_reason, same)
                elif (found := seeker.at(same[0])) is None:
                    yield from (Skipped(document.id, f"{_INSIDE}{inner}: is not there any more") for _ in same)
                else:
                    yield from _read(found, same, limits, alone=len(passages) == 1)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return self._own.captions(document, limits)

    def split_and_read(self, document: Document, limits: Limits) -> Iterator[tuple[Passage, Outcome]]:
        """What `split` and `read` give, in one pass: each file inside is opened once."""
        own: list[Passage] = []
        failed: UnreadableDocument | None = None
        try:
            own += self._own.split(document, limits)
        except UnreadableDocument as error:
            failed = error
        if own:
            yield from zip(own, self._own.read(document, own, limits), strict=True)
        for found, passages in self._inside(document, limits, len(own), failed):
            for textual, run in groupby(passages, key=lambda passage: passage.modality == "text"):
                same = list(run)
                if textual or found is None:
                    yield from zip(same, map(_words_or_reason, same), strict=True)
                else:
                    yield from zip(same, _read(found, same, limits, alone=False), strict=True)

    def _inside(
        self, document: Document, limits: Limits, first: int, failed: UnreadableDocument | None
    ) -> Iterator[tuple[Found | None, list[Passage]]]:
        """The passages of each file inside, with ordinals from `first`. `failed` is why the document itself could not be split.

        It is raised where nothing is inside either; a document that only holds others must hold one that can be read.
        """
        ordinals = count(first)
        left = _MOST_TEXT * limits.max_text_bytes
        holds, why = False, "holds no files"
        for found in walk(document, self._name, limits):
            split = zip(_split(found, limits), ordinals, strict=False)
            passages = [_moved(one, document, found, ordinal) for one, ordinal in split]
            holds, why = holds or not all(map(_is_reason, passages)), passages[0].caption if passages else why
            yield found, passages
            left -= sum(len(passage.text) for passage in passages)
            if left < 0:
                reason = f"what follows {found.inner} is not read: it holds more than {_MOST_TEXT} times max_text_bytes of text"
                yield None, [_reason(document, next(ordinals), found.inner, f"{_INSIDE}{reason}")]
                return
        if not first and not holds:
            raise failed or UnreadableDocument(why)
        if failed is not None:
            yield None, [_reason(document, next(ordinals), "…", f"what it says itself: {failed.what}")]


class _Seeker:
    """Finds the files inside a document that passages are of; in the order of the document, each is opened once."""

    def __init__(self, document: Document, loader: str, limits: Limits, passages: Sequence[Passage]) -> None:
        inner = {passage.inner for passage in passages if passage.modality != "text"}
        above = {path[:at] for path in inner for at, sign in enumerate(path) if sign == "/"}
        wanted = inner | above
        self._begin = partial(walk, document, loader, limits, wanted.__contains__)
        self._going: Iterator[Found] = iter(())
        self._at: Found | None = None

    def at(self, passage: Passage) -> Found | None:
        """The file that a passage is of, open; None where it is not there."""
        if self._at is not None and _is_of(passage, self._at):
            return self._at
        for _ in range(2):
            self._at = next((found for found in self._going if _is_of(passage, found)), None)
            if self._at is not None:
                return self._at
            self._going = self._begin()
        return None

    def close(self) -> None:
        """Lets go of what is open."""
        self._at, self._going = None, iter(())


def _run(passage: Passage) -> tuple[str, bool]:
    """Passages with the same value are read together: those of the document itself, and those of a file inside of one sort."""
    return passage.inner, bool(passage.inner) and passage.modality == "text"


def _is_of(passage: Passage, found: Found) -> bool:
    return found.inner == passage.inner and found.loader in SHOWN_BY.get(passage.kind, ())


def _split(found: Found, limits: Limits) -> Iterator[Passage]:
    """The passages of a file inside; what is damaged ends them, and is the last."""
    document = found.document
    if found.reason:
        yield _reason(document, 0, found.inner, found.reason)
        return
    loader: Loader = resolve(LOADERS, found.loader, "loader")()
    try:
        yield from loader.split(document, limits)
    except UnreadableDocument as error:
        yield _reason(document, 0, found.inner, error.what)
    except MemoryError:
        yield _reason(document, 0, found.inner, "needs more memory than a reader is given (--max-memory)")


def _moved(passage: Passage, document: Document, found: Found, ordinal: int) -> Passage:
    """A passage of a file inside as one of the document."""
    caption = passage.caption if found.reason or not _is_reason(passage) else f"{_INSIDE}{found.inner}: {passage.caption}"
    taken = passage.taken if passage.taken is not None or found.part is None else found.part.dated
    return replace(passage, document=document.id, ordinal=ordinal, inner=found.inner, caption=caption, taken=taken)


def _read(found: Found, passages: Sequence[Passage], limits: Limits, *, alone: bool) -> Iterator[Outcome]:
    """The contents of passages of one file inside, stretch by stretch as for the whole document."""
    for _, run in groupby(passages, key=lambda passage: passage.ordinal // STRETCH):
        same = list(run)
        for passage, outcome in zip(same, _read_stretch(found, same, limits), strict=True):
            ornament = found.part is not None and found.part.shown and passage.ordinal > 0 and not alone
            yield Dropped(_SMALL) if ornament and _is_small(outcome) else outcome


def _read_stretch(found: Found, passages: Sequence[Passage], limits: Limits) -> Iterator[Outcome]:
    loader: Loader = resolve(LOADERS, found.loader, "loader")()
    document = passages[0].document
    own = [replace(passage, document=found.document.id) for passage in passages]
    done = 0
    try:
        for outcome in loader.read(found.document, own, limits):
            done += 1
            if isinstance(outcome, Skipped):
                yield Skipped(document, f"{_INSIDE}{found.inner}: {outcome.reason}")
            else:
                yield outcome
        return
    except UnreadableDocument as error:
        reason = error.what
    except MemoryError:
        reason = "needs more memory than a reader is given (--max-memory)"
    for _ in passages[done:]:
        yield Skipped(document, f"{_INSIDE}{found.inner}: {reason}")


def _is_small(outcome: Outcome) -> bool:
    return isinstance(outcome, Content) and bool(outcome.pixels) and min(outcome.pixels[0].shape[:2]) < _ORNAMENT


def _reason(document: Document, ordinal: int, inner: str, reason: str) -> Passage:
    return Passage(document.id, ordinal, Whole(), "text", "text", caption=reason, inner=inner)


def _is_reason(passage: Passage) -> bool:
    return passage.modality == "text" and not passage.text


def _words_or_reason(passage: Passage) -> Content | Skipped:
    return Skipped(passage.document, passage.caption) if _is_reason(passage) else text_content(passage)
