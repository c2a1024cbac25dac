"""Heavy libraries are imported where they are used and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rag

HEAVY = (
    "faiss",
    "numpy",
    "torch",
    "gradio",
    "onnxruntime",
    "rapidocr",
    "PIL",
    "av",
    "decord",
    "pypdfium2",
    "markitdown",
    "httpx",
    "lxml",
    "openpyxl",
)
OF_A_TERMINAL = ("rich",)  # typer's --help takes it, a query in a pipe does not


def loaded_after(code: str, cwd: Path) -> set[str]:
    watch = f"\nimport sys; print([name for name in {HEAVY + OF_A_TERMINAL!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + watch], capture_output=True, text=True, cwd=cwd)
    return set(eval(done.stderr.strip().splitlines()[-1]))


@pytest.mark.parametrize("words", ["--help", "--version", "query --help"])
def test_help_loads_nothing_heavy(words: str, tmp_path: Path) -> None:
    code = f"import sys\nsys.argv = ['rag', *{words.split()!r}]\nfrom rag.cli import main\ntry: main()\nexcept SystemExit: pass"
    assert loaded_after(code, tmp_path) <= set(OF_A_TERMINAL)


def test_the_package_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded_after("import rag", tmp_path) == set()


def test_a_query_of_a_small_index_loads_numpy_alone(corpus: Path, tmp_path: Path) -> None:
    rag.build_index(corpus, ocr="never")
    assert loaded_after("import rag; rag.open_index().query('harbour')", tmp_path) == {"numpy"}
    command = "import sys\nsys.argv = ['rag', 'query', 'harbour']\nfrom rag.cli import main\ntry: main()\nexcept SystemExit: pass"
    assert loaded_after(command, tmp_path) == {"numpy"}


def test_one_command_is_built_alone(tmp_path: Path) -> None:
    code = "from rag.cli.app import app_for\nimport sys\napp_for(['query', 'words'])\nassert 'rag.cli.serve' not in sys.modules"
    assert loaded_after(code, tmp_path) == set()
    from rag.cli.app import COMMANDS, app_for

    assert [one.name for one in app_for(["--help"]).registered_commands] == list(COMMANDS)
    assert [one.name for one in app_for(["qeury"]).registered_commands] == list(COMMANDS)
    assert [one.name for one in app_for(["query", "words"]).registered_commands] == ["query"]


def test_the_public_list() -> None:
    assert rag.__all__ == sorted(rag.__all__)
    assert all(getattr(rag, name) is not None for name in rag.__all__)
    assert sorted(rag.__all__) == [
        *("Client", "Filters", "Hit", "RagError", "Report", "Searcher", "Settings"),
        *("add_model", "build_index", "connect", "drop_model", "hit_json", "load_settings", "open_index", "remove_documents"),
    ]
