"""Query pictures: a file, or the frame of a video at a second, as content for a model.

Knows the loaders; knows no index and no model.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.corpus.digests import pixels_digest
from rag.errors import TooLarge, UnreadableDocument, WrongRequest
from rag.index.locations import expand_home
from rag.loaders import LOADERS
from rag.loaders.base import Limits, Loader
from rag.loaders.detect import loader_name
from rag.loaders.policy import ReadingPolicy
from rag.plugins import resolve
from rag.types import Content, Document, DocumentId, Kind, Passage, Seconds, Whole

if TYPE_CHECKING:
    from rag.types import Pixels

_MOMENT = re.compile(r"(?:\d+:)?(?:\d+:)?\d+(?:\.\d*)?", re.ASCII)

QUERY_PIXELS = 50_000_000  # of a query picture that came as bytes: decoded it takes 150 MB, or 200 with transparency
REMEMBERED = 64  # query pictures whose words are kept
_READ: dict[bytes, str] = {}  # by the digest of the pixels; the oldest goes first
_ONE_DECODES = threading.Lock()  # many strangers' pictures at once must not fill the memory
MODEL_INPUT = ReadingPolicy(Limits(), "never", frozenset())
MOST_FRAMES, FEWEST_FRAMES, VIDEO_PIXELS = 64, 4, 7_864_320  # of one video input of Qwen3-VL-Embedding


def query_picture(file: Path, policy: ReadingPolicy) -> Content:
    """The picture in `file`, with the words in it as clues. WrongRequest where it is no picture."""
    document = Document(DocumentId("query", file.name), file.absolute())
    return _read(document, Passage(document.id, 0, Whole(), "image", "image"), "picture", policy)


def query_picture_bytes(data: bytes, policy: ReadingPolicy) -> Content:
    """The picture that `data` is a file of. WrongRequest where it is no picture, TooLarge above QUERY_PIXELS."""
    from rag.loaders.picture.open_image import open_picture

    with tempfile.TemporaryDirectory(prefix="rag-query-") as folder, _ONE_DECODES:
        file = Path(folder) / "picture"
        file.write_bytes(data)
        try:
            if loader_name(file, policy.limits) != "picture":
                raise UnreadableDocument("is no picture")
            with open_picture(file, replace(policy.limits, max_source_pixels=1 << 62)) as image:
                width, height = image.size
        except UnreadableDocument as error:
            raise WrongRequest(
                f"the query picture {error.what}", remedy="ask with --image for a picture, --video for a video"
            ) from error
        most = min(QUERY_PIXELS, policy.limits.max_source_pixels)
        if width * height > most:
            what = f"the query picture is {width:,} × {height:,} pixels; the limit is {most:,}"
            raise TooLarge(what, remedy="make it smaller; 2,000 pixels a side show everything a model sees")
        try:
            seen = query_picture(file, replace(policy, ocr="never"))
        except WrongRequest as error:
            raise WrongRequest(error.what.replace(str(file), "the query picture"), error.remedy) from error
    return replace(seen, clues=_words(seen, policy))  # nobody's decoding waits for the reading, which takes seconds


def query_frame(asked: str, policy: ReadingPolicy) -> Content:
    """The frame that `FILE@SECONDS` means; without seconds the first one. WrongRequest for a moment that the video has not."""
    name, _, moment = asked.rpartition("@") if "@" in asked and not Path(asked).is_file() else (asked, "", "0")
    at = _seconds(moment)
    if at is None:
        raise WrongRequest(f"not a moment: {asked!r}", remedy="write FILE@SECONDS, such as talk.mp4@12.5 or talk.mp4@1:05")
    file = expand_home(name)
    document = Document(DocumentId("query", file.name), file.absolute())
    shown = _read(document, Passage(document.id, 0, Seconds(at, at), "frame", "image"), "video", policy)
    if at > (end := _end_of(document.file, policy.limits)):
        raise WrongRequest(f"{file} has no moment {moment}: it ends at {end:.1f} s", remedy="ask with an earlier one")
    return shown


def _seconds(moment: str) -> float | None:
    """Seconds of `75.5`, `1:15.5` or `0:01:15`, as hits show them; None for anything else."""
    if not _MOMENT.fullmatch(moment):
        return None
    seconds = 0.0
    for part in moment.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _end_of(file: Path, limits: Limits) -> float:
    """Seconds until the end of a video that was read before."""
    from rag.loaders.video.frames import timeline_of

    return timeline_of(file, limits).end


def _read(document: Document, passage: Passage, family: str, policy: ReadingPolicy) -> Content:
    _require_file(document.file)
    try:
        found = loader_name(document.file, policy.limits)
        if found != family:
            raise WrongRequest(f"{document.file} is no {family}", remedy="ask with --image for a picture, --video for a video")
        loader: Loader = resolve(LOADERS, family, "loader")()
        contents: Sequence[object] = list(loader.read(document, [passage], policy.limits))
    except (UnreadableDocument, OSError) as error:
        reason = error.what if isinstance(error, UnreadableDocument) else f"cannot be opened: {error.strerror}"
        raise WrongRequest(f"{document.file} {reason}", remedy="give another picture") from error
    content = contents[0]
    if not isinstance(content, Content):
        raise WrongRequest(f"{document.file} has no picture there", remedy="ask with another moment")
    return Content("image", pixels=content.pixels, clues=_words(content, policy))


def _require_file(file: Path) -> None:
    """WrongRequest for a pipe, which nobody may ever write to. What is not there at all is said where it is opened."""
    if file.is_fifo() or file.is_socket():
        raise WrongRequest(f"{file} is a pipe, not a file", remedy="save it to a file first")


def _words(content: Content, policy: ReadingPolicy) -> str:
    if policy.ocr == "never" or "ocr" not in policy.clues:
        return ""
    return "\n".join(_words_in(pixels) for pixels in content.pixels)


def _words_in(pixels: Pixels) -> str:
    """What is written there; the same picture is asked with again and again, with other filters and for more hits."""
    from rag.loaders.picture.ocr import recognise

    seen = pixels_digest(pixels)
    if seen not in _READ:
        words = recognise(pixels).text
        while len(_READ) >= REMEMBERED:
            _READ.pop(next(iter(_READ)), None)
        _READ[seen] = words
        return words
    return _READ[seen]


def model_input(text: str, image: str, video: str) -> Content:
    """Words, a picture file and a video file as one input of a model; a video as a frame a second, at least 4 and at most 64.

    WrongRequest where a file is not what it is given as, or nothing is given at all.
    """
    shown: tuple[Pixels, ...] = ()
    if image:
        shown = _read(*_whole(Path(image), "image"), "picture", MODEL_INPUT).pixels
    if video:
        shown += _frames(Path(video))
    return Content("video" if video else "image" if image else "text", text=text, pixels=shown)


def _whole(file: Path, kind: Kind) -> tuple[Document, Passage]:
    document = Document(DocumentId("input", file.name), file.absolute())
    return document, Passage(document.id, 0, Whole(), kind, "image")


def _frames(file: Path) -> tuple[Pixels, ...]:
    """One frame a second, at least 4 and at most 64 evenly spaced ones (MOST_FRAMES), as the reference code samples."""
    import numpy as np

    from rag.loaders.video.decoders import FrameDamaged, open_decoder
    from rag.loaders.video.frames import timeline_of

    _require_file(file)
    try:
        if loader_name(file, Limits()) != "video":
            raise WrongRequest(f"{file} is no video", remedy="give a picture with --image, a video with --video")
        timeline = timeline_of(file, Limits())
        count = min(MOST_FRAMES, max(FEWEST_FRAMES, int(timeline.end)), len(timeline.times))
        indices = np.linspace(0, len(timeline.times) - 1, count).round().astype(int)
        with open_decoder(file, timeline, VIDEO_PIXELS // count) as decoder:
            return tuple(decoder.frame(int(index)) for index in indices)
    except (UnreadableDocument, FrameDamaged, OSError) as error:
        raise WrongRequest(f"{file} {error}", remedy="give another video") from error
