"""Rich text (.rtf) to text: paragraphs, headings, tables, notes and comments, headers and footers, text boxes.

Knows files; rtf_tokens.py cuts them into words and bytes, rtf_reader.py writes blocks. Linear in the size of the file. (striprtf
drops footnotes, comments, headers and text boxes, keeps deleted text, and is quadratic in links.)
"""

from __future__ import annotations

from pathlib import Path

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.rtf_reader import Reader
from rag.loaders.office.rtf_tokens import tokens
from rag.loaders.text.chunking import Heading, Rendering


def rendered(file: Path, limits: Limits) -> Rendering:
    """The document's text, a blank line between paragraphs. UnreadableDocument where it is too large or damaged."""
    try:
        size = file.stat().st_size
        if size > (most := 20 * limits.max_text_bytes):
            raise UnreadableDocument(f"has {size:,} bytes; the limit for rich text is 20 times max_text_bytes, {most:,}")
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
    reader = Reader()
    for word, number, raw in tokens(content):
        reader.take(word, number, raw)
    reader.end()
    lines: list[str] = []
    headings: list[Heading] = []
    length = 0
    for level, text in reader.blocks():
        if level > 0:
            headings.append(Heading(length, level, text))
            text = "#" * level + " " + text
        elif level < 0:
            headings.append(Heading(length, 1, "Header and footer", lines=0))
        lines.append(text + "\n\n")
        length += len(text) + 2
    if length > limits.max_text_bytes:
        raise UnreadableDocument(f"contains more text than the limit max_text_bytes ({limits.max_text_bytes:,})")
    title = reader.title or next((heading.title for heading in headings if heading.level == 1 and heading.lines), "")
    return Rendering("".join(lines), tuple(headings), title)
