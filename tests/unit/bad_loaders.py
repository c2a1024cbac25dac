"""Loaders that misbehave, named to the program as tests.unit.bad_loaders:Name."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator, Sequence

import numpy as np

from rag.loaders.base import Limits
from rag.types import CaptionOf, Content, Document, Page, Passage, Whole


class _Bad:
    version = 1

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        yield Passage(document.id, 0, Whole(), "text", "text", "words")

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        self.harm()
        yield Content("text", "words")

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())

    def harm(self) -> None:
        raise NotImplementedError


class Segfault(_Bad):
    """Follows a null pointer."""

    def harm(self) -> None:
        ctypes.string_at(0)


class Exit(_Bad):
    """Ends its process."""

    def harm(self) -> None:
        os._exit(7)


class Hang(_Bad):
    """Never comes back, and holds the interpreter's lock meanwhile."""

    def harm(self) -> None:
        ctypes.PyDLL(None).pause()


class Grow(_Bad):
    """Takes memory without end."""

    def harm(self) -> None:
        kept = []
        while True:
            kept.append(b"x" * 50_000_000)


class Escape(_Bad):
    """Says what it reached: the port named in the file beside its document, and the folder."""

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        reached = []
        try:
            port = int(document.file.with_name("port").read_text())
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            reached.append("the network")
        except OSError:
            pass
        try:
            document.file.with_name("escaped").write_text("x")
            reached.append("writing files")
        except OSError:
            pass
        yield Content("text", " ".join(reached))


class LastPage(_Bad):
    """A long document whose last page follows a null pointer."""

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        for number in range(100):
            yield Passage(document.id, number, Page(number + 1), "page", "image")

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        for passage in passages:
            if passage.ordinal == 99:
                ctypes.string_at(0)
            yield Content("image", pixels=(np.full((20, 20, 3), passage.ordinal, np.uint8),))
