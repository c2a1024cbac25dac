"""The documentation does not lie: its commands run, its tree, paths, links and figures are right, every option is described.

Knows how the pages are written; docs/python.md has a test of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
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
OURS = ["rag", "tests", "ui", "docs", "deploy", "indexes", "samples"]  # folders that the pages speak of
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *(page for folder in OURS for page in sorted((TOP / folder).rglob("*.md")))]
PAGES = [page for page in PAGES if not {"corpus", "broken", "make"} & set(page.relative_to(TOP).parts)]
MADE = re.compile(r"indexes/(?!README)|[<*…]")  # what runs make, and patterns


def commands_of(text: str) -> list[str]:
    """The lines that start with `rag ` in the ```sh blocks, comments left off."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.startswith("rag ")]


def test_the_commands_and_the_program_of_the_readme_run(tmp_path: Path) -> None:
    """In the order they stand, in a folder that holds `samples`; queries may find nothing, but never fail."""
    (tmp_path / "samples").symlink_to(TOP / "samples")
    (tmp_path / "corpus").symlink_to(TOP / "samples/corpus/notes")
    (tmp_path / "photo.jpg").write_bytes(next((TOP / "samples/corpus").rglob("*.jpg")).read_bytes())
    commands = commands_of(README)
    assert len(commands) >= 8
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    [program] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for command in (*commands, program):
        words = ["-c", program] if command == program else ["-m", "rag.cli", *shlex.split(command)[1:]]
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            input="harbour dues\n",
            capture_output=True,
            text=True,
            env={**environment, "PYTHONPATH": str(TOP), "RAG_OCR": "never"},
        )
        assert done.returncode in (0, 1), f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, command


def test_the_tree_of_the_readme_is_the_tree() -> None:
    """Every path the annotated tree names is there, and every package and module of `rag` is named."""
    tree = README.split("## The tree")[1].split("```")[1].strip("\n").splitlines()
    assert len(tree) <= 30
    named = set(paths_of(tree))
    for path in named:
        assert (TOP / path).exists(), f"the tree names {path}"
    rooms = [
        path for path in (TOP / "rag").iterdir() if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    ]
    missing = {path.relative_to(TOP).as_posix() for path in rooms} - {"rag/__init__.py"} - named
    assert not missing


def paths_of(tree: list[str]) -> Iterator[str]:
    """The paths of a tree: names before three spaces, separated by commas, below the folder that is less indented."""
    folders: list[tuple[int, str]] = []
    for line in tree:
        depth = len(line) - len(line.lstrip())
        folders = [folder for folder in folders if folder[0] < depth]
        for name in re.split(r"[ ,]+", line.strip().split("   ")[0]):
            path = "".join(folder for _, folder in folders) + name
            yield path.rstrip("/")
            if name.endswith("/"):
                folders = [*folders, (depth, name)]


def named_in(page: Path) -> Iterator[str]:
    """The paths of this repository that a page names in backticks."""
    for name in re.findall(r"`([\w./-]+)`", page.read_text("utf-8")):
        if name.split("/")[0] in OURS and "/" in name and not MADE.search(name):
            yield name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(TOP).as_posix())
def test_every_path_and_link_of_a_page_leads_somewhere(page: Path) -> None:
    for name in named_in(page):
        assert (TOP / name).exists(), f"{page.name} names {name}"
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if not target.startswith(("http:", "https:")):
            file, _, anchor = target.partition("#")
            found = page.parent / file if file else page
            assert found.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in anchors_of(found), f"{page.name} links to {target}"


def anchors_of(page: Path) -> set[str]:
    """The anchors of the headings of a page, as they are made of their words."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_measured_figures_of_the_readme_are_those_of_the_benchmarks() -> None:
    """Each row stands there: what was measured, and what came out."""
    table = README.split("## How fast it is")[1].split("\n## ")[0]
    measured = [line for line in (TOP / "tests/bench/README.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if re.match(r"\| .*\d", line)]
    assert len(rows) == 3
    for what, figure in rows:
        assert any(line.startswith(f"| {what}") and f"| {figure} |" in line for line in measured), what


def test_the_layers_of_the_architecture_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = "".join(f"    {layer}\n" for layer in contracts[0]["layers"])
    assert layers in (TOP / "docs/architecture.md").read_text("utf-8")


def test_nobody_is_told_to_install_a_name_that_anybody_could_register() -> None:
    """Until the package is published, only a checkout is installed."""
    texts = [
        *PAGES,
        *(TOP / "rag").rglob("*.py"),
        *(TOP / "ui").rglob("*.py"),
        *(one for one in (TOP / "deploy").rglob("*") if one.is_file()),
    ]
    for file in texts:
        assert not re.search(r"install\b[^\n]*['\" ]multimodal-rag\b", file.read_text("utf-8")), f"{file} installs by name"


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
