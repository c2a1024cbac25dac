"""`rag rm`: forget documents. Knows printing only."""

from __future__ import annotations

from typing import Annotated

import typer

from rag.cli.options import Index
from rag.cli.terminal import say


def rm(
    paths: Annotated[list[str], typer.Argument(help="Documents, folders or whole roots: paths on disk, or below a root.")],
    index: Index = "",
) -> None:
    """Forget documents. The files stay; those in an indexed folder come back with the next `rag index`."""
    from rag.indexing.remove import remove_documents

    for path in paths:
        count = remove_documents(path, index, say=say)
        print(f"forgot {count} document{'' if count == 1 else 's'} of {path}")
