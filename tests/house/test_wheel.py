"""The wheel alone is the whole program: made from the sdist, installed far from the checkout, it indexes, finds and serves.

Knows the commands; knows nothing below them. What the program depends on is lent by the environment of the tests, so that nothing
is downloaded.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

TOP = Path(__file__).parents[2]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "NOTICE")
DATA = {
    "rag/py.typed",
    "rag/text/idf.bin",
    "rag/loaders/picture/classes.txt",
    "rag/loaders/picture/classifier.onnx",
    "rag/loaders/picture/seen_terms.tsv",
    "rag/backends/templates/qwen3_reranker.jinja",
    "ui/components/templates/results/component/index.js",
}
PATIENCE = 60.0  # seconds for the server to come up, on a busy machine
FAR = {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "PYTHON"))} | {"RAG_OCR": "never"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the sdist, and the wheel made from it."""
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    for package in ("rag", "ui"):
        shutil.copytree(TOP / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILT_FROM:
        shutil.copy(TOP / name, source)
    told = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(told, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of a fresh environment that has the wheel, and sees the packages but not the checkout."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(place, symlinks=True)
    scheme = {"base": str(place), "platbase": str(place)}
    own = Path(sysconfig.get_path("purelib", vars=scheme))
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "lent.pth").write_text("".join(f"{folder}\n" for folder in sorted(lent)))  # their own .pth files are not read
    commands = Path(sysconfig.get_path("scripts", vars=scheme))
    told = [sys.executable, "-m", "pip", "--python", str(commands / "python"), "install", "--quiet", "--no-index", "--no-deps"]
    done = subprocess.run([*told, *map(str, built.glob("*.whl"))], capture_output=True, text=True, env=FAR)
    assert done.returncode == 0, done.stdout + done.stderr
    return commands


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder far from the checkout, with a small corpus in it."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "corpus").mkdir()
    (folder / "corpus/harbour.md").write_text("# Dues\n\nThe harbour master raises the dues in spring.\n")
    (folder / "corpus/hills.txt").write_text("Sheep stand on the hills above the village.\n")
    return folder


def ran(command: Path, *words: str, folder: Path) -> str:
    """What a command of the fresh environment prints."""
    done = subprocess.run([str(command), *words], cwd=folder, env=FAR, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_file_of_the_packages_is_in_sdist_and_wheel(built: Path) -> None:
    here = {str(path.relative_to(TOP)) for part in ("rag", "ui") for path in (TOP / part).rglob("*") if path.is_file()}
    here = {name for name in here if "__pycache__" not in name}
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as opened:
        inside = set(opened.namelist())
    with tarfile.open(sdist) as packed:
        source = {name.partition("/")[2] for name in packed.getnames()}
    assert here >= DATA
    missing = sorted((here - inside) | (here - source))
    assert not missing, f"name them in pyproject.toml, package-data: {', '.join(missing)}"
    assert {name.partition("/")[0] for name in inside if ".dist-info/" not in name} == {"rag", "ui"}


def test_the_wheel_is_what_runs(installed: Path, outside: Path) -> None:
    code = (
        "import rag, ui; from rag.backends.families import FAMILIES; from rag.backends.prompts import template_file;"
        "print(rag.__file__, ui.__file__, *(template_file(FAMILIES[name]) for name in ('qwen3-reranker', 'qwen3-vl-reranker')))"
    )
    files = ran(installed / "python", "-c", code, folder=outside).split()
    assert all(Path(file).is_file() and Path(file).is_relative_to(installed.parent) for file in files), files
    assert len(files) == 4


def test_it_indexes_finds_and_serves_the_page(installed: Path, outside: Path) -> None:
    command = installed / "rag"
    ran(command, "index", "corpus", folder=outside)
    found = ran(command, "query", "harbour dues", "--format", "paths", folder=outside).splitlines()
    assert Path(found[0]).name == "harbour.md"
    with serving(command, outside) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        answer = client.post("/v1/search", json={"text": "harbour dues"}).raise_for_status().json()
        assert "harbour.md" in str(answer)
        page = client.get("/").raise_for_status().text
        names = set(re.findall(r"/page/([\w.-]+)", page))
        assert names, "the page names none of its files"
        for name in names | {path.name for path in (TOP / "ui/static").iterdir()}:
            file = client.get(f"/page/{name}").raise_for_status()
            assert file.content == (TOP / "ui/static" / name).read_bytes()


@contextmanager
def serving(command: Path, folder: Path) -> Iterator[str]:
    """A running `rag ui`; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = folder / "ui.log"
    with log.open("w") as lines:
        told = [str(command), "ui", "--no-open", "--port", str(port)]
        process = subprocess.Popen(told, cwd=folder, env=FAR, stdout=lines, stderr=lines)
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                httpx.get(f"{url}/healthz", timeout=PATIENCE).raise_for_status()
                break
            except httpx.TransportError:
                assert process.poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()
