"""`rag eval`: measures how well an index answers judged queries. Knows printing only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from rag.cli.options import Index, Json, Reranker

Table = Mapping[str, Mapping[str, Mapping[str, float]]]


def evaluate(
    file: Annotated[Path, typer.Argument(help="JSON Lines: id, query, image, relevant [document, locator, grade], tags.")],
    index: Index = "",
    json: Json = False,
    reranker: Reranker = None,
    only: Annotated[str | None, typer.Option(help="Only queries with this tag.", metavar="TAG")] = None,
    failures: Annotated[
        bool, typer.Option("--failures", help="List the queries without a relevant hit among the first five.")
    ] = False,
    ask: Annotated[bool, typer.Option("--ask", help="FILE has questions: measure evidence and answers.")] = False,
) -> None:
    """Measure success@5, nDCG@10, recall@10 and MRR by stage (dense, lexical, fused, reranked, hits) and by tag."""
    if ask:
        from rag.cli.eval_answers import show_answer_measures

        show_answer_measures(file, index, only, json=json, failures=failures)
        return
    from rag.errors import WrongRequest
    from rag.evaluation import are_relevant, load_queries, rank, require_measures
    from rag.evaluation import evaluate as measure
    from rag.search.federated import open_index

    require_measures()
    judged = [query for query in load_queries(file) if query.relevant]
    queries = [query for query in judged if only is None or only in query.tags]
    if not queries:
        tags = sorted({tag for query in judged for tag in query.tags})
        remedy = f"the tags are: {', '.join(tags)}" if tags else "give queries a list of relevant documents"
        raise WrongRequest(f"{file} has no judged query{f' with the tag {only!r}' if only else ''}", remedy=remedy)
    with open_index(index, reranker=reranker, top_k=10) as searcher:
        found = {query.id: rank(searcher, query) for query in queries}
    if json:
        import json as json_

        print(json_.dumps(measure(queries, found), indent=2))
        return
    _print(measure(queries, found))
    if failures:
        for query in queries:
            if not are_relevant(query, found[query.id]["hits"])[:5].count(True):
                print(f"  {query.id}  {query.words}  [{', '.join(sorted(query.tags))}]")


def _print(table: Table) -> None:
    from rich.table import Table as Grid

    from rag.cli.terminal import stdout

    grid = Grid("queries", "stage", "success@5", "nDCG@10", "recall@10", "MRR", box=None, pad_edge=False)
    for group, stages in table.items():
        for number, (stage, values) in enumerate(stages.items()):
            name = f"{group} ({values['queries']:.0f})" if not number else ""
            grid.add_row(name, stage, *(f"{values[key]:.3f}" for key in ("Success@5", "nDCG@10", "R@10", "RR")))
    stdout().print(grid)
