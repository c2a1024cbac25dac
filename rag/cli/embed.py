"""`rag embed`: prints vectors of text, pictures and videos. Knows options and printing only."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.inputs import Line, Refusal, answer, batches_of, content_of, read_lines, report_refusals, require_input
from rag.cli.options import Backend, Dim, Family, Json, Model, Url
from rag.cli.terminal import say

if TYPE_CHECKING:
    from rag.types import Content


def embed(
    role: Annotated[str, typer.Option(help="document or query: each has its own instruction.")] = "document",
    text: Annotated[str, typer.Option(help="The text.")] = "",
    image: Annotated[str, typer.Option(help="A picture file.", metavar="FILE")] = "",
    video: Annotated[str, typer.Option(help="A video file.", metavar="FILE")] = "",
    backend: Backend = None,
    model: Model = None,
    family: Family = None,
    url: Url = None,
    dim: Dim = None,
    instruction: Annotated[str | None, typer.Option(help="Instruction to the model. Default: its own.")] = None,
    format: Annotated[str, typer.Option(help="json or npy.")] = "json",
    json: Json = False,
) -> None:
    """Print the vector of one input (text and a picture together are one), or of each JSON line on stdin.

    A line is {"text": ..., "image": FILE, "video": FILE}, each key optional. Lines are answered in batches, in order. An input
    that is refused gets an error in its place, and the exit code is then 1.
    """
    from rag.config import load_settings
    from rag.errors import INPUTS_REFUSED, WrongRequest
    from rag.models.loading import open_embedder
    from rag.models.selection import choose_embedder, this_machine

    if role not in ("document", "query"):
        raise WrongRequest(f"no role is called {role!r}", remedy="the roles are: document, query")
    if format not in ("json", "npy"):
        raise WrongRequest(f"no format is called {format!r}", remedy="the formats are: json, npy")
    if json and format == "npy":
        raise WrongRequest("--json and --format npy contradict each other", remedy="leave one of them out")
    if format == "npy" and sys.stdout.isatty():
        raise WrongRequest(
            "npy is binary, and stdout is a terminal", remedy="redirect it to a file: rag embed ... --format npy > out.npy"
        )
    instructions = {"query_instruction" if role == "query" else "document_instruction": instruction}
    settings = load_settings(
        {"backend": backend, "model": model, "family": family, "url": url or None, "dim": dim, **instructions}
    )
    content = content_of({"text": text, "image": image, "video": video}) if text or image or video else None
    lines = require_input(read_lines(sys.stdin) if content is None else [Line(1, content)])
    chosen = choose_embedder(settings, {}, this_machine())
    say(f"{chosen.backend} {chosen.choice.model}".strip() + (f": {chosen.why}" if chosen.why else ""))
    embedder = open_embedder(chosen)

    def embed_batch(contents: list[Content]) -> Sequence[Any]:
        return list(embedder.embed(contents, role=role))  # type: ignore[arg-type]

    if content is not None:
        answers: Iterable[Any] = embed_batch([content])
    else:
        answers = (one for batch in batches_of(lines, embedder.batch) for one in answer(batch, embed_batch, embedder.modalities))
    refused: list[Refusal] = []
    answers = report_refusals(answers, "stdin, line", refused)
    _print_npy(answers, embedder.fingerprint.dim) if format == "npy" else _print_json(answers)
    if refused:
        raise typer.Exit(INPUTS_REFUSED)


def _print_json(answers: Iterable[Any]) -> None:
    """Prints a JSON object per input as soon as it is there: its vector, or the error."""
    import json

    for one in answers:
        row = {"error": one.reason, "line": one.number} if isinstance(one, Refusal) else {"embedding": one.tolist()}
        print(json.dumps(row), flush=True)


def _print_npy(answers: Iterable[Any], dim: int) -> None:
    """Writes one float32 array of shape (inputs, dim). A refused input is a row of NaN, so that row numbers match inputs."""
    import numpy as np

    rows = [np.full(dim, np.nan, np.float32) if isinstance(one, Refusal) else one for one in answers]
    array = io.BytesIO()  # to a pipe numpy writes past Python's buffer, and rows get lost
    np.save(array, np.stack(rows))
    sys.stdout.buffer.write(array.getvalue())
