"""The table of commands: one file each, which imports heavy libraries only when it runs.

Knows the commands' names; does not know what they do.
"""

from __future__ import annotations

import typer

from rag.cli import (
    ask,
    check,
    compact,
    config,
    doctor,
    embed,
    eval,
    index,
    mcp,
    query,
    repair,
    rm,
    score,
    serve,
    show,
    status,
    ui,
)

app = typer.Typer(
    name="rag",
    help="Search everything you have: text, PDFs, images, screenshots and videos in one ranked list.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(requested: bool) -> None:
    if requested:
        from rag import __version__

        typer.echo(f"rag {__version__}")
        raise typer.Exit


@app.callback()
def _main(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")) -> None:
    """Search everything you have: text, PDFs, images, screenshots and videos in one ranked list."""


app.command("index")(index.index)
app.command("query")(query.query)
app.command("ask")(ask.ask)
app.command("show")(show.show)
app.command("status")(status.status)
app.command("rm")(rm.rm)
app.command("check")(check.check)
app.command("repair")(repair.repair)
app.command("compact")(compact.compact)
app.command("embed")(embed.embed)
app.command("score")(score.score)
app.command("eval")(eval.evaluate)
app.command("config")(config.config)
app.command("serve")(serve.serve)
app.command("mcp")(mcp.mcp)
app.command("doctor")(doctor.doctor)
app.command("ui")(ui.ui)
