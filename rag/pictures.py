"""Query pictures: a file, or the frame of a video at a second, as content for a model.

Knows the loaders; knows no index and no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import UnreadableDocument, WrongRequest
from rag.loaders import LOADERS
from rag.loaders.base import Limits, Loader
from rag.loaders.detect import loader_name
from rag.opening import Policy
from rag.tables import resolve
from rag.types import Content, Document, DocumentId, Hit, Passage, Seconds, Whole

if TYPE_CHECKING:
    from rag.types import Pixels


def query_picture(file: Path, policy: Policy) -> Content:
    """The picture in `file`, with the words in it as clues. WrongRequest where it is no picture."""
    document = Document(DocumentId("query", file.name), file.absolute())
    return _read(document, Passage(document.id, 0, Whole(), "image", "image"), "picture", policy)


def query_frame(asked: str, policy: Policy) -> Content:
    """The frame that `FILE@SECONDS` means; without seconds the first one."""
    name, _, seconds = asked.rpartition("@") if "@" in asked else (asked, "", "0")
    try:
        at = float(seconds)
    except ValueError as error:
        raise WrongRequest(f"not a moment: {asked!r}", remedy="write FILE@SECONDS, such as talk.mp4@12.5") from error
    file = Path(name)
    document = Document(DocumentId("query", file.name), file.absolute())
    return _read(document, Passage(document.id, 0, Seconds(at, at), "frame", "image"), "video", policy)


def _read(document: Document, passage: Passage, family: str, policy: Policy) -> Content:
    try:
        found = loader_name(document.file, policy.limits)
        if found != family:
            raise WrongRequest(f"{document.file} is no {family}", remedy="ask with --image for a picture, --video for a video")
        loader: Loader = resolve(LOADERS, family, "loader")()
        contents: Sequence[object] = list(loader.read(document, [passage], policy.limits))
    except (UnreadableDocument, OSError) as error:
        reason = error.what if isinstance(error, UnreadableDocument) else f"cannot be opened: {error.strerror}"
        raise WrongRequest(f"{document.file} {reason}", remedy="ask with another picture") from error
    content = contents[0]
    if not isinstance(content, Content):
        raise WrongRequest(f"{document.file} has no picture there", remedy="ask with another moment")
    return Content("image", pixels=content.pixels, clues=_words(content, policy))


def _words(content: Content, policy: Policy) -> str:
    if policy.ocr == "never" or "ocr" not in policy.clues:
        return ""
    from rag.loaders.ocr import recognise

    return "\n".join(recognise(pixels).text for pixels in content.pixels)


def hit_pixels(hit: Hit) -> Pixels | None:
    """The picture a hit was found by, or None where its file cannot be read any more."""
    document = Document(DocumentId(hit.root, hit.document), Path(hit.path))
    try:
        loader: Loader = resolve(LOADERS, loader_name(document.file, Limits()), "loader")()
        passage = Passage(document.id, 0, hit.best, hit.kind, hit.modality)
        contents = [one for one in loader.read(document, [passage], Limits()) if isinstance(one, Content)]
    except (UnreadableDocument, OSError):
        return None
    return contents[0].pixels[0] if contents and contents[0].pixels else None
