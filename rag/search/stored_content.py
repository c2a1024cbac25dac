"""The content of a stored passage, read again from its file: for the reranker, `like`, and a preview in a terminal.

Knows stored passages and the pool that reads files; knows no model and no index.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rag.corpus.sources import local_file
from rag.loaders.base import Limits
from rag.loaders.text.passage_content import text_content
from rag.location import stored_location
from rag.types import Content, Document, DocumentId, Hit, Passage, StoredPassage

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool
    from rag.types import Pixels


def words_only(stored: StoredPassage) -> Content:
    """The content of a candidate without opening its file: a text whole, a picture without its pixels."""
    passage = stored.passage
    return text_content(passage) if passage.modality == "text" else Content(modality=passage.modality)


def read_contents(stored: Sequence[StoredPassage], limits: Limits, pool: AskPool) -> list[Content]:
    """The contents of candidates, in order; each file is opened once. One that cannot be read any more gets `words_only`."""
    contents = {one.number: words_only(one) for one in stored}
    by_document: dict[object, list[StoredPassage]] = {}
    for one in stored:
        if one.passage.modality != "text":
            by_document.setdefault((one.index, one.passage.document), []).append(one)

    if not by_document:
        return [contents[one.number] for one in stored]

    def read(passages: list[StoredPassage]) -> None:
        ordered = sorted(passages, key=lambda one: one.passage.ordinal)
        first = ordered[0]
        try:
            with local_file(first.file) as file:
                document = Document(first.passage.document, file.path, caption=first.passage.caption)
                from rag.decoding.read_again import read_again  # a search that reads no file does without

                found = read_again(document, [one.passage for one in ordered], limits, pool)
        except OSError:
            return
        contents.update({one.number: content for one, content in zip(ordered, found, strict=False) if content is not None})

    with ThreadPoolExecutor(max(1, pool.count)) as threads:
        list(threads.map(read, by_document.values()))
    return [contents[one.number] for one in stored]


def hit_pixels(hit: Hit, pool: AskPool) -> Pixels | None:
    """The picture a hit was found by, (height, width, 3), or None if its file cannot be read any more."""
    id = DocumentId(hit.root, hit.document)
    passage = Passage(id, 0, hit.best, hit.kind, hit.modality, inner=hit.inner)
    try:
        with local_file(stored_location(hit.path)) as file:
            from rag.decoding.read_again import read_again

            found = read_again(Document(id, file.path), [passage], Limits(), pool)
    except OSError:
        return None
    return found[0].pixels[0] if found and found[0] is not None and found[0].pixels else None
