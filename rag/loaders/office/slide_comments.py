"""The comments on slides, with their authors: those of PowerPoint up to 2019, and the threads of later ones.

Knows the two kinds of comment parts; knows no slide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.office.drawings import paragraphs, visible
from rag.loaders.office.package import Package


class CommentReader:
    """Reads comments; the authors are listed once for a deck."""

    def __init__(self, package: Package, main: str) -> None:
        self._package = package
        self._authors: dict[str, str] = {}
        for one in package.relations(main):
            if one.kind in ("commentAuthors", "authors"):
                self._add_authors(one.target)

    def _add_authors(self, part: str) -> None:
        try:
            self._authors |= {author.get("id", ""): author.get("name", "") for author in self._package.tree(part)}
        except UnreadableDocument:
            return  # the comments are then read without names

    def texts(self, part: str) -> Iterator[str]:
        """Each comment and each reply: who, and what. UnreadableDocument where the part is damaged."""
        for comment in self._package.tree(part).iter("{*}cm", "{*}reply"):
            if text := "\n".join(_said(comment)):
                author = visible(self._authors.get(comment.get("authorId", ""), ""))
                yield f"Comment{f' ({author})' if author else ''}: {text}"


def _said(comment: Any) -> Iterator[str]:
    for inner in comment:
        tag = inner.tag.rpartition("}")[2]
        if tag == "text" and (text := visible(inner.text or "")):
            yield text
        elif tag == "txBody":
            yield from paragraphs(inner)
