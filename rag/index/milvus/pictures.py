"""The part of the writer that keeps captions and recognised words, until its next commit in memory.

Knows notes; knows no OCR, and of documents only their names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from rag.index.catalog.picture_text import by_target
from rag.index.catalog.row_codec import to_bytes
from rag.index.milvus.engine import NEWEST, OWN
from rag.index.milvus.names import from_field, to_field
from rag.index.milvus.notes import CAPTION, RECOGNISED, Notes
from rag.types import CaptionOf, DocumentId

_Source = tuple[str, str]  # root and path of a document that gives captions


class RecognisedNotes:
    """The recognised words that are committed."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def find(self, key: bytes) -> str | None:
        """The words in the picture with that hash; None if it was never recognised."""
        return self._notes.read(RECOGNISED, key.hex(), OWN)

    def close(self) -> None:
        """Nothing is held open."""


class Pictures:
    """Captions are read once, at first use; `changed` and `forgotten` are what the next commit writes."""

    def __init__(self, notes: Notes, read_again: Callable[[DocumentId], None]) -> None:
        """`read_again` is told each picture of which something else is said now."""
        self._notes, self._read_again = notes, read_again
        self.changed: dict[tuple[str, str], str] = {}
        self.forgotten: set[tuple[str, str]] = set()

    @cached_property
    def _captions(self) -> dict[_Source, list[CaptionOf]]:
        found: dict[_Source, list[CaptionOf]] = {}
        for name, text in self._notes.all_of(CAPTION, NEWEST).items():
            root, _, path = from_field(name).partition("\0")
            found[root, path] = [CaptionOf(from_field(target), words) for target, words in json.loads(text)]
        return found

    @cached_property
    def _by_target(self) -> dict[_Source, dict[_Source, list[str]]]:
        found: dict[_Source, dict[_Source, list[str]]] = {}
        for source, captions in self._captions.items():
            for target, texts in by_target(captions).items():
                found.setdefault((source[0], target), {})[source] = texts
        return found

    def put_captions(self, root: str, source_path: str, captions: Sequence[CaptionOf]) -> AbstractSet[str]:
        """As `PictureTexts.put_captions`."""
        source = (root, source_path)
        before, after = by_target(self._captions.get(source, [])), by_target(captions)
        targets = {path for path in before | after if before.get(path) != after.get(path)}
        if not targets:
            return targets
        for path in before:
            self._by_target[root, path].pop(source, None)
        for path, texts in after.items():
            self._by_target.setdefault((root, path), {})[source] = texts
        name = (CAPTION, f"{root}\0{source_path}")
        if captions:
            self._captions[source] = list(captions)
            self.changed[name] = json.dumps([[to_field(each.target), each.text] for each in captions])
            self.forgotten.discard(name)
        else:
            self._captions.pop(source, None)
            self.changed.pop(name, None)
            self.forgotten.add(name)
        for path in targets:
            self._read_again(DocumentId(root, path))
        return targets

    def captions_for(self, root: str, target_path: str) -> list[str]:
        """The captions given to one picture, ordered by the path of the document that gives them and their order there."""
        given: Mapping[_Source, list[str]] = self._by_target.get((root, target_path), {})
        return [text for source in sorted(given, key=lambda one: to_bytes(one[1])) for text in given[source]]

    def forget_root(self, root: str) -> None:
        """Forgets all captions that documents of a root give."""
        for source in [source for source in self._captions if source[0] == root]:
            self.put_captions(*source, [])

    def put_recognised(self, key: bytes, words: str) -> None:
        """Stores the words recognised in the picture with that hash."""
        self.changed[RECOGNISED, key.hex()] = words

    def open_recognised(self) -> RecognisedNotes:
        """The words that are committed."""
        return RecognisedNotes(self._notes)
