"""`rag embed`: vectors of words, pictures and videos. Knows options and printing only."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.inputs import Line, Refusal, answers_of, begun, content_of, few_of, lines_of, telling
from rag.cli.options import Backend, Dim, Family, Json, Model, Url
from rag.cli.terminal import say

if TYPE_CHECKING:
    from rag.types import Content


def embed(
    role: Annotated[str, typer.Option(help="document or query: they are told different things.")] = "document",
    text: Annotated[str, typer.Option(help="Words.")] = "",
    image: Annotated[str, typer.Option(help="A picture file.", metavar="FILE")] = "",
    video: Annotated[str, typer.Option(help="A video file.", metavar="FILE")] = "",
    backend: Backend = None,
    model: Model = None,
    family: Family = None,
    url: Url = None,
    dim: Dim = None,
    instruction: Annotated[str | None, typer.Option(help="What the model is told; its own by default.")] = None,
    format: Annotated[str, typer.Option(help="json or npy.")] = "json",
    json: Json = False,
) -> None:
    """Print the vector of one input (words and a picture together are one), or of each JSON line on stdin.

    A line is {"text": ..., "image": FILE, "video": FILE}; each key may be missing. Lines are answered some at a time, in order;
    the reason stands in the place of one that cannot be answered, and the exit code is then 1.
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
        raise WrongRequest("--json and --format npy exclude each other", remedy="leave one of them out")
    if format == "npy" and sys.stdout.isatty():
        raise WrongRequest(
            "npy is binary, and stdout is a terminal", remedy="send it to a file: rag embed ... --format npy > out.npy"
        )
    told = {"query_instruction" if role == "query" else "document_instruction": instruction}
    settings = load_settings({"backend": backend, "model": model, "family": family, "url": url or None, "dim": dim, **told})
    content = content_of({"text": text, "image": image, "video": video}) if text or image or video else None
    lines = begun(lines_of(sys.stdin) if content is None else [Line(1, content)])
    chosen = choose_embedder(settings, {}, this_machine())
    say(f"{chosen.backend} {chosen.choice.model}".strip() + (f": {chosen.why}" if chosen.why else ""))
    embedder = open_embedder(chosen)

    def ask(some: list[Content]) -> Sequence[Any]:
        return list(embedder.embed(some, role=role))  # type: ignore[arg-type]

    if content is not None:
        answers: Iterable[Any] = ask([content])
    else:
        answers = (one for few in few_of(lines, embedder.batch) for one in answers_of(few, ask, embedder.modalities))
    refused: list[Refusal] = []
    answers = telling(answers, "stdin, line", refused)
    _print_npy(answers, embedder.fingerprint.dim) if format == "npy" else _print_json(answers)
    if refused:
        raise typer.Exit(INPUTS_REFUSED)


def _print_json(answers: Iterable[Any]) -> None:
    """An object on a line for each vector, at once; for what was refused, why."""
    import json

    for one in answers:
        said = {"error": one.reason, "line": one.number} if isinstance(one, Refusal) else {"embedding": one.tolist()}
        print(json.dumps(said), flush=True)


def _print_npy(answers: Iterable[Any], dim: int) -> None:
    """One float32 array of shape (inputs, dim); a row is all NaN where an input was refused, so that rows keep their places."""
    import numpy as np

    rows = [np.full(dim, np.nan, np.float32) if isinstance(one, Refusal) else one for one in answers]
    whole = io.BytesIO()  # numpy writes to a pipe past Python's buffer, and loses the rows there
    np.save(whole, np.stack(rows))
    sys.stdout.buffer.write(whole.getvalue())
