"""Child processes: the environment of one that works for this process, and a signal to one with all that it started.

Knows processes; knows no model, no file and no message.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any


def worker_environment() -> dict[str, str]:
    """The environment of a Python child that imports the same modules as this process.

    It has no RAG_* variable, so no API key gets into a process that opens strangers' files, and one thread each for OpenMP and
    OpenBLAS: the cores are shared by processes, not by threads.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    environment["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return environment | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def signal_group(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    """Sends a signal to a process that leads its own group, and to everything in that group. Does nothing if all have ended.

    The group's number stays its own while anything of it lives, the process or one of its children.
    """
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # PermissionError: macOS, for a group of zombies
        pass
