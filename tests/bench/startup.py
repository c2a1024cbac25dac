"""How long the command takes before it does anything, beside a bare typer command.

Knows processes only.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Row, alternate, alternate_processor, command

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
LIBRARIES = "import numpy, apsw, faiss, typer, pydantic_settings"
UNCHANGED = 500  # files
SAMPLES = Path(__file__).parents[2] / "samples"


def rows() -> list[Row]:
    """`rag --help`, `rag --version`, a query, and an index run without changes."""
    rag = str(Path(sys.executable).with_name("rag"))
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare.py")
        bare.write_text(BARE)
        found = []
        for flag, same in (("--help", "--help"), ("--version", "one")):
            ours, floor = alternate(command([rag, flag]), command([sys.executable, str(bare), same]))
            ratio = ours / floor
            found.append(Row(f"`rag {flag}`", f"{ours:.3f} s", f"bare typer {floor:.3f} s", ratio, "≤ 2", ratio <= 2))
        found += _fresh_processes(rag, folder)
    return found


def _fresh_processes(rag: str, folder: str) -> list[Row]:
    """A query and an index run in which nothing changed, in processor time, beside the libraries that nothing can do without."""
    notes, many = str(SAMPLES / "corpus/notes"), Path(folder, "many")
    for number in range(UNCHANGED):
        file = many / f"d{number % 10}" / f"note-{number:03}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"note {number} about quay {number % 37} and crane {number % 11}\n")
    for index, corpus in (("a", notes), ("b", str(many))):
        command([rag, "index", corpus, "--ocr", "never", "--index", f"./{index}"], folder)()
    libraries, query, unchanged = alternate_processor(
        command([sys.executable, "-c", LIBRARIES]),
        command([rag, "query", "harbour dues", "--index", "./a"], folder),
        command([rag, "index", "--index", "./b"], folder),
    )
    floor = f"`{LIBRARIES}` {libraries:.3f} s"
    rows = (("`rag query`, processor time", query), (f"`rag index`, {UNCHANGED} files unchanged, processor time", unchanged))
    return [Row(what, f"{took:.3f} s", floor, took / libraries, "≤ 1.5", took <= 1.5 * libraries) for what, took in rows]
