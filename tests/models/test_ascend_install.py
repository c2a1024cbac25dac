"""The base install fits into the image of vLLM Ascend: it resolves under the image's pins and replaces none of them.

Asks the package registry, installs nothing. Wheels are those of the target; markers are still read for the machine of the test.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "deploy/ascend-constraints.txt"
LIBC = ("2_34", "2_31", "2_28", "2_27", "2_24", "2_17")  # newest first; the image is Ubuntu 22.04, glibc 2.35


def base() -> list[str]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["project"]["dependencies"])


def pins() -> dict[str, Requirement]:
    lines = [line for line in CONSTRAINTS.read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(wanted.name): wanted for wanted in map(Requirement, lines)}


def resolve(wanted: list[str], machine: str, python: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What pip would install on that machine, told in report.json of the folder; nothing is installed."""
    platforms = [part for libc in LIBC for part in ("--platform", f"manylinux_{libc}_{machine}")]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"),
        *("--report", str(folder / "report.json"), "--target", str(folder / "none"), "--only-binary", ":all:"),
        *("--python-version", python, *platforms, "--constraint", str(CONSTRAINTS), *wanted),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_the_base_install_keeps_every_pin_of_the_image(machine: str, python: str, tmp_path: Path) -> None:
    wanted = base()
    done = resolve(wanted, machine, python, tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "report.json").read_text())["install"]
    found = {canonicalize_name(one["metadata"]["name"]): one["metadata"]["version"] for one in told}
    assert {canonicalize_name(Requirement(one).name) for one in wanted} <= set(found)
    shared = {name: found[name] for name in found if name in pins()}
    assert {"opencv-python-headless", "protobuf", "pydantic"} <= set(shared)
    assert {name: version for name, version in shared.items() if not pins()[name].specifier.contains(version)} == {}
    assert not {"torch", "torch-npu", "transformers", "fastapi", "vllm", "vllm-ascend"} & set(found)
    assert not {"opencv-python", "opencv-contrib-python"} & set(found)  # they write over the files of the headless one


@pytest.mark.parametrize(("machine", "builds"), [("aarch64", True), ("x86_64", False)])
def test_the_extra_of_rag_eval_is_built_on_aarch64(machine: str, builds: bool, tmp_path: Path) -> None:
    """Why it is an extra; where this fails, there is a wheel now: make it a dependency again."""
    done = resolve(["pytrec-eval-terrier"], machine, "3.12", tmp_path)  # what ir-measures needs
    assert (done.returncode != 0) == builds, done.stderr
    assert ("No matching distribution found for pytrec-eval-terrier" in done.stderr) == builds
