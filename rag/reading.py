"""What the write path knows of a document before its passages are embedded: its caption, and the words in its pictures.

Knows companions, OCR and its cache; knows no model.
"""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.clues import embedded_clues
from rag.corpus import CAPTION_BYTES, Found, Root, composed
from rag.errors import UnreadableDocument
from rag.index.writer import Writer
from rag.loaders.encoding import decoded
from rag.opening import Policy
from rag.reports import Tally
from rag.suffixes import PICTURE_SUFFIXES
from rag.types import Content, Document, DocumentId, Dropped, Modality, Passage, Skipped

if TYPE_CHECKING:
    from rag.types import Pixels


def describe(root: Root, found: Found, writer: Writer, policy: Policy, tally: Tally) -> Document:
    """The document a walk found, with its caption: the text beside it, and the alt texts other documents show it with."""
    file = root.folder / found.path
    companions = tuple(file.parent / name for name in found.companions)
    caption = ""
    if "caption" in policy.clues and _suffix(found.path) in PICTURE_SUFFIXES:
        said = [_said_beside(root, found, companion, tally) for companion in companions]
        said += writer.captions_for(root.name, composed(found.path))
        caption = "\n".join(dict.fromkeys(text for text in said if text))
    return Document(DocumentId(root.name, found.path), file, found.stamp, found.modified, companions, caption)


def _said_beside(root: Root, found: Found, companion: Path, tally: Tally) -> str:
    """The text of a caption file; one that cannot be read is reported, and the picture goes without."""
    try:
        with companion.open("rb") as stream:
            return decoded(stream.read(2 * CAPTION_BYTES)).strip()
    except (UnreadableDocument, OSError) as error:
        reason = error.what if isinstance(error, UnreadableDocument) else f"cannot be opened: {error.strerror}"
        path = (PurePosixPath(found.path).parent / companion.name).as_posix()
        tally.skipped.append(Skipped(DocumentId(root.name, path), f"as a caption: {reason}"))
        return ""


def with_words(passage: Passage, content: Content, writer: Writer, policy: Policy) -> tuple[Passage, Content]:
    """Adds what OCR reads in a picture; what a page says in its text layer is not read again."""
    if content.modality == "text":
        return passage, content
    wanted = policy.ocr == "always" or (policy.ocr == "auto" and not (passage.kind == "page" and passage.text))
    if wanted and "ocr" in policy.clues:
        seen = "\n".join(filter(None, (_recognised(pixels, writer) for pixels in content.pixels)))
        passage = replace(passage, text="\n".join(part for part in (passage.text, seen) if part))
    return passage, replace(content, clues=embedded_clues(passage, policy.clues))


def shown_to(modalities: frozenset[Modality], content: Content) -> Content | Dropped:
    """The content as a model of these modalities can take it: a picture, for one that only reads, is the words known about it."""
    if content.modality in modalities:
        return content
    if content.clues:
        return Content("text", text=content.clues)
    return Dropped("a picture without words, for a model that only reads")


def _recognised(pixels: Pixels, writer: Writer) -> str:
    from rag.loaders.ocr import ENGINE, recognise

    key = blake2b(ENGINE.encode() + repr(pixels.shape).encode() + pixels.tobytes(), digest_size=16).digest()
    words = writer.recognised(key)
    if words is None:
        words = recognise(pixels, threads=os.cpu_count() or 1).text
        writer.put_recognised(key, words)
    return words


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
