"""The parts of a zipped XML package, read as a stream, and the relationships between them.

Knows parts, XML events and relationships; knows no document format. Markup is not text: a part may have twenty times the bytes
that a document may have of text, and none of it is held in memory whole unless `tree` is asked for.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.dialects import in_common_dialect
from rag.loaders.office.safe_zip import DAMAGED_ZIP, damaged_zip, first_line, opened_zip, refuse_bombs, refuse_entities

_MARKUP = 20  # bytes of markup for each byte of text that the limit allows: 5 to 30 in documents, 1,000 in an empty table
_CHUNK = 1 << 18  # bytes

Events = Iterator[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part refers to."""

    id: str
    kind: str  # the last step of its type: "image", "comments"
    target: str  # name of a part; "" where it is outside the package


class Package:
    """An opened package. Part names are matched as Office matches them: whatever their case and slashes."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self.limits = limits
        members = [member for member in archive.infolist() if not member.is_dir()]
        self._exact = {member.filename: member for member in members}
        self._members = {_plain(member.filename): member for member in members}

    @property
    def names(self) -> Iterable[str]:
        """The names of all parts, in lower case."""
        return self._members.keys()

    def __contains__(self, part: str) -> bool:
        return self._member(part) is not None

    def _member(self, part: str) -> zipfile.ZipInfo | None:
        return self._exact.get(part) or self._members.get(_plain(part))

    def chunks(self, part: str) -> Iterator[bytes]:
        """The XML of a part, in the common dialect, no tag cut in two. UnreadableDocument where damaged or with entities."""
        member = self._member(part)
        if member is None:
            raise UnreadableDocument(f"is damaged: its part {part} is missing")
        held = b""
        try:
            with self._archive.open(member) as stream:
                while chunk := stream.read(_CHUNK):
                    begun = max(chunk.rfind(b"<"), 0)
                    ready, held = held + chunk[:begun], chunk[begun:]
                    refuse_entities(ready)
                    yield in_common_dialect(member.filename, ready)
        except DAMAGED_ZIP as error:
            raise damaged_zip(error) from error
        refuse_entities(held)
        yield in_common_dialect(member.filename, held)

    def events(self, part: str, events: tuple[str, ...], tags: tuple[str, ...]) -> Events:
        """What happens in a part while it is read; whoever takes an element may clear it."""
        return xml_events(self.chunks(part), events, tags)

    def tree(self, part: str) -> Any:
        """The root element of a part of at most `max_text_bytes`. UnreadableDocument where it is larger or damaged."""
        from lxml import etree

        self._refuse_large(part)
        try:
            parser = etree.XMLParser(
                resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
            )
            for chunk in self.chunks(part):
                parser.feed(chunk)
            return parser.close()
        except etree.LxmlError as error:
            raise damaged_part(part, error) from error

    def content(self, part: str) -> bytes:
        """The bytes of a part of at most `max_text_bytes`, as they are. UnreadableDocument where it is larger or damaged."""
        self._refuse_large(part)
        member = self._member(part)
        if member is None:
            raise UnreadableDocument(f"is damaged: its part {part} is missing")
        try:
            return self._archive.read(member)
        except DAMAGED_ZIP as error:
            raise damaged_zip(error) from error

    def _refuse_large(self, part: str) -> None:
        member = self._member(part)
        size, most = 0 if member is None else member.file_size, self.limits.max_text_bytes
        if size > most:
            raise UnreadableDocument(f"has a part ({part}) of {size:,} bytes; the limit max_text_bytes is {most:,}")

    def relations(self, part: str) -> list[Relation]:
        """What a part refers to; the package itself is "". Nothing where it refers to nothing, or its list is damaged."""
        folder, name = posixpath.split(part)
        listed = posixpath.join(folder, "_rels", f"{name}.rels")
        if listed not in self:
            return []
        try:
            found = list(self.tree(listed).iterfind("{*}Relationship"))
        except UnreadableDocument:
            return []
        return [
            Relation(
                one.get("Id", ""),
                one.get("Type", "").rpartition("/")[2],
                "" if one.get("TargetMode") == "External" else _target(folder, one.get("Target", "")),
            )
            for one in found
        ]

    def main_part(self, kinds: str, otherwise: str) -> str:
        """The part that holds the document: what the package refers to, else its usual name; "" where there is neither."""
        named = next((one.target for one in self.relations("") if one.kind == kinds and one.target in self), "")
        return named or (otherwise if otherwise in self else "")


@contextmanager
def opened_package(file: Path, limits: Limits) -> Iterator[Package]:
    """The package in a file. UnreadableDocument where it is a bomb, encrypted or damaged."""
    with ExitStack() as opened:
        try:
            archive = opened.enter_context(opened_zip(opened.enter_context(file.open("rb"))))
        except DAMAGED_ZIP as error:
            raise damaged_zip(error) from error
        refuse_bombs(archive.infolist(), _MARKUP * limits.max_text_bytes, f"markup; the limit is {_MARKUP} times max_text_bytes,")
        yield Package(archive, limits)


def xml_events(chunks: Iterable[bytes], events: tuple[str, ...], tags: tuple[str, ...]) -> Events:
    """What happens in a stream of XML. Raises what lxml raises; the events before the fault come first."""
    from lxml import etree

    parser = etree.XMLPullParser(
        events, tag=tags, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    for chunk in chunks:
        try:
            parser.feed(chunk)
        finally:
            yield from parser.read_events()
    parser.close()
    yield from parser.read_events()


def free(element: Any) -> None:
    """Empties an element that was taken, and removes all that came before it."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def damaged_part(part: str, error: BaseException) -> UnreadableDocument:
    """The reason for XML that cannot be parsed."""
    return UnreadableDocument(f"is damaged: {first_line(error)} in its part {part}")


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _target(folder: str, target: str) -> str:
    target = unquote(target.replace("\\", "/"))
    return posixpath.normpath(target if target.startswith("/") else posixpath.join(folder, target)).lstrip("/")
