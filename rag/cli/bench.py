"""`rag bench`: measures model servers and searching. Knows options; `benchmark` measures, `bench_report` prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import Json

if TYPE_CHECKING:
    from rag.backends.base import Choice
    from rag.benchmark.load import Pattern
    from rag.benchmark.measurement import Measurement
    from rag.benchmark.model_servers import Workload
    from rag.config import Settings


def bench(
    url: Annotated[list[str] | None, typer.Option(help="Endpoint that serves the embedder (repeatable).")] = None,
    reranker_url: Annotated[list[str] | None, typer.Option(help="Endpoint that serves the reranker (repeatable).")] = None,
    model: Annotated[str | None, typer.Option(help="The embedding model. Default: what the endpoint serves.")] = None,
    reranker_model: Annotated[str | None, typer.Option(help="The reranking model. Default: what the endpoint serves.")] = None,
    family: Annotated[str | None, typer.Option(help="Model family (prompts and limits), where the name does not tell.")] = None,
    reranker_family: Annotated[str | None, typer.Option(help="The same for the reranker.")] = None,
    index: Annotated[
        str, typer.Option("--index", "-i", help="Measure searching this index, in this process: its name or folder.")
    ] = "",
    queries: Annotated[
        Path | None, typer.Option(help="What to search for, one a line. Default: words of the index.", metavar="FILE")
    ] = None,
    requests: Annotated[int, typer.Option(help="How many, in every measurement.", min=1)] = 1_000,
    tokens: Annotated[int, typer.Option(help="Random tokens in a text; in a query and a document together.", min=2)] = 200,
    pictures: Annotated[
        int | None, typer.Option(help="How many requests with pictures. Default: as --requests; 0: none.", min=0)
    ] = None,
    users: Annotated[
        list[int] | None,
        typer.Option(help="So many users without pause (repeatable). Default: all at once; for --index 1, 8 and 64.", min=1),
    ] = None,
    rate: Annotated[
        list[float] | None, typer.Option(help="So many requests a second, whatever is answered (repeatable).", min=0.001)
    ] = None,
    repeat: Annotated[int, typer.Option(help="Repeat with fresh contents, and report the middle one.", min=1)] = 1,
    peak_tflops: Annotated[
        float | None, typer.Option(help="Peak of the accelerators, 10¹² operations a second: prints the share.", min=0.001)
    ] = None,
    parameters: Annotated[
        float | None, typer.Option(help="Billions of weights that each token meets. Default: by the model's name.", min=0.000001)
    ] = None,
    json: Json = False,
) -> None:
    """Measure how fast model servers answer (requests and tokens a second, latencies), and how fast an index is searched.

    Random texts and pictures, fresh in every repetition, are sent as indexing and searching send theirs. Without --url,
    --reranker-url and --index, the servers that `rag serve` runs here are measured.
    """
    from rag.benchmark.load import ClosedLoop, FixedRate
    from rag.benchmark.model_servers import Workload, needed
    from rag.cli.bench_report import print_json, print_table
    from rag.config import load_settings

    settings = load_settings(
        {
            "backend": "server" if url else None,
            "url": tuple(url) if url else None,
            "reranker": "server" if reranker_url else None,
            "reranker_url": tuple(reranker_url) if reranker_url else None,
            "model": model,
            "reranker_model": reranker_model,
            "family": family,
            "reranker_family": reranker_family,
        }
    )
    patterns: list[Pattern] = [*map(ClosedLoop, users or ()), *map(FixedRate, rate or ())]
    load = Workload(
        requests=requests,
        tokens=tokens,
        pictures=requests if pictures is None else pictures,
        patterns=needed(patterns, requests),
        repetitions=repeat,
        peak_tflops=peak_tflops or 0.0,
        parameters=parameters or 0.0,
    )
    embedder, reranker = _servers(settings, any_here=not index, urls=bool(url), reranker_urls=bool(reranker_url))
    with ExitStack() as opened:
        found = _measured(embedder, reranker, index, queries, load, patterns, opened)
        print_json(found) if json else print_table(found)


def _servers(settings: Settings, *, any_here: bool, urls: bool, reranker_urls: bool) -> tuple[Choice | None, Choice | None]:
    """The embedder's and the reranker's servers: those that were named, else (`any_here`) of the settings, or running ones."""
    from rag.errors import WrongRequest
    from rag.models.selection import choose_embedder, choose_reranker, this_machine

    machine = this_machine()
    named = urls or reranker_urls
    chosen = choose_embedder(settings, {}, machine) if urls or (any_here and not named) else None
    scored = choose_reranker(settings, "", machine) if reranker_urls or (any_here and not named) else None
    found = [one.choice if one is not None and one.backend == "server" else None for one in (chosen, scored)]
    if any_here and not any(found):
        raise WrongRequest(
            "no model server is named or running here, and no index is named",
            remedy="name one of them: rag bench --url http://HOST:PORT, or rag bench --index NAME",
        )
    return found[0], found[1]


def _measured(
    embedder: Choice | None,
    reranker: Choice | None,
    index: str,
    queries: Path | None,
    load: Workload,
    patterns: list[Pattern],
    opened: ExitStack,
) -> Iterator[Measurement]:
    """Every measurement, as soon as it is made."""
    from rag.benchmark.model_servers import measure_embedder, measure_reranker
    from rag.cli.terminal import say

    if embedder is not None:
        yield from measure_embedder(embedder, load, say)
    if reranker is not None:
        yield from measure_reranker(reranker, load, say)
    if index:
        yield from _searches(index, queries, load.requests, patterns, opened)


def _searches(
    index: str, queries: Path | None, requests: int, patterns: list[Pattern], opened: ExitStack
) -> Iterator[Measurement]:
    import numpy as np

    from rag.benchmark.load import ClosedLoop
    from rag.benchmark.searching import USERS, WARM_UP, draw_queries, measure_searching
    from rag.cli.terminal import say
    from rag.search.federated import open_index

    searcher = opened.enter_context(open_index(index, say=say))
    wanted = patterns or [ClosedLoop(count) for count in USERS]
    asked = (
        _read_queries(queries) if queries else draw_queries(searcher, WARM_UP + requests * len(wanted), np.random.default_rng())
    )
    yield from measure_searching(searcher, asked, requests, wanted, say)


def _read_queries(file: Path) -> list[str]:
    """One a line; of a line of JSON, its `query`. WrongRequest if there is none."""
    import json

    from rag.errors import WrongRequest

    found: list[str] = []
    try:
        for line in filter(None, map(str.strip, file.read_text("utf-8").splitlines())):
            row = json.loads(line) if line.startswith("{") else {"query": line}
            found += [str(row["query"])] if row.get("query") else []
    except (OSError, ValueError) as error:
        raise WrongRequest(f"{file} cannot be read: {error}", remedy="give queries as text, one a line") from error
    if not found:
        raise WrongRequest(f"{file} holds no queries", remedy="write one a line")
    return found
