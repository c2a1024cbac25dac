"""`rag eval`: measures how well an index answers judged queries. Knows options; `evaluation` judges, `eval_report` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.options import Index, Json, Reranker

if TYPE_CHECKING:
    from rag.evaluation.judged import JudgedSet, Run


def evaluate(
    file: Annotated[
        Path, typer.Argument(metavar="SET", help="JSON Lines, a folder in the form of BEIR, or TREC qrels (with --topics).")
    ],
    index: Index = "",
    json: Json = False,
    reranker: Reranker = None,
    group: Annotated[
        str, typer.Option(help="What a hit is: a document with its places, or each place (document, place).")
    ] = "document",
    topics: Annotated[Path | None, typer.Option(help="The queries of TREC qrels.", metavar="FILE")] = None,
    split: Annotated[str | None, typer.Option(help="Which qrels of a BEIR folder; default: test.", metavar="NAME")] = None,
    measure: Annotated[
        list[str] | None, typer.Option("--measure", "-m", help="As ir-measures names it: nDCG@10, AP, P@5 (repeatable).")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Compare with another index, other settings (reranker=none), or a kept run.", metavar="WHAT"),
    ] = None,
    only: Annotated[str | None, typer.Option(help="Only queries with this tag.", metavar="TAG")] = None,
    worst: Annotated[int, typer.Option(help="Report this many of the worst queries, with every stage's ranks.", min=0)] = 0,
    failures: Annotated[
        bool, typer.Option("--failures", help="List the queries without a relevant hit among the first five.")
    ] = False,
    per_query: Annotated[bool, typer.Option("--per-query", "-q", help="Measure each query, too.")] = False,
    run: Annotated[Path | None, typer.Option(help="Write runs and qrels for trec_eval there.", metavar="FOLDER")] = None,
    space: Annotated[
        list[str] | None, typer.Option("--space", help="Ask only this model of the index (repeatable).", metavar="MODEL")
    ] = None,
    by_space: Annotated[
        bool, typer.Option("--by-space", help="Every model of the index alone, then all: whether several pay.")
    ] = False,
    ask: Annotated[bool, typer.Option("--ask", help="SET has questions: measure evidence and answers.")] = False,
) -> None:
    """Measure how well an index answers judged queries, by stage (dense, lexical, fused, reranked, hits) and by tag.

    A set that brings its documents (BEIR, collections in JSON Lines) is indexed in a temporary folder if no index is named.
    """
    if ask:
        from rag.cli.eval_answers import refuse_others, show_answer_measures

        refuse_others(topics=topics, split=split, measure=measure, against=against, worst=worst, per_query=per_query, run=run)
        refuse_others(space=space, by_space=by_space)

        show_answer_measures(file, index, only, reranker, json=json, failures=failures)
        return
    from rag.cli.eval_report import report_json, report_text
    from rag.evaluation.against import KeptRuns, parse_against
    from rag.evaluation.measures import MEASURES, check_measures
    from rag.evaluation.open_set import open_set
    from rag.evaluation.report import make_report, write_runs

    measures = check_measures(measure or MEASURES)
    judged = _chosen(open_set(file, topics, split), file, only)
    other = None if against is None else parse_against(against)
    with ExitStack() as opened:
        named = index or _own_index(judged, opened)
        if by_space:
            _refuse_beside_by_space(space=space, against=against, worst=worst, failures=failures, per_query=per_query, run=run)
            _show_spaces(judged, named, reranker, group, measures, json=json)
            return
        runs = _runs(judged, named, {"reranker": reranker}, group, space or ())
        theirs: Mapping[str, Run] | None = None
        if isinstance(other, KeptRuns):
            theirs = other.runs
        elif other is not None:
            flags = {"reranker": reranker, **other.flags}
            grouped, asked = flags.pop("group", None) or group, flags.pop("space", None)
            theirs = _runs(judged, other.index or named, flags, grouped, [asked] if asked else ())
    if run is not None:
        write_runs(run, judged, runs)
    found = make_report(judged, runs, measures, theirs, worst=worst)
    if json:
        report_json(found, failures=failures, per_query=per_query)
    else:
        report_text(found, against or "", failures=failures, per_query=per_query, worst=worst > 0)


def _chosen(judged: JudgedSet, file: Path, only: str | None) -> JudgedSet:
    """The set with the answerable queries of one tag."""
    from dataclasses import replace

    from rag.errors import WrongRequest

    answerable = [query for query in judged.queries if query.is_answerable]
    queries = [query for query in answerable if only is None or only in query.tags]
    if not queries:
        tags = sorted({tag for query in answerable for tag in query.tags})
        remedy = f"the tags are: {', '.join(tags)}" if tags else "give queries a list of relevant documents"
        raise WrongRequest(f"{file} has no judged query{f' with the tag {only!r}' if only else ''}", remedy=remedy)
    return replace(judged, queries=tuple(queries))


def _own_index(judged: JudgedSet, opened: ExitStack) -> str:
    """The folder of an index of the documents of the set, or "" where it has none."""
    import tempfile

    from rag.cli.terminal import say
    from rag.evaluation.corpus import index_documents

    if judged.documents is None:
        return ""
    folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="rag-eval-"))
    return str(index_documents(judged, Path(folder), say))


def _refuse_beside_by_space(**given: object) -> None:
    """WrongRequest for options that mean nothing where several rankings are compared."""
    from rag.errors import WrongRequest

    named = ", ".join("--" + option.replace("_", "-") for option, value in given.items() if value)
    if named:
        raise WrongRequest(
            f"--by-space cannot be combined with {named}", remedy="leave one of them out; --space asks some models"
        )


def _show_spaces(judged: JudgedSet, index: str, reranker: str | None, group: str, measures: Sequence[str], *, json: bool) -> None:
    """Each model of an index alone, then all of them."""
    from functools import partial

    from rag.cli.eval_report import spaces_json, spaces_text
    from rag.evaluation.by_space import compare_spaces
    from rag.evaluation.ranking import DEPTH, rank_all
    from rag.search.federated import open_index

    with open_index(index, top_k=DEPTH, reranker=reranker) as searcher:
        further = {space.name: searcher.embedder_of(space.fingerprint) for space in searcher.index.spaces()}
        models = {searcher.embedder.fingerprint.model: searcher.embedder, **further}
        if any(model is not None and "image" not in model.modalities for model in models.values()):
            judged = _without_pictures(judged)
        found = compare_spaces(list(models), partial(rank_all, searcher, judged, group), judged, measures)
    (spaces_json if json else spaces_text)(found)


def _without_pictures(judged: JudgedSet) -> JudgedSet:
    """The set without the queries that a model which only reads cannot be asked alone; says how many they are."""
    from dataclasses import replace

    from rag.cli.terminal import say
    from rag.humanize import counted

    kept = tuple(query for query in judged.queries if query.image is None)
    if left := len(judged.queries) - len(kept):
        say(f"note: {counted(left, 'query', 'queries')} by a picture left out: a model of the index only reads")
    return replace(judged, queries=kept)


def _runs(judged: JudgedSet, index: str, flags: dict[str, Any], group: str, spaces: Sequence[str] = ()) -> dict[str, Run]:
    """What every stage of one index ranks, by all its models or by some."""
    from rag.cli.terminal import say
    from rag.evaluation.ranking import DEPTH, indexed_share, rank_all
    from rag.search.federated import open_index

    with open_index(index, top_k=DEPTH, **flags) as searcher:
        share = indexed_share(judged, searcher)
        if share < 1:
            say(f"note: {share:.0%} of the relevant documents are in {searcher.name}; the others count as not found")
        return rank_all(searcher, judged, group, spaces)
