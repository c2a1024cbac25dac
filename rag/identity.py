"""What makes two things the same: a document by its bytes, a content by what the model is shown.

Knows bytes and nouns; knows no format, no model and no index.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import astuple
from hashlib import blake2b

from rag.types import Clue, Content, Document, Fingerprint


def content_key(content: Content, fingerprint: Fingerprint, *, clues: str) -> bytes:
    """16 bytes that two contents share exactly when the model would be shown the same thing."""
    digest = blake2b(digest_size=16)
    for part in (*astuple(fingerprint), content.modality, content.text, clues):
        encoded = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    for pixels in content.pixels:
        digest.update(repr(pixels.shape).encode())
        digest.update(pixels.tobytes())
    return digest.digest()


def content_digest(document: Document) -> bytes:
    """32 bytes for what a document's passages depend on: its bytes, those of its companions, and its caption.

    OSError where a file cannot be read.
    """
    digest = blake2b(digest_size=32)
    for file in (document.file, *document.companions):
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        digest.update(b"\0companion\0")
    digest.update(document.caption.encode("utf-8", "surrogatepass"))
    return digest.digest()


def reading_key(limits: object, ocr: str, clues: frozenset[Clue]) -> str:
    """Twelve characters for how documents are read: passages read otherwise cannot be taken over."""
    rules: tuple[Hashable, ...] = (repr(limits), ocr, tuple(sorted(clues)))
    return blake2b(repr(rules).encode(), digest_size=6).hexdigest()
