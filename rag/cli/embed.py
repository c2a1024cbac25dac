"""`rag embed`: vectors of words, pictures and videos. Knows options and printing only."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from rag.cli.inputs import begun, content_of, few_of, lines_of
from rag.cli.options import Backend, Dim, Family, Json, Model, Url
from rag.cli.terminal import say


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

    A line is {"text": ..., "image": FILE, "video": FILE}; each key may be missing. Lines are read and answered some at a time.
    """
    from rag.choosing import choose_embedder, this_machine
    from rag.config import load_settings
    from rag.errors import WrongRequest
    from rag.opening import open_embedder

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
    one = bool(text or image or video)
    contents = begun([content_of({"text": text, "image": image, "video": video})] if one else lines_of(sys.stdin))
    chosen = choose_embedder(settings, {}, this_machine())
    say(f"{chosen.backend} {chosen.choice.model}".strip() + (f": {chosen.why}" if chosen.why else ""))
    embedder = open_embedder(chosen)
    vectors = (embedder.embed(few, role=role) for few in few_of(contents, embedder.batch))  # type: ignore[arg-type]
    _print_npy(vectors) if format == "npy" else _print_json(vectors)


def _print_json(vectors: Iterable[Any]) -> None:
    """An object for each vector, a line each."""
    import json

    for rows in vectors:
        for row in rows:
            print(json.dumps({"embedding": [float(value) for value in row]}))
        sys.stdout.flush()


def _print_npy(vectors: Iterable[Any]) -> None:
    """One float32 array of shape (inputs, dim)."""
    import numpy as np

    whole = io.BytesIO()  # numpy writes to a pipe past Python's buffer, and loses the rows there
    np.save(whole, np.concatenate(list(vectors)))
    sys.stdout.buffer.write(whole.getvalue())
