"""EPUB books to text: the chapters in reading order, headings kept.

Knows the package file of EPUB 2 and 3; gets a cleaned archive (safe_zip.py); html.py reads the chapters.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from rag.errors import UnreadableDocument
from rag.loaders.office.safe_zip import first_line
from rag.loaders.text.chunking import Heading, Rendering
from rag.loaders.text.encoding import decoded
from rag.loaders.text.html import rendered as html_rendered
from rag.loaders.text.markdown import moved


def rendered(members: io.BytesIO) -> Rendering:
    """The book's text. UnreadableDocument where its container or package file is damaged."""
    from lxml import etree

    texts: list[str] = []
    headings: list[Heading] = []
    length = 0
    try:
        with zipfile.ZipFile(members) as archive:
            names = set(archive.namelist())
            package = _package_path(archive)
            tree = _parsed(archive, package)
            for chapter in _spine(tree, posixpath.dirname(package)):
                if chapter in names and (markup := archive.read(chapter)).strip():
                    rendering = html_rendered(decoded(markup))
                    headings += moved(rendering, length)
                    texts.append(rendering.text + "\n")
                    length += len(rendering.text) + 1
            title = " ".join((tree.findtext(".//{*}metadata/{*}title") or "").split())
    except (etree.LxmlError, KeyError, ValueError) as error:
        raise UnreadableDocument(f"is a damaged EPUB book: {first_line(error)}") from error
    return Rendering("".join(texts), tuple(headings), title)


def _parsed(archive: zipfile.ZipFile, part: str) -> Any:
    from lxml import etree

    return etree.fromstring(archive.read(part), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _package_path(archive: zipfile.ZipFile) -> str:
    root = _parsed(archive, "META-INF/container.xml").find(".//{*}rootfile")
    if root is None:
        raise UnreadableDocument("is a damaged EPUB book: its container names no package file")
    return str(root.get("full-path", ""))


def _spine(package: Any, folder: str) -> list[str]:
    """The members that hold the chapters, in reading order, each once."""
    places = {one.get("id", ""): one.get("href", "") for one in package.iterfind(".//{*}manifest/{*}item")}
    order = [places.get(one.get("idref", ""), "") for one in package.iterfind(".//{*}spine/{*}itemref")]
    return list(dict.fromkeys(posixpath.normpath(posixpath.join(folder, unquote(place))) for place in order if place))
