"""Runs one job in this process: the same function serves the workers and reading without them.

Knows loaders and OCR; knows no process and no index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.backends.downsample import thin
from rag.corpus.digests import content_digest, is_file_stamp, pixels_digest, stamp_of
from rag.corpus.file_types import CAPTION_SUFFIXES, PACKED_SUFFIXES, suffix_of
from rag.decoding.messages import (
    Answer,
    Call,
    Done,
    Failed,
    Identified,
    Identify,
    Job,
    ListPassages,
    PassageRead,
    RangeFound,
    ReadAll,
    ReadRange,
    Rejected,
    Returned,
    Rules,
)
from rag.errors import UnreadableDocument, WrongRequest
from rag.loaders import LOADERS, programs
from rag.loaders.base import STRETCH, Limits
from rag.loaders.detect import loader_name, suffixes
from rag.loaders.inside.reader import WithInside, loader_of, reading_of
from rag.loaders.programs import version_here
from rag.loaders.unpacked import unpacked
from rag.plugins import resolve
from rag.types import Content, Document, DocumentId, Skipped

if TYPE_CHECKING:
    from rag.loaders.base import Loader
    from rag.types import Dropped, Passage, Pixels, Skipped

BY_PLACE = frozenset({"pdf", "djvu", "picture", "video"})  # loaders that reach a passage without those before it
LIGHT = frozenset({"text", "markdown", "code", "notebook"})  # loaders that are plain Python
LIGHT_BYTES = 500_000  # of a file

KnownOcr = Callable[[bytes], str | None]  # the words in the picture of a digest, where somebody looked already


def perform(job: Job, known: KnownOcr) -> Iterator[Answer]:
    """The answers to a job, as they come; an unreadable file is an answer too."""
    if not programs.is_lent():
        programs.lend(own_programs())
    try:
        with unpacked(_file_of(job), _limits_of(job)) as file:
            yield from _answers(job if file is _file_of(job) else _inside(job, file), known, job)
    except UnreadableDocument as error:
        yield Failed(error.what, passing=_is_the_systems(error.__cause__))
    except MemoryError:
        yield Failed("needs more memory than a reader is given (--max-memory)", short=True)
    except OSError as error:
        yield Failed(f"cannot be opened: {error.strerror}", passing=_is_the_systems(error))
    except WrongRequest as error:
        yield Rejected(error.what, error.remedy)


def own_programs() -> programs.Runner:
    """Without workers, the programs that read files are confined all the same."""
    from rag.decoding.pool import LIMITS, MEMORY
    from rag.decoding.program_process import OwnPrograms

    return OwnPrograms(MEMORY // 2, LIMITS)


def _answers(job: Job, known: KnownOcr, asked: Job) -> Iterator[Answer]:
    """The answers to `job`, as those to the job `asked`: the two differ where its file is packed."""
    if isinstance(job, Call):
        yield Returned(*resolve({}, job.function, "function")(job.file, **job.details))
        return
    assert not isinstance(asked, Call)
    if isinstance(job, Identify):
        yield _identity(job, asked.document)
        return
    loader = loader_of(job.loader)
    found: Iterable[PassageRead | RangeFound]
    if isinstance(job, ReadRange):
        found = _read(job, loader, job.passages, known)
    elif isinstance(job, ListPassages):
        found = map(PassageRead, list(loader.split(job.document, job.rules.limits)))
    else:
        found = _read_or_share(job, loader, known)
    yield from found if job is asked else (_of(asked.document.id, one) for one in found)
    yield Done(_is_changed(asked.document))


def _file_of(job: Job) -> Path:
    return job.file if isinstance(job, Call) else job.document.file


def _limits_of(job: Job) -> Limits:
    return Limits() if isinstance(job, Call) else job.rules.limits


def _inside(job: Job, file: Path) -> Job:
    """The job on the file inside a packed one. Others do not read parts of it meanwhile: each would unpack it again."""
    if isinstance(job, Call):
        return replace(job, file=file)
    own = job.document.id
    document = replace(job.document, id=DocumentId(own.root, f"{own.path.rpartition('/')[0]}/{file.name}".lstrip("/")), file=file)
    return replace(job, document=document, readers=1) if isinstance(job, ReadAll) else replace(job, document=document)


def _of(document: DocumentId, answer: PassageRead | RangeFound) -> PassageRead | RangeFound:
    """What was found in the file inside a packed one, as found in the packed one."""
    if isinstance(answer, RangeFound):
        return replace(answer, passages=tuple(replace(passage, document=document) for passage in answer.passages))
    outcome = answer.outcome
    if isinstance(outcome, Skipped):
        outcome = replace(outcome, document=document)
    return replace(answer, passage=replace(answer.passage, document=document), outcome=outcome)


def _is_the_systems(cause: BaseException | None) -> bool:
    """Whether the system is the cause (permissions, a broken disk) and not the file."""
    return isinstance(cause, OSError) and cause.errno is not None


def _identity(job: Identify, asked: Document) -> Identified:
    document, rules = job.document, job.rules
    name = loader_name(document.file, rules.limits)  # first: it refuses files too large to be read at all
    digest = content_digest(asked)
    loader: Loader = resolve(LOADERS, name, "loader")()
    suffix = PurePosixPath(document.id.path).suffix.lower()
    captions = tuple(loader.captions(document, rules.limits)) if rules.captions and suffix in CAPTION_SUFFIXES else ()
    # Some loaders go by the suffix: the same bytes are other passages under another one.
    version = version_here(name, loader.version, rules.seeing)
    reading = f"{name}{suffix}:{version}:{rules.key}{reading_of(name, rules.limits)}"
    return Identified(name, reading, digest, captions)


def _read_or_share(job: ReadAll, loader: Loader, known: KnownOcr) -> Iterator[PassageRead | RangeFound]:
    """Reads the document, or, where it is long and others may read it too, gives its stretches as they are found."""
    passages = loader.split(job.document, job.rules.limits)
    shared = job.readers > 1 and job.loader in BY_PLACE
    if isinstance(loader, WithInside) and not shared:
        yield from _recognised(job, loader.split_and_read(job.document, job.rules.limits), known)
        return
    first = list(islice(passages, STRETCH + 1)) if shared else list(passages)
    after = list(islice(passages, 1))
    if not after:
        yield from _read(job, loader, first, known)
        return
    for number, stretch in enumerate(stretches(chain(first, after, passages), job.readers), start=1):
        yield RangeFound(number, tuple(stretch))


def stretches(passages: Iterable[Passage], readers: int) -> Iterator[list[Passage]]:
    """Passages as lists that begin at multiples of `STRETCH` and hold at least two: longer ones later, where many came before.

    So the last to end is never far behind the others, and a document of thousands of pages is not opened hundreds of times.
    """
    held: list[Passage] = []
    begun = 0
    for passage in passages:
        held.append(passage)
        length = max(1, begun // (4 * readers) // STRETCH) * STRETCH
        if len(held) >= length + 2:  # what is left is more than one
            yield held[:length]
            begun += length
            held = held[length:]
    if held:
        yield held


def _is_changed(document: Document) -> bool:
    """Whether the file is not as the walk saw it. A copy of an object is of the version that its stamp names, and stays so."""
    own = document.stamp.partition("|")[0]
    try:
        return is_file_stamp(own) and stamp_of(document.file.stat()) != own
    except OSError:
        return True


def _read(job: ReadAll | ReadRange, loader: Loader, passages: Sequence[Passage], known: KnownOcr) -> Iterator[PassageRead]:
    contents = loader.read(job.document, passages, job.rules.limits)
    yield from _recognised(job, zip(passages, contents, strict=True), known)


def _recognised(
    job: ReadAll | ReadRange, read: Iterable[tuple[Passage, Content | Dropped | Skipped]], known: KnownOcr
) -> Iterator[PassageRead]:
    """Passages with their contents, and the words in their pictures."""
    for passage, content in read:
        if not isinstance(content, Content) or not content.pixels:
            yield PassageRead(passage, content)
            continue
        passage = _with_seen(passage, content, job.rules)
        digests = tuple(pixels_digest(pixels) for pixels in content.pixels)
        shown = replace(content, pixels=tuple(thin(pixels, job.rules.side) for pixels in content.pixels), layer=None)
        pictures = unread(content, job.rules)
        if not pictures:
            yield PassageRead(passage, shown, digests, (None,) * len(digests))
            continue
        words: list[str] = []
        fresh: list[tuple[bytes, str]] = []
        for pixels, plain, shown_digest in zip(pictures, content.pixels, digests, strict=True):
            digest = shown_digest if pixels is plain else pixels_digest(pixels)
            seen = known(digest)
            if seen is None:
                from rag.loaders.picture.ocr import recognise

                seen = recognise(pixels, threads=job.rules.threads).text
                fresh.append((digest, seen))
            words.append(seen)
        if content.layer:
            from rag.loaders.pdf.reread import combined

            text, words[0] = combined(passage.text, content.layer, words[0])
            passage = replace(passage, text=text)
        yield PassageRead(passage, shown, digests, tuple(words), tuple(fresh))


def _with_seen(passage: Passage, content: Content, rules: Rules) -> Passage:
    """The passage with words for what its photo shows, where they are wanted."""
    if not rules.seeing or passage.kind not in ("image", "frame"):  # pages and screenshots say in words what they are about
        return passage
    from rag.loaders.picture.seen import seen_words

    return replace(passage, context=replace(passage.context, seen=seen_words(content.pixels[0], rules.threads)))


def unread(content: Content, rules: Rules) -> tuple[Pixels, ...]:
    """The pictures OCR looks at, RGB (height, width, 3): a page with a trustworthy text layer is not read again."""
    layer = content.layer
    if rules.ocr == "never" or (rules.ocr == "auto" and layer is not None and layer.trust == "whole"):
        return ()
    return content.pixels if layer is None or layer.rest is None else (layer.rest,)


def is_light(job: Job) -> bool:
    """Whether a job is cheaper than sending it away and runs in pure Python, where a file can do no harm."""
    if isinstance(job, Call) or bytes_of(job) > LIGHT_BYTES or suffix_of(job.document.id.path) in PACKED_SUFFIXES:
        return False
    if isinstance(job, Identify):
        return not job.rules.captions or job.document.file.suffix.lower() not in suffixes("html")
    return job.loader in LIGHT


def bytes_of(job: Job) -> int:
    """Size in bytes of the job's file; 0 if unknown."""
    return job.size if isinstance(job, Call) else size_of(job.document)


def size_of(document: Document) -> int:
    """Size in bytes as the walk saw it; 0 if unknown."""
    return size_in(document.stamp)


def size_in(stamp: str) -> int:
    """Size in bytes, from a stamp."""
    length = stamp.partition(":")[0]
    return int(length) if length.isdigit() else 0
