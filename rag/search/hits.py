"""Makes hits of what was ranked: the best place with its words, scores and members.

Knows ranked groups and passages; knows no index, no model and no order.
"""

from __future__ import annotations

from collections.abc import Mapping

from rag.search.dedup import DuplicateGroup
from rag.search.grouping import Group
from rag.search.reranking import Judged
from rag.text.query_syntax import spoken
from rag.text.readable import readable
from rag.text.snippets import snippet
from rag.types import Hit, Member, Passage, Query, Similar


def hit_of(
    rank: int,
    index: str,
    alike: DuplicateGroup,
    judged: Judged,
    query: Query,
    similarities: Mapping[int, float],
) -> Hit:
    """The hit at `rank`, from 1, of the index with that name; `similarities` are inner products by passage number."""
    found = alike.shown
    stored = found.best.stored
    passage = stored.passage
    return Hit(
        rank=rank,
        id=stored.id,
        index=stored.index or index,
        root=passage.document.root,
        document=passage.document.path,
        path=str(stored.file),
        kind=passage.kind,
        modality=passage.modality,
        locator=found.locator,
        snippet=snippet(shown_words(passage), spoken(query.words)),
        score=found.best.score,
        similarity=similarities.get(stored.number),
        rerank_score=judged.rerank_score,
        lanes=judged.candidate.lanes,
        best=passage.locator,
        members=tuple(Member(one.stored.id, one.stored.passage.locator, one.score) for one in found.members),
        context=passage.context,
        dated=stored.dated,
        fused=judged.candidate.fused,
        decided=judged.decided + ("" if found.best.score == judged.score else ", halved: two results before it say the same"),
        folded=tuple(_similar(one, index) for one in alike.others),
        inner=passage.inner,
    )


def shown_words(passage: Passage) -> str:
    """The caption and the words of a passage as a person reads them."""
    words = readable(passage.text, passage.document.path) if passage.modality == "text" else passage.text
    return "\n".join(part for part in (passage.caption, words) if part)


def _similar(found: Group, index: str) -> Similar:
    stored = found.best.stored
    document = stored.passage.document
    index = stored.index or index
    inner = stored.passage.inner
    return Similar(stored.id, document.root, document.path, str(stored.file), found.locator, found.best.score, index, inner)
