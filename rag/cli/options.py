"""Options that several commands share. Knows their names and help; knows no command."""

from __future__ import annotations

from typing import Annotated

import typer

Index = Annotated[
    str, typer.Option("--index", "-i", help="Name or folder of the index. Default: RAG_INDEX, else the nearest indexes/default.")
]
Indexes = Annotated[
    list[str] | None, typer.Option("--index", "-i", help="Name or folder of the index; repeatable: several are searched as one.")
]
IndexKind = Annotated[
    str | None, typer.Option(help="In Milvus, what vectors lie under: auto (by their number), flat, hnsw, ivf_rabitq.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Backend = Annotated[str | None, typer.Option(help="Where the embedder runs: auto, lite, small, server, vllm, transformers.")]
Model = Annotated[str | None, typer.Option(help="Which embedding model: a name or a local folder.")]
Family = Annotated[str | None, typer.Option(help="Model family (prompts and limits), where the name does not tell.")]
Url = Annotated[list[str] | None, typer.Option(help="Endpoint that serves the embedder (repeatable).")]
Dim = Annotated[int | None, typer.Option(help="Vector length, for models that can shorten vectors.")]
Space = Annotated[
    list[str] | None,
    typer.Option(help="Ask only this model of the index, as `rag models` names it (repeatable).", metavar="NAME"),
]
Reranker = Annotated[str | None, typer.Option(help="Where the reranker runs: auto, none, lite, server, vllm, transformers.")]
RerankerModel = Annotated[str | None, typer.Option(help="Which reranking model: a name or a local folder.")]
RerankerFamily = Annotated[str | None, typer.Option(help="Reranker family (prompts and limits), where the name does not tell.")]
RerankerUrl = Annotated[list[str] | None, typer.Option(help="Endpoint that serves the reranker (repeatable).")]
