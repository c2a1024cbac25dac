"""`rag score`: how well documents answer a query, by a reranker. Knows options and printing only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from typing import Annotated

import typer

from rag.cli.inputs import Line, Refusal, answers_of, begun, content_of, few_of, lines_of, telling
from rag.cli.options import Json
from rag.cli.terminal import say

AT_ONCE = 256  # documents: eight requests of a server


def score(
    query: Annotated[str, typer.Option(help="The words of the query.")] = "",
    query_image: Annotated[str, typer.Option(help="The picture of the query.", metavar="FILE")] = "",
    text: Annotated[list[str] | None, typer.Option(help="A document of words (repeatable).")] = None,
    image: Annotated[list[str] | None, typer.Option(help="A picture as a document (repeatable).", metavar="FILE")] = None,
    video: Annotated[list[str] | None, typer.Option(help="A video as a document (repeatable).", metavar="FILE")] = None,
    backend: Annotated[str, typer.Option(help="Where the reranker runs: auto, lite, server, vllm, transformers.")] = "auto",
    model: Annotated[str | None, typer.Option(help="Which reranking model: a name or a local folder.")] = None,
    family: Annotated[str | None, typer.Option(help="How the model is fed, where its name does not tell.")] = None,
    url: Annotated[list[str] | None, typer.Option(help="Endpoint that serves the reranker (repeatable).")] = None,
    instruction: Annotated[str | None, typer.Option(help="What the model is told; its own by default.")] = None,
    json: Json = False,
) -> None:
    """Print a score in 0…1 for each document: the texts, then the pictures, then the videos, in the order given.

    Without any, each JSON line on stdin is a document: {"text": ..., "image": FILE, "video": FILE}, each key optional.
    What has no score is said, and the exit code is then 1.
    """
    from rag.config import load_settings
    from rag.errors import INPUTS_REFUSED, WrongRequest
    from rag.models.loading import open_reranker
    from rag.models.selection import choose_reranker, this_machine

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
    asked = content_of({"text": query, "image": query_image})
    given = [("text", one) for one in text or ()] + [("image", one) for one in image or ()]
    given += [("video", one) for one in video or ()]
    numbered = (Line(number, content_of({key: value})) for number, (key, value) in enumerate(given, start=1))
    documents = begun(numbered if given else lines_of(sys.stdin))
    machine = this_machine()
    chosen = choose_reranker(settings, "", machine)  # a server of `rag serve`, before the built-in one
    if chosen is None and settings.reranker == "auto":
        chosen = choose_reranker(settings, "lite", machine)
    if chosen is None:
        raise WrongRequest("no reranker was asked for", remedy="name one with --backend, --model or --url")
    say(f"{chosen.backend} {chosen.choice.model}".strip() + (f": {chosen.why}" if chosen.why else ""))
    reranker = open_reranker(chosen)
    ask = partial(reranker.score, asked)
    scores = (one for few in few_of(documents, AT_ONCE) for one in answers_of(few, ask, reranker.modalities))
    refused: list[Refusal] = []
    place = "document" if given else "line"
    told = telling(scores, place if given else "stdin, line", refused)
    _print_json(list(told), place) if json else _print_lines(told)
    if refused:
        raise typer.Exit(INPUTS_REFUSED)


def _print_lines(scores: Iterable[float | Refusal]) -> None:
    """A score a line, as they come; `nan` for what has none."""
    for value in scores:
        print("nan" if isinstance(value, Refusal) else f"{value:.6f}", flush=True)


def _print_json(scores: list[float | Refusal], place: str) -> None:
    """All scores, null for what has none, and then why."""
    import json

    said: dict[str, object] = {"scores": [None if isinstance(one, Refusal) else one for one in scores]}
    errors = [{"error": one.reason, place: one.number} for one in scores if isinstance(one, Refusal)]
    print(json.dumps(said | ({"errors": errors} if errors else {})))
