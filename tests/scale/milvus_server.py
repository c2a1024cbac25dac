"""The Milvus server of the package `milvus` 2.3.5, with its own etcd and log, in a folder and at ports of its own.

Knows the package and its process; knows no client. The package leaves one port of etcd as it is: here that is set too, so that
several servers run on a machine.
"""

from __future__ import annotations

import ctypes
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

STARTS_IN = 240.0  # seconds, at most: after a kill it waits for the end of what it was to its own etcd
_ETCD = """
name: default
listen-client-urls: http://127.0.0.1:{clients}
advertise-client-urls: http://127.0.0.1:{clients}
listen-peer-urls: http://127.0.0.1:{peers}
initial-advertise-peer-urls: http://127.0.0.1:{peers}
initial-cluster: default=http://127.0.0.1:{peers}
"""
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def why_not() -> str:
    """Why it cannot run here; "" where it can."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return "the package milvus 2.3.5 is for Linux on x86-64"
    if find_spec("milvus") is None:
        return "the package milvus 2.3.5 is not installed: make test-scale-long installs it"
    return ""


class MilvusServer:
    """One server; `uri` stays the same through kills and starts."""

    def __init__(self, folder: Path) -> None:
        import milvus

        self._folder = folder
        names = [name for name in milvus.MilvusServerConfig().configurable_items if name.endswith("_port")]
        *ports, self._health, peers = _free_ports(len(names) + 2)
        config = milvus.MilvusServerConfig(data_dir=str(folder), **dict(zip(names, ports, strict=True)))
        config.resolve()
        file, written = folder / "configs/etcd.yaml", folder / "configs/milvus.yaml"
        file.write_text(_ETCD.format(clients=config.get("etcd_port"), peers=peers))
        written.write_text(written.read_text().replace("\netcd:\n", f"\netcd:\n  config:\n    path: {file}\n", 1))
        milvus._initialize_data_files(str(folder))  # unpacks the program
        self.port = config.get("proxy_port")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it says that it works; its collections may take longer."""
        variables = {"DEPLOY_MODE": "STANDALONE", "METRICS_PORT": str(self._health), "LD_LIBRARY_PATH": f"{self._folder}/bin"}
        with (self._folder / "said.txt").open("ab") as said:
            self._process = subprocess.Popen(
                [f"{self._folder}/bin/milvus", "run", "standalone"],
                cwd=self._folder,
                env={**os.environ, **variables},
                stdout=said,
                stderr=said,
                preexec_fn=_end_with_parent,
            )
        ends = time.monotonic() + STARTS_IN
        while not self._works():
            if self._process.poll() is not None or time.monotonic() > ends:
                last = (self._folder / "said.txt").read_text("utf-8", "replace")[-2_000:]
                raise RuntimeError(f"the Milvus server did not start (exit status {self._process.poll()}):\n{last}")
            time.sleep(0.2)

    def kill(self) -> None:
        """SIGKILL, and nothing of it runs any more."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _works(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._health}/healthz", timeout=5) as answer:
                return bool(answer.read() == b"OK")
        except (OSError, urllib.error.URLError):
            return False


@contextmanager
def running(folder: Path) -> Iterator[MilvusServer]:
    """A server that runs, and ends with the block however that ends."""
    server = MilvusServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _free_ports(count: int) -> list[int]:
    """Ports that nothing uses now, below those that outgoing connections take while the server is away."""
    with ExitStack() as opened:
        found: list[int] = []
        while len(found) < count:
            asked = opened.enter_context(socket.socket())
            with suppress(OSError):
                asked.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
                found.append(int(asked.getsockname()[1]))
        return found


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
