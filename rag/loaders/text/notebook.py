"""Jupyter notebooks: cells in order, Markdown as it is, code as it is, outputs where they are text.

Knows the nbformat JSON (versions 3 and 4), parsed directly: it needs no schema. Lines count in the rendered text: the
cells' sources and text outputs, one blank line between them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.text.chunking import LINED, Heading, Rendering, passages_of
from rag.loaders.text.encoding import decoded, read_bytes
from rag.loaders.text.markdown import captions_of, moved, pictures_shown
from rag.loaders.text.markdown import rendered as markdown_rendered
from rag.loaders.text.passage_content import text_content
from rag.types import CaptionOf, Content, Document, Passage

_MAX_VALUES = 4_000_000  # brackets and strings: each costs Python 50 to 100 bytes
_MAX_OUTPUT = 4_000  # characters kept of one output: the start of a training log says enough


class NotebookLoader:
    """Spans under the headings of the Markdown cells."""

    version = 3

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        yield from passages_of(document.id, rendered(read_bytes(document.file, limits)), limits, LINED)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return map(text_content, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        yield from captions_of(document.id, rendered(read_bytes(document.file, limits)).shows)


def rendered(raw: bytes) -> Rendering:
    """The notebook as one text. UnreadableDocument where it is not a notebook."""
    text = ""
    parts: list[str] = []
    length = 0
    headings: list[Heading] = []
    shows: list[tuple[str, str]] = []
    for cell in cells(raw):
        source = joined(cell.get("source", cell.get("input"))).strip("\n")
        if cell.get("cell_type") in ("markdown", "heading"):
            if cell["cell_type"] == "heading":
                source = "#" * int(cell.get("level") or 1) + " " + source
            headings += moved(markdown_rendered(source), length)
            shows += pictures_shown(source)
            texts = [source]
        else:
            texts = [source, *_outputs(cell)]
        for text in texts:
            if text.strip():
                parts.append(text + "\n\n")
                length += len(text) + 2
    title = next((heading.title for heading in headings if heading.level == 1), headings[0].title if headings else "")
    return Rendering("".join(parts), tuple(headings), title, tuple(shows))


def cells(raw: bytes) -> Iterator[dict[str, Any]]:
    """The cells of a notebook, in order. UnreadableDocument where it is not one."""
    text = decoded(raw)
    if text.count("[") + text.count("{") + text.count('"') // 2 > _MAX_VALUES:
        raise UnreadableDocument(f"is a notebook of more than {_MAX_VALUES:,} values")
    try:
        notebook = json.loads(text)
    except RecursionError as error:
        raise UnreadableDocument("is not a notebook: its values are nested too deeply") from error
    except ValueError as error:
        raise UnreadableDocument(f"is not a notebook: {error}") from error
    if not isinstance(notebook, dict):
        raise UnreadableDocument("is not a notebook: its top level is not an object")
    sheets = notebook.get("worksheets")  # nbformat 3 kept the cells one level deeper
    holders = [notebook, *(sheets if isinstance(sheets, list) else [])]
    lists = [holder["cells"] for holder in holders if isinstance(holder, dict) and isinstance(holder.get("cells"), list)]
    if not lists:
        raise UnreadableDocument("is not a notebook: it has no cells")
    for cells in lists:
        yield from (cell for cell in cells if isinstance(cell, dict))


def _outputs(cell: dict[str, Any]) -> Iterator[str]:
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, dict):
            bundle = output.get("data")
            shown = bundle.get("text/plain") if isinstance(bundle, dict) else output.get("text")
            failed = f"{output['ename']}: {output.get('evalue', '')}" if isinstance(output.get("ename"), str) else ""
            yield (joined(shown) or failed)[:_MAX_OUTPUT].strip("\n")


def joined(value: object) -> str:
    """A multi-line string of nbformat: a string, or a list of them."""
    parts = value if isinstance(value, list) else [value]
    return "".join(part for part in parts if isinstance(part, str)).replace("\r\n", "\n").replace("\r", "\n")
