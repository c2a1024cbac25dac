"""How long the command takes before it does anything, beside a bare typer command.

Knows processes only.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Row, alternate, command, seconds

BARE = """
import typer
app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})
@app.callback()
def main(version: bool = typer.Option(False, "--version")) -> None: "A command."
@app.command()
def one(name: str = "x") -> None: "A subcommand."
@app.command()
def two(name: str = "x") -> None: "Another."
app()
"""
SAMPLES = Path(__file__).parents[2] / "samples"


def rows() -> list[Row]:
    """`rag --help`, `rag --version` and a query on the samples."""
    rag = str(Path(sys.executable).with_name("rag"))
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare.py")
        bare.write_text(BARE)
        found = []
        for flag, same in (("--help", "--help"), ("--version", "one")):
            ours, floor = alternate(command([rag, flag]), command([sys.executable, str(bare), same]))
            ratio = ours / floor
            found.append(Row(f"`rag {flag}`", f"{ours:.3f} s", f"bare typer {floor:.3f} s", ratio, "≤ 2", ratio <= 2))
        command([rag, "index", str(SAMPLES / "corpus/notes"), "--ocr", "never"], folder)()
        query = command([rag, "query", "harbour dues", "--format", "paths"], folder)
        query()
        taken = statistics.median(seconds(query) for _ in range(7))
        idle = statistics.median(seconds(command([sys.executable, "-c", "pass"])) for _ in range(7))
        found.append(
            Row("`rag query`, beyond Python", f"{taken - idle:.3f} s", "0.4 s", (taken - idle) / 0.4, "≤ 1", taken - idle <= 0.4)
        )
    return found
