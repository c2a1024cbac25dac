"""Options that several commands share. Knows their names and help; knows no command."""

from __future__ import annotations

from typing import Annotated

import typer

Index = Annotated[
    str, typer.Option("--index", "-i", help="Name or folder of the index. Default: RAG_INDEX, else the nearest indexes/default.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Embedder = Annotated[str | None, typer.Option(help="Which embedder: lite, or module:Class.")]
Reranker = Annotated[str | None, typer.Option(help="Which reranker: lite, none, or module:Class.")]
