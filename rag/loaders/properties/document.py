"""What PDFs, office documents and books say of themselves, and when they say they were made.

Knows the names of their fields; the loaders open the files. Whatever the fields hold, nothing is raised.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import UnreadableDocument
from rag.loaders.properties.base import Properties, listed, said
from rag.loaders.properties.dates import date_of

if TYPE_CHECKING:
    from rag.loaders.office.package import Package

_OPEN_DOCUMENT, _BOOK = "meta.xml", ".opf"
_CORE = "docprops/core.xml"
_FLAT_META = re.compile(rb"<office:meta[ >].*?</office:meta>", re.DOTALL)
_MAX_BYTES = 1_000_000  # of such a member
# Authors and dates of the templates that programs begin a document with, where nobody has set them.
_TEMPLATES = frozenset({"python-docx", "openpyxl", "steve canny", "docx4j", "apache poi", "unknown", "user", "administrator"})
_TEMPLATE_DATES = frozenset(map(date_of, ("2013-12-23T23:15:00Z", "2013-01-27T09:14:16Z", "2013-01-27T09:15:58Z")))


def pdf_properties(value_of: Callable[[str], str]) -> Properties:
    """From the values of a PDF's information dictionary, by their names; its title is the loader's."""
    return Properties(
        description=listed((value_of("Subject"),)),
        keywords=listed(_parted(value_of("Keywords"))),
        authors=listed(_parted(value_of("Author"))),
        dated=_first_date((value_of("CreationDate"), value_of("ModDate"))),
    )


def package_properties(package: Package) -> Properties:
    """From the parts of a zip-based document (Office, OpenDocument, EPUB); nothing where none of them can be read."""
    name = next((one for one in package.names if one in (_CORE, _OPEN_DOCUMENT) or one.endswith(_BOOK)), "")
    held = io.BytesIO()
    try:
        for chunk in package.chunks(name) if name else ():
            if held.write(chunk) > _MAX_BYTES or held.tell() > _MAX_BYTES:
                return Properties()
    except UnreadableDocument:
        return Properties()
    return _from_xml(held.getvalue())


def flat_properties(file: Path) -> Properties:
    """From the head of a flat OpenDocument file, which begins with what it says of itself."""
    try:
        with file.open("rb") as stream:
            found = _FLAT_META.search(stream.read(_MAX_BYTES))
    except OSError:
        return Properties()
    return _from_xml(found[0]) if found else Properties()


def _from_xml(content: bytes) -> Properties:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        tree = etree.fromstring(content, parser)
    except etree.LxmlError:
        return Properties()
    return Properties() if tree is None else _from_fields(tree)


def _from_fields(tree: Any) -> Properties:
    values: dict[str, list[str]] = {}
    for element in tree.iter():
        if isinstance(element.tag, str) and element.text and not len(element):
            values.setdefault(re.split("[}:]", element.tag)[-1], []).append(element.text)

    def of(*names: str) -> list[str]:
        return [value for name in names for value in values.get(name, ())]

    dates = of("created", "creation-date", "date", "modified")
    return Properties(
        title=said("".join(of("title")[:1])),
        description=listed(of("description")),
        keywords=listed(_parted(",".join(of("subject", "keywords", "keyword", "category")))),
        authors=listed(author for author in of("creator", "initial-creator") if author.strip().lower() not in _TEMPLATES),
        dated=_first_date(dates),
    )


def _first_date(written: Iterable[str]) -> float | None:
    found = map(date_of, written)
    return next((date for date in found if date is not None and date not in _TEMPLATE_DATES), None)


def _parted(text: str) -> Sequence[str]:
    return re.split(r"[,;\n]", text)
