"""The table of commands: one file each, which imports heavy libraries only when it runs.

Knows the commands' names; does not know what they do. A command that is asked for is built alone: nineteen of them with all
their options cost a query a tenth of its time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import typer

COMMANDS = {  # in the order of --help
    "index": "rag.cli.index:index",
    "query": "rag.cli.query:query",
    "ask": "rag.cli.ask:ask",
    "show": "rag.cli.show:show",
    "status": "rag.cli.status:status",
    "models": "rag.cli.models:models",
    "rm": "rag.cli.rm:rm",
    "check": "rag.cli.check:check",
    "repair": "rag.cli.repair:repair",
    "compact": "rag.cli.compact:compact",
    "embed": "rag.cli.embed:embed",
    "score": "rag.cli.score:score",
    "eval": "rag.cli.eval:evaluate",
    "bench": "rag.cli.bench:bench",
    "plan": "rag.cli.plan:plan",
    "config": "rag.cli.config:config",
    "serve": "rag.cli.serve:serve",
    "mcp": "rag.cli.mcp:mcp",
    "doctor": "rag.cli.doctor:doctor",
    "ui": "rag.cli.ui:ui",
    "key": "rag.cli.key:key",
}
if TYPE_CHECKING:
    app: typer.Typer


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """The program with the command that the arguments begin with; with all where they do not, as for --help or a wrong name."""
    named = arguments[0] if arguments else ""
    return app_of([named] if named in COMMANDS and "_RAG_COMPLETE" not in os.environ else COMMANDS)


def app_of(names: Iterable[str]) -> typer.Typer:
    """The program with these commands."""
    program = typer.Typer(
        name="rag",
        help="Search everything you have: text, PDFs, images, screenshots and videos in one ranked list.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(_main)
    for name in names:
        module, _, function = COMMANDS[name].partition(":")
        program.command(name)(getattr(import_module(module), function))
    return program


def _version(requested: bool) -> None:
    if requested:
        from rag import __version__

        typer.echo(f"rag {__version__}")
        raise typer.Exit


def _main(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")) -> None:
    """Search everything you have: text, PDFs, images, screenshots and videos in one ranked list."""


def __getattr__(name: str) -> typer.Typer:
    """`app`: the program with all commands, built when it is first used."""
    if name != "app":
        raise AttributeError(f"module 'rag.cli.app' has no attribute {name!r}")
    globals()["app"] = program = app_of(COMMANDS)
    return program
