"""The parts of an OpenDocument file, as flows: its body, its page styles, its title, its embedded objects.

Knows packages (.odt) and flat files (.fodt); knows no kind of document.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.odf_flow import Event, Paragraph, Said, Start, flow
from rag.loaders.office.package import Package
from rag.loaders.office.safe_zip import refuse_entities

_KINDS = ("text", "spreadsheet", "presentation", "graphics", "drawing", "chart")  # the last step of a media type
_CHUNK = 1 << 18
_HIDING = {
    "style:drawing-page-properties": ("presentation:visibility", "hidden"),
    "style:table-properties": ("table:display", "false"),
}


class Parts:
    """Gives the flows of a package."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.hidden: set[str] = set()  # styles of hidden pages and sheets, as far as the body was read

    def kind(self) -> str:
        """ "text", "spreadsheet", "presentation", …. UnreadableDocument where it is encrypted."""
        if "META-INF/manifest.xml" in self._package:
            for event in flow(self._package.chunks("META-INF/manifest.xml"), "META-INF/manifest.xml"):
                if isinstance(event, Start) and event.name == "manifest:encryption-data":
                    raise UnreadableDocument("is encrypted; save it without a password")
        written = self._package.content("mimetype").decode("ascii", "replace") if "mimetype" in self._package else ""
        return kind_of(written)

    def body(self) -> Iterator[Event]:
        """The flow of the content; what hides pages and sheets is remembered in `hidden`."""
        return self._watched(flow(self._package.chunks("content.xml"), "content.xml"))

    def styles(self) -> Iterator[Event]:
        """The flow of the page styles, with the texts of headers and footers."""
        return flow(self._package.chunks("styles.xml"), "styles.xml") if "styles.xml" in self._package else iter(())

    def list_styles(self) -> Iterator[Event]:
        """A flow with the list styles that do not stand in the body."""
        return self.styles()

    def title(self) -> str:
        """The title that the document gives itself."""
        return _title(flow(self._package.chunks("meta.xml"), "meta.xml")) if "meta.xml" in self._package else ""

    def embedded(self, target: str) -> Iterator[Event]:
        """The flow of an embedded object."""
        part = posixpath.join(posixpath.normpath(target.lstrip("./")), "content.xml")
        return flow(self._package.chunks(part), part) if target and part in self._package else iter(())

    def _watched(self, events: Iterator[Event]) -> Iterator[Event]:
        style = ""
        for event in events:
            if isinstance(event, Start) and event.name == "style:style":
                style = event.attributes.get("style:name", "")
            elif isinstance(event, Start) and event.name in _HIDING:
                attribute, value = _HIDING[event.name]
                if event.attributes.get(attribute) == value:
                    self.hidden.add(style)
            yield event


class FlatParts(Parts):
    """Gives the flows of a flat file, in which all parts are one."""

    def __init__(self, file: Path, limits: Limits) -> None:
        self._file, self._limits = file, limits
        self.hidden = set()

    def kind(self) -> str:
        """As `Parts.kind`, from the head of the file."""
        with self._file.open("rb") as stream:
            head = stream.read(_CHUNK)
        at = head.find(b"mimetype=")
        return kind_of(head[at + 10 : at + 100].decode("ascii", "replace").partition('"')[0]) if at >= 0 else ""

    def body(self) -> Iterator[Event]:
        """The flow of the file without its page styles."""
        inside = 0
        for event in self._watched(flow(self._chunks(), self._file.name)):
            if getattr(event, "name", "") == "style:master-page":
                inside += 1 if isinstance(event, Start) else -1
            elif not inside:
                yield event

    def styles(self) -> Iterator[Event]:
        """The flow of the page styles alone."""
        inside = 0
        for event in flow(self._chunks(), self._file.name):
            if getattr(event, "name", "") == "style:master-page":
                inside += 1 if isinstance(event, Start) else -1
                yield event
            elif inside:
                yield event

    def list_styles(self) -> Iterator[Event]:
        """Nothing: they stand before the body, in its flow."""
        return iter(())

    def title(self) -> str:
        """The title that the file gives itself."""
        return _title(flow(self._chunks(), self._file.name))

    def embedded(self, target: str) -> Iterator[Event]:
        """Nothing: embedded objects stand in the body of a flat file."""
        return iter(())  # its paragraphs are in the flow of the body

    def _chunks(self) -> Iterator[bytes]:
        read, most = 0, 20 * self._limits.max_text_bytes
        try:
            with self._file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    read += len(chunk)
                    if read > most:
                        raise UnreadableDocument(f"has more than {most:,} bytes of markup; the limit is 20 times max_text_bytes")
                    refuse_entities(chunk)
                    yield chunk
        except OSError as error:
            raise UnreadableDocument(f"cannot be opened: {error.strerror}") from error


def kind_of(media_type: str) -> str:
    """The kind of document of "application/vnd.oasis.opendocument.text-template" or "application/vnd.sun.xml.writer"."""
    last = media_type.strip().rpartition(".")[2].partition("-")[0]
    return {"writer": "text", "calc": "spreadsheet", "impress": "presentation", "draw": "graphics"}.get(last, last)


def _title(events: Iterator[Event]) -> str:
    try:
        for event in events:
            if isinstance(event, Said) and event.name == "dc:title":
                return event.text
            if isinstance(event, Paragraph):  # behind the properties of a flat file
                break
    except UnreadableDocument:
        pass  # a document without a title
    return ""
