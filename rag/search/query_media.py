"""Query pictures: a file, its bytes, or a frame of a video, as content for a model.

Knows the files and the pool that reads them; knows no index and no model.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rag.backends.media import MAX_FRAMES, MAX_VIDEO_PIXELS
from rag.decoding.messages import ReadRange, Rules
from rag.errors import TooLarge, UnreadableDocument, WrongRequest
from rag.index.locations import expand_home
from rag.loaders.base import Limits
from rag.loaders.policy import ReadingPolicy
from rag.types import Content, Document, DocumentId, Kind, Passage, Seconds, Whole

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool
    from rag.types import Pixels

_TIMESTAMP = re.compile(r"(?:\d+:)?(?:\d+:)?\d+(?:\.\d*)?", re.ASCII)
_USE_THE_OPTION = "use --image for a picture, --video for a video"

QUERY_PIXELS = 50_000_000  # of a query picture given as bytes: decoded it takes 150 MB, or 200 with transparency
MOST_REMEMBERED = 64  # query pictures whose text is cached
_TEXTS: dict[bytes, str] = {}  # by the digest of the pixels; the oldest goes first
MODEL_INPUT = ReadingPolicy(Limits(), "never", frozenset())
FEWEST_FRAMES = 4  # of one video input, as in the reference code


def query_picture(file: Path, policy: ReadingPolicy, pool: AskPool) -> Content:
    """The picture in `file`, with the text in it as clues. WrongRequest where it is not a picture."""
    document = Document(DocumentId("query", file.name), file.absolute())
    return _read(document, Passage(document.id, 0, Whole(), "image", "image"), "picture", policy, pool)


def query_picture_bytes(data: bytes, policy: ReadingPolicy, pool: AskPool) -> Content:
    """The picture whose file is `data`. WrongRequest where it is not a picture, TooLarge above QUERY_PIXELS."""
    with tempfile.TemporaryDirectory(prefix="rag-query-") as folder:
        file = Path(folder) / "picture"
        file.write_bytes(data)
        try:
            found, _ = pool.call("rag.loaders.questions:picture_size", file, {"limits": policy.limits}, size=len(data))
        except UnreadableDocument as error:
            raise WrongRequest(f"the query picture {error.what}", remedy=_USE_THE_OPTION) from error
        if found["family"] != "picture":
            raise WrongRequest("the query picture is not a picture", remedy=_USE_THE_OPTION)
        width, height, most = found["width"], found["height"], min(QUERY_PIXELS, policy.limits.max_source_pixels)
        if width * height > most:
            what = f"the query picture is {width:,} × {height:,} pixels; the limit is {most:,}"
            raise TooLarge(what, remedy="make it smaller; 2,000 pixels a side are enough")
        try:
            return query_picture(file, policy, pool)
        except WrongRequest as error:
            raise WrongRequest(error.what.replace(str(file), "the query picture"), error.remedy) from error


def query_frame(given: str, policy: ReadingPolicy, pool: AskPool) -> Content:
    """The frame at `FILE@SECONDS`; without seconds the first one. WrongRequest where there is none."""
    name, _, moment = given.rpartition("@") if "@" in given and not Path(given).is_file() else (given, "", "0")
    at = _seconds(moment)
    if at is None:
        raise WrongRequest(
            f"not a moment of a video: {given!r}", remedy="write FILE@SECONDS, such as talk.mp4@12.5 or talk.mp4@1:05"
        )
    file = expand_home(name)
    document = Document(DocumentId("query", file.name), file.absolute())
    shown = _read(document, Passage(document.id, 0, Seconds(at, at), "frame", "image"), "video", policy, pool)
    found, _ = pool.call("rag.loaders.questions:video_end", document.file, {"limits": policy.limits})
    if at > found["end"]:
        raise WrongRequest(f"{file} has no frame at {moment}: it ends at {found['end']:.1f} s", remedy="use an earlier moment")
    return shown


def model_input(text: str, image: str, video: str, pool: AskPool) -> Content:
    """Text, a picture file and a video file as one model input.

    A video becomes one frame per second, at least FEWEST_FRAMES and at most MAX_FRAMES. WrongRequest where a file cannot be
    read or is of another type.
    """
    shown: tuple[Pixels, ...] = ()
    if image:
        shown = _read(*_whole(Path(image), "image"), "picture", MODEL_INPUT, pool).pixels
    if video:
        shown += _frames(Path(video), pool)
    return Content("video" if video else "image" if image else "text", text=text, pixels=shown)


def _seconds(moment: str) -> float | None:
    """Seconds of `75.5`, `1:15.5` or `0:01:15`, as hits show them; None for anything else."""
    if not _TIMESTAMP.fullmatch(moment):
        return None
    seconds = 0.0
    for part in moment.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _read(document: Document, passage: Passage, family: str, policy: ReadingPolicy, pool: AskPool) -> Content:
    """The picture of a passage, in a file that must be of that family, with the text in it as clues. WrongRequest."""
    _require_family(document.file, family, policy.limits, pool)
    ocr = policy.ocr if "ocr" in policy.clues else "never"
    rules = Rules(policy.limits, ocr, captions=False, key="", threads=pool.count or 1)
    try:
        [part] = pool.read(ReadRange(document, rules, family, (passage,)), _TEXTS.get)
    except UnreadableDocument as error:
        raise WrongRequest(f"{document.file} {error.what}", remedy="use another picture") from error
    content = part.outcome
    if not isinstance(content, Content):
        raise WrongRequest(f"{document.file} has no picture there", remedy="use another moment")
    for digest, words in part.fresh:
        _remember(digest, words)
    return Content("image", pixels=content.pixels, clues="\n".join(words for words in part.words if words))


def _require_family(file: Path, family: str, limits: Limits, pool: AskPool) -> None:
    """WrongRequest for a file of another family, and for a pipe, from which nothing might ever come."""
    if file.is_fifo() or file.is_socket():
        raise WrongRequest(f"{file} is a pipe, not a file", remedy="save it to a file first")
    try:
        found, _ = pool.call("rag.loaders.questions:family", file, {"limits": limits})
    except UnreadableDocument as error:
        raise WrongRequest(f"{file} {error.what}", remedy=f"use another {family}") from error
    if found["family"] != family:
        raise WrongRequest(f"{file} is not a {family}", remedy=_USE_THE_OPTION)


def _remember(digest: bytes, words: str) -> None:
    """Caches the text of a query picture: the same one is used again, with other filters and for more hits."""
    while len(_TEXTS) >= MOST_REMEMBERED and digest not in _TEXTS:
        _TEXTS.pop(next(iter(_TEXTS)), None)
    _TEXTS[digest] = words


def _whole(file: Path, kind: Kind) -> tuple[Document, Passage]:
    document = Document(DocumentId("input", file.name), file.absolute())
    return document, Passage(document.id, 0, Whole(), kind, "image")


def _frames(file: Path, pool: AskPool) -> tuple[Pixels, ...]:
    """Frames of a video for a model: at most MAX_FRAMES, of at most MAX_VIDEO_PIXELS together."""
    _require_family(file, "video", Limits(), pool)
    sampling = {"limits": Limits(), "fewest": FEWEST_FRAMES, "most": MAX_FRAMES, "pixels": MAX_VIDEO_PIXELS}
    try:
        found, _ = pool.call("rag.loaders.questions:sampled_frames", file, sampling)
    except UnreadableDocument as error:
        raise WrongRequest(f"{file} {error.what}", remedy="use another video") from error
    return tuple(found["frames"])
