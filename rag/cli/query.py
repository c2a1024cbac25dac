"""`rag query`: searches an index. Knows options and exit codes; `query_target` searches, `formats` prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from rag.cli.options import (
    Backend,
    Family,
    Indexes,
    Json,
    Model,
    Reranker,
    RerankerFamily,
    RerankerModel,
    RerankerUrl,
    Space,
    Url,
)
from rag.cli.terminal import say

if TYPE_CHECKING:
    from rag.types import Kind


def query(
    words: Annotated[
        list[str] | None, typer.Argument(help="What to search for; `-` reads one query per line from stdin.")
    ] = None,
    index: Indexes = None,
    image: Annotated[list[str] | None, typer.Option(help="A picture to search with (repeatable).", metavar="FILE")] = None,
    video: Annotated[str | None, typer.Option(help="A frame of a video to search with.", metavar="FILE@SECONDS")] = None,
    less_like: Annotated[
        list[str] | None, typer.Option(help="Hits less like this passage, and without it (repeatable).", metavar="ID")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only text, page, image, screenshot or frame (repeatable).")] = None,
    path: Annotated[
        list[str] | None, typer.Option(help="Only matching paths below the root (repeatable).", metavar="GLOB")
    ] = None,
    root: Annotated[list[str] | None, typer.Option(help="Only this root (repeatable).")] = None,
    space: Space = None,
    after: Annotated[
        str | None, typer.Option(help="Only from this date on (when the content was made, else modified).", metavar="DATE")
    ] = None,
    before: Annotated[str | None, typer.Option(help="Only before this date.", metavar="DATE")] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", "-k", help="How many hits.")] = None,
    candidates: Annotated[int | None, typer.Option(help="How many candidates reach the reranker.")] = None,
    search: Annotated[str | None, typer.Option(help="How vectors are searched: auto, exact, coarse, ivf.")] = None,
    backend: Backend = None,
    model: Model = None,
    family: Family = None,
    url: Url = None,
    server: Annotated[str | None, typer.Option(help="URL of the `rag ui` to ask; none: search in this process.")] = None,
    reranker: Reranker = None,
    reranker_model: RerankerModel = None,
    reranker_family: RerankerFamily = None,
    reranker_url: RerankerUrl = None,
    blend: Annotated[str | None, typer.Option(help="Weight of the rerank score: auto, never (always 1), or 0…1.")] = None,
    no_rerank: Annotated[bool, typer.Option("--no-rerank", help="Keep the order of the first stages.")] = False,
    min_score: Annotated[float | None, typer.Option(help="Hide hits below this score, 0…1.")] = None,
    no_fold: Annotated[bool, typer.Option("--no-fold", help="Show near-duplicates as separate hits.")] = False,
    group: Annotated[str, typer.Option(help="One hit for each document, or for each place: document or place.")] = "document",
    whole: Annotated[
        bool, typer.Option("--whole", help="List everything that holds a word of the query, and say how many results there are.")
    ] = False,
    offset: Annotated[int, typer.Option(help="Leave out so many results: a later page of the whole list.")] = 0,
    order: Annotated[str, typer.Option(help="The whole list by score, date or name: best, new, old or name.")] = "best",
    explain: Annotated[bool, typer.Option("--explain", help="Show every stage's rank and score.")] = False,
    format: Annotated[str, typer.Option(help="table, json, jsonl, csv, md, paths or context.")] = "table",
    json: Json = False,
    preview: Annotated[bool, typer.Option(help="Show pictures, in terminals that can.")] = True,
) -> None:
    """Search with words, pictures, or both; the hits come best first, whatever their kind.

    Query syntax: '"harbour crane"' is a phrase that must occur, -draft a word that must not, harb* a prefix.
    A query that begins with a minus comes after --: rag query -- -draft harbour
    """
    from rag.cli.formats import FORMATS, Answers, show_answers
    from rag.cli.query_target import choose_target
    from rag.errors import NOTHING_FOUND, WrongRequest
    from rag.search.options import SearchOptions
    from rag.search.total import how_many

    wanted = "json" if json else format
    if wanted not in FORMATS:
        raise WrongRequest(f"no format is called {wanted!r}", remedy=f"the formats are: {', '.join(FORMATS)}")
    flags: dict[str, Any] = {"candidates": candidates, "min_score": min_score, "top_k": top_k, "blend": blend}
    flags["search"] = search
    flags |= {"backend": backend, "model": model, "family": family, "url": url or None}
    flags |= {"reranker": "none" if no_rerank else reranker, "reranker_model": reranker_model}
    flags |= {"reranker_family": reranker_family, "reranker_url": reranker_url or None, "server": server}
    many = words == ["-"]
    texts = [line.strip() for line in sys.stdin if line.strip()] if many else [" ".join(words or [])]
    answers = []
    options = SearchOptions(
        images=image or (),
        video=video,
        less_like=less_like or (),
        kinds=cast("list[Kind]", kind or []),
        paths=path or (),
        roots=root or (),
        spaces=space or (),
        after=after,
        before=before,
        fold=not no_fold,
        group=group,
        whole=whole,
        offset=offset,
        order=order,
    )
    with choose_target(index or [], flags, options) as search_for:
        for text in texts:
            results = search_for(text, options, wanted == "context")
            for note in results.notes:
                say(f"note: {note}")
            if results.total is not None:
                say(how_many(results.total))
            answers.append(Answers(text, results.hits, results.texts, results.good))
        show_answers(answers, wanted, explain=explain, many=many, preview=preview, several=len(index or ()) > 1)
    if not any(answer.hits for answer in answers):
        say("nothing found" if texts else "no query on stdin: write one per line")
        raise typer.Exit(NOTHING_FOUND)
    for answer in answers:
        if answer.hits and answer.good is False:
            which = f" for {answer.query!r}" if many else ""
            say(f"no good match{which}: the best score is {answer.hits[0].score:.2f}; the hits match only part of the query")
