"""How a hit got its score, on one line: the rank and score of every stage.

Knows hits; knows no terminal and no format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.cli.terminal import harmless

if TYPE_CHECKING:
    from rag.types import Hit, LaneRank


def explained(hit: Hit) -> str:
    """`dense #1 (0.612) · lexical #3 (4.100, matches 80% of the query) · …`."""
    lanes = [f"{_named(lane, one)} #{one.rank} ({one.score:.3f}{_match(one.share)})" for lane, one in hit.lanes.items()]
    fused = f"fused #{hit.ranks['fused']} ({hit.fused:.3f})" if "fused" in hit.ranks else f"fused {hit.fused:.3f}"
    rank = f" #{hit.ranks['reranked']}" if "reranked" in hit.ranks else ""
    rerank = (
        f"rerank{rank} ({hit.rerank_score:.3f})" if hit.rerank_score is not None else "no reranker: ranked by the fused score"
    )
    similarity = f"similarity {hit.similarity:.3f}" if hit.similarity is not None else ""
    decided = f"score = {hit.decided}" if hit.decided not in ("fused", "rerank_score") else ""
    return " · ".join(part for part in (*lanes, similarity, fused, rerank, decided) if part)


def _named(lane: str, found: LaneRank) -> str:
    """`dense`, or `dense by half` in an index of several models."""
    return f"{lane.partition(':')[0]} by {harmless(found.space)}" if found.space else lane


def _match(share: float) -> str:
    return "" if share > 0.995 else f", matches {share:.0%} of the query" if share else ", matches only common words"
