"""What the write path knows of a document before it is read: where it lies, and its caption.

Knows companions and what other documents say; knows no model and no process.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from rag.corpus.companions import CAPTION_BYTES
from rag.corpus.file_types import PICTURE_SUFFIXES
from rag.corpus.walk import Found, Root, composed
from rag.errors import UnreadableDocument
from rag.index.locations import Policy
from rag.index.writer.writer import Writer
from rag.indexing.report import Tally
from rag.loaders.text.encoding import decoded
from rag.types import Document, DocumentId, Skipped


def describe(root: Root, found: Found, writer: Writer, policy: Policy, tally: Tally) -> Document:
    """The document a walk found, with its caption: the text beside it, and the alt texts other documents show it with."""
    file = root.folder / found.path
    companions = tuple(file.parent / name for name in found.companions)
    caption = ""
    if "caption" in policy.clues and _suffix(found.path) in PICTURE_SUFFIXES:
        said = [_said_beside(root, found, companion, tally) for companion in companions]
        said += writer.pictures.captions_for(root.name, composed(found.path))
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


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
