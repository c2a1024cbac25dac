"""`python -m rag.cli` is `rag`. Knows only where the command starts."""

from rag.cli import main

main()
