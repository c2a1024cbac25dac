"""The pictures, films and documents inside an Office document, an OpenDocument file or a book.

Knows in which folders they lie; reads none. Charts keep their numbers in workbooks, which the document itself shows.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from rag.corpus.file_types import PICTURE_SUFFIXES
from rag.loaders.base import Limits
from rag.loaders.inside.archives import zip_stream
from rag.loaders.inside.base import Part
from rag.loaders.office.safe_zip import DAMAGED_ZIP, damaged_zip, opened_zip
from rag.types import Document

_MEDIA = re.compile(r"(?:(?:word|ppt|xl|visio)[/\\]media|pictures|media|video)[/\\][^/\\]+", re.IGNORECASE)
_EMBEDDED = re.compile(r"(?:word|ppt|xl)[/\\]embeddings[/\\][^/\\]+", re.IGNORECASE)
_OF_CHARTS = re.compile(r"(?:word|ppt|xl)/charts/_rels/[^/]+\.rels", re.IGNORECASE)
_TARGET = re.compile(rb'Target\s*=\s*"([^"]{1,500})"')
_MOST_RELATIONS = 1_000_000  # bytes of the list of what a chart refers to
_MOST_CHARTS = 1_000


def parts(document: Document, limits: Limits) -> Iterator[Part]:
    """What is inside a document; nothing in formats that are not zip files. UnreadableDocument where it is damaged."""
    try:
        with document.file.open("rb") as stream:
            if stream.read(4) == b"PK\x03\x04":
                with opened_zip(stream) as archive:
                    yield from _in_package(archive)
    except DAMAGED_ZIP as error:
        raise damaged_zip(error) from None


def _in_package(archive: zipfile.ZipFile) -> Iterator[Part]:
    members = [member for member in archive.infolist() if not member.is_dir() and member.file_size]
    book = any(member.filename == "META-INF/container.xml" for member in members)
    charts: frozenset[str] | None = None
    for member in members:
        name = member.filename.replace("\\", "/")
        pictured = PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES
        if _EMBEDDED.fullmatch(name):
            charts = _of_charts(archive) if charts is None else charts
            if name.lower() in charts:
                continue
        elif not (_MEDIA.fullmatch(name) or (book and pictured)):
            continue
        yield Part(posixpath.basename(name), partial(zip_stream, archive, member), shown=pictured)


def _of_charts(archive: zipfile.ZipFile) -> frozenset[str]:
    """The workbooks behind charts, by their names in lower case."""
    found: set[str] = set()
    lists = [one for one in archive.infolist() if _OF_CHARTS.fullmatch(one.filename) and one.file_size <= _MOST_RELATIONS]
    for one in lists[:_MOST_CHARTS]:
        folder = posixpath.dirname(posixpath.dirname(one.filename))
        for target in _TARGET.findall(archive.read(one)):
            found.add(posixpath.normpath(posixpath.join(folder, target.decode("utf-8", "replace"))).lstrip("/").lower())
    return frozenset(found)
