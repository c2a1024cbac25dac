"""The documentation does not lie: its commands run, its tree is the tree, every option and setting is described."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from rag.cli.app import app
from rag.config import Settings

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text("utf-8")
COMMANDS = (TOP / "docs/commands.md").read_text("utf-8")
SETTINGS = (TOP / "docs/settings.md").read_text("utf-8")
UNASKED = {"--help", "--install-completion", "--show-completion"}


def commands_of(text: str) -> list[str]:
    """The lines that start with `rag ` in the ```sh blocks, comments left off."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.startswith("rag ")]


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    """In the order they stand, in a folder that holds `samples`; queries may find nothing, but never fail."""
    (tmp_path / "samples").symlink_to(TOP / "samples")
    (tmp_path / "corpus").symlink_to(TOP / "samples/corpus/notes")
    (tmp_path / "photo.jpg").write_bytes(next((TOP / "samples/corpus").rglob("*.jpg")).read_bytes())
    commands = commands_of(README)
    assert len(commands) >= 8
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    for command in commands:
        words = shlex.split(command)
        done = subprocess.run(
            [sys.executable, "-m", "rag.cli", *words[1:]],
            cwd=tmp_path,
            input="harbour dues\n",
            capture_output=True,
            text=True,
            env={**environment, "PYTHONPATH": str(TOP), "RAG_OCR": "never"},
        )
        assert done.returncode in (0, 1), f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, command


def test_the_tree_of_the_readme_is_the_tree() -> None:
    """Every path the annotated tree names is there, and every file and folder of `rag` is named."""
    tree = README.split("## The tree")[1].split("```")[1]
    named: set[str] = set()
    folders: list[tuple[int, str]] = []
    for line in tree.splitlines()[1:]:
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        names = line.strip().split("   ")[0]
        folders = [folder for folder in folders if folder[0] < depth]
        for name in re.split(r"[ ,]+", names.strip()):
            path = "".join(folder for _, folder in folders) + name
            assert (TOP / path).exists(), f"the tree names {path}"
            named.add(path.rstrip("/"))
            if name.endswith("/"):
                folders = [*folders, (depth, name)]
    rooms = [
        path for path in (TOP / "rag").iterdir() if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    ]
    missing = {str(path.relative_to(TOP)) for path in rooms} - named
    assert not missing


def test_every_option_of_every_command_is_described() -> None:
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        section = COMMANDS.split(f"## rag {name}\n")
        assert len(section) == 2, f"docs/commands.md has no section `rag {name}`"
        text = section[1].split("\n## ")[0]
        for parameter in command.params:
            options = [option for option in (*parameter.opts, *parameter.secondary_opts) if option.startswith("--")]
            for option in set(options) - UNASKED:
                assert f"`{option}" in text, f"docs/commands.md, rag {name}: {option} is not described"


@pytest.mark.parametrize("key", Settings.model_fields)
def test_every_setting_is_described_with_its_default(key: str) -> None:
    default = Settings.model_fields[key].default
    shown = ",".join(default) if isinstance(default, tuple) else str(default)
    row = next((line for line in SETTINGS.splitlines() if line.startswith(f"| `{key}`")), "")
    assert row, f"docs/settings.md does not describe {key}"
    assert f"`{shown}`" in row or (not default and default != 0 and "empty" in row), (
        f"docs/settings.md, {key}: the default is {shown}"
    )


def test_the_version_is_one() -> None:
    import rag

    assert f'version = "{rag.__version__}"' in (TOP / "pyproject.toml").read_text("utf-8")
    assert f"## {rag.__version__}" in (TOP / "CHANGELOG.md").read_text("utf-8")
