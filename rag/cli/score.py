"""`rag score`: scores documents against a query with a reranker. Knows options and printing only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from typing import Annotated

import typer

from rag.cli.inputs import Line, Refusal, answer, batches_of, content_of, read_lines, report_refusals, require_input
from rag.cli.options import Json
from rag.cli.terminal import say

BATCH = 256  # documents: eight requests to a server


def score(
    query: Annotated[str, typer.Option(help="The text of the query.")] = "",
    query_image: Annotated[str, typer.Option(help="The picture of the query.", metavar="FILE")] = "",
    text: Annotated[list[str] | None, typer.Option(help="A text as a document (repeatable).")] = None,
    image: Annotated[list[str] | None, typer.Option(help="A picture as a document (repeatable).", metavar="FILE")] = None,
    video: Annotated[list[str] | None, typer.Option(help="A video as a document (repeatable).", metavar="FILE")] = None,
    backend: Annotated[str, typer.Option(help="Where the reranker runs: auto, lite, server, vllm, transformers.")] = "auto",
    model: Annotated[str | None, typer.Option(help="Which reranking model: a name or a local folder.")] = None,
    family: Annotated[str | None, typer.Option(help="Model family (prompts and limits), where the name does not tell.")] = None,
    url: Annotated[list[str] | None, typer.Option(help="Endpoint that serves the reranker (repeatable).")] = None,
    instruction: Annotated[str | None, typer.Option(help="Instruction to the model. Default: its own.")] = None,
    json: Json = False,
) -> None:
    """Print a score in 0…1 for each document: the texts, then the pictures, then the videos, in the order given.

    Without any, each JSON line on stdin is a document: {"text": ..., "image": FILE, "video": FILE}, each key optional.
    A document that is refused is reported and scores nan, and the exit code is then 1.
    """
    from rag.config import load_settings
    from rag.errors import INPUTS_REFUSED, WrongRequest
    from rag.models.loading import open_reranker
    from rag.models.selection import choose_scorer, this_machine

    if not (query or query_image):
        raise WrongRequest("no query was given", remedy="give --query, --query-image, or both")
    settings = load_settings(
        {
            "reranker": backend,
            "reranker_model": model,
            "reranker_family": family,
            "reranker_url": url or None,
            "rerank_instruction": instruction,
        }
    )
    question = content_of({"text": query, "image": query_image})
    given = [("text", one) for one in text or ()] + [("image", one) for one in image or ()]
    given += [("video", one) for one in video or ()]
    numbered = (Line(number, content_of({key: value})) for number, (key, value) in enumerate(given, start=1))
    documents = require_input(numbered if given else read_lines(sys.stdin))
    chosen = choose_scorer(settings, this_machine())
    if chosen is None:
        raise WrongRequest("no reranker is selected", remedy="select one with --backend, --model or --url")
    say(f"{chosen.backend} {chosen.choice.model}".strip() + (f": {chosen.why}" if chosen.why else ""))
    reranker = open_reranker(chosen)
    score_batch = partial(reranker.score, question)
    scores = (one for batch in batches_of(documents, BATCH) for one in answer(batch, score_batch, reranker.modalities))
    refused: list[Refusal] = []
    place = "document" if given else "line"
    reported = report_refusals(scores, place if given else "stdin, line", refused)
    _print_json(list(reported), place) if json else _print_lines(reported)
    if refused:
        raise typer.Exit(INPUTS_REFUSED)


def _print_lines(scores: Iterable[float | Refusal]) -> None:
    """Prints a score per line, as they come; `nan` for a refused document."""
    for value in scores:
        print("nan" if isinstance(value, Refusal) else f"{value:.6f}", flush=True)


def _print_json(scores: list[float | Refusal], place: str) -> None:
    """Prints all scores, null for refused documents, and the reasons."""
    import json

    value: dict[str, object] = {"scores": [None if isinstance(one, Refusal) else one for one in scores]}
    errors = [{"error": one.reason, place: one.number} for one in scores if isinstance(one, Refusal)]
    print(json.dumps(value | ({"errors": errors} if errors else {})))
