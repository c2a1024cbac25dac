"""Servers are started in turn, announced, watched and stopped, with a stand-in for `vllm` on PATH."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from rag.errors import WrongRequest
from rag.models.run_files import RunningServer, alive, announce, run_folder, running, withdraw
from rag.models.supervisor import reason_of

TOP = Path(__file__).parents[3]
FAKE = f"""#!{sys.executable}
import http.server, os, sys, time
words = sys.argv[1:]
if words == ["--version"]:
    print("INFO starting up"); print("0.33.0"); sys.exit()
port = int(words[words.index("--port") + 1])
log = os.environ["FAKE_LOG"]
def note(text):
    with open(log, "a") as file:
        file.write(f"{{time.monotonic()}} {{port}} {{text}}\\n")
note("started " + os.environ.get("VLLM_NO_USAGE_STATS", "-") + " " + words[1])
print("loading weights", flush=True)
if "dies" in words[1]:
    print("RuntimeError: out of memory", flush=True); sys.exit(7)
time.sleep(0.3)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", port), Health)
note("ready")
try:
    server.serve_forever(0.05)
except KeyboardInterrupt:
    note("stopped")
"""

pytestmark = pytest.mark.skipif(
    find_spec("vllm") is not None, reason="a real vllm is installed, and is preferred to the stand-in"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the stand-in on PATH, and its own run files."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/vllm").write_text(FAKE)
    (tmp_path / "bin/vllm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("PYTHONPATH", str(TOP))
    return tmp_path


@pytest.fixture
def serve(place: Path) -> Iterator[object]:
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rag.cli", "serve", *words, "--platform", "cpu"]
        process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_both_servers_start_in_turn_are_announced_and_stop_together(place: Path, serve, number: signal.Signals) -> None:
    ports = (free_port(), free_port())
    words = ("both", "--model", "Qwen/Qwen3-Embedding-0.6B", "--port", str(ports[0]), "--reranker-port", str(ports[1]))
    process = serve(*words)
    wait_for(lambda: running("reranker") and running("embedder"))
    (embedder,), (reranker,) = running("embedder"), running("reranker")
    assert (embedder.url, embedder.model) == (f"http://127.0.0.1:{ports[0]}", "Qwen/Qwen3-Embedding-0.6B")
    assert (reranker.url, reranker.model) == (f"http://127.0.0.1:{ports[1]}", "Qwen/Qwen3-Reranker-0.6B")
    assert embedder.pid != reranker.pid and abs(time.time() - embedder.started) < 60
    assert (place / "multimodal-rag").stat().st_mode & 0o777 == 0o700
    process.send_signal(number)
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "[embedder] loading weights" in talk and "reranker: Qwen/Qwen3-Reranker-0.6B answers at" in talk
    assert "Traceback" not in talk
    assert running("embedder") == running("reranker") == [] and list(run_folder().iterdir()) == []
    noted = [line.split(" ", 1)[1] for line in (place / "log").read_text().splitlines()]
    assert noted[:4] == [
        f"{ports[0]} started 1 Qwen/Qwen3-Embedding-0.6B",
        f"{ports[0]} ready",
        f"{ports[1]} started 1 Qwen/Qwen3-Reranker-0.6B",
        f"{ports[1]} ready",
    ]
    assert sorted(noted[4:]) == sorted(f"{port} stopped" for port in ports)


def test_a_server_that_dies_stops_the_other_and_its_last_lines_are_shown(place: Path, serve) -> None:
    ports = (free_port(), free_port())
    words = ("both", "--model", "Qwen/Qwen3-Embedding-0.6B", "--reranker-model", "own/reranker-that-dies")
    process = serve(*words, "--port", str(ports[0]), "--reranker-port", str(ports[1]))
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "the reranker server ended by itself (exit 7): RuntimeError: out of memory" in talk
    assert f"{ports[0]} stopped" in (place / "log").read_text()
    assert list(run_folder().iterdir()) == []


def test_a_killed_server_is_reported_as_killed(place: Path, serve) -> None:
    port = free_port()
    process = serve("embedder", "--model", "Qwen/Qwen3-Embedding-0.6B", "--port", str(port))
    wait_for(lambda: running("embedder"))
    os.kill(running("embedder")[0].pid, signal.SIGKILL)
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "the embedder server was killed (SIGKILL; Linux does that when memory runs out): loading weights" in talk


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_no_server_outlives_a_killed_rag_serve(place: Path, serve) -> None:
    process = serve("embedder", "--model", "Qwen/Qwen3-Embedding-0.6B", "--port", str(free_port()))
    wait_for(lambda: running("embedder"))
    (server,) = running("embedder")
    process.kill()
    process.wait(timeout=30)
    wait_for(lambda: not alive(server.pid))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [
                "(EngineCore pid=7) ERROR 11-21 [core.py:9] ValueError: the KV cache does not fit",
                "  raise RuntimeError(",
                "RuntimeError: Engine core initialization failed. See root cause above.",
                "[W1] resource_tracker: 2 leaked objects",
            ],
            "ValueError: the KV cache does not fit | RuntimeError: Engine core initialization failed. See root cause above.",
        ),
        (["huggingface_hub.errors.RepositoryNotFoundError: 404", ""], "huggingface_hub.errors.RepositoryNotFoundError: 404"),
        (["one", "two", "", "three", "four"], "two | three | four"),
        ([], ""),
    ],
)
def test_the_reason_is_found_among_the_last_lines(lines: list[str], reason: str) -> None:
    assert reason_of(lines) == reason


def test_a_taken_port_is_refused_before_anything_starts(place: Path, serve) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = serve("embedder", "--model", "Qwen/Qwen3-Embedding-0.6B", "--port", str(taken.getsockname()[1]))
        _, talk = process.communicate(timeout=30)
    assert process.returncode == 2 and "something already answers at" in talk
    assert not (place / "log").exists()


def test_without_vllm_the_extra_is_named(place: Path, serve) -> None:
    (place / "bin/vllm").unlink()
    process = serve("embedder", "--model", "Qwen/Qwen3-Embedding-0.6B")
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 2 and "pip install '.[vllm]'" in talk


# ---- run files ------------------------------------------------------------------------------------


def test_only_servers_that_are_alive_and_answer_are_running(place: Path) -> None:
    with socket.socket() as one, socket.socket() as two:
        for listener in (one, two):
            listener.bind(("127.0.0.1", 0))
            listener.listen()
        urls = [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in (one, two)]
        gone = subprocess.Popen(["true"])
        gone.wait()
        stale = announce(RunningServer("embedder", urls[1], "dead", gone.pid, 30.0))
        old = announce(RunningServer("embedder", urls[0], "old", os.getpid(), 10.0))
        other = subprocess.Popen(["sleep", "60"])
        new = announce(RunningServer("embedder", urls[1], "new", other.pid, 20.0))
        announce(RunningServer("reranker", f"http://127.0.0.1:{free_port()}", "silent", os.getpid(), 1.0))
        assert [found.model for found in running("embedder")] == ["new", "old"]
        assert running("reranker") == []
        assert not stale.exists(), "the next one to announce itself removes the files of the dead"
        withdraw(new)
        withdraw(new)
        assert [found.model for found in running("embedder")] == ["old"]
        other.kill()
        other.wait()
        assert old.exists() and run_folder().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"role": "embedder"}', json.dumps({"role": "embedder", "url": 3, "model": "", "pid": "x", "started": 0})],
)
def test_a_broken_run_file_is_ignored(place: Path, text: str) -> None:
    run_folder().mkdir(mode=0o700)
    (run_folder() / "embedder-1.json").write_text(text)
    assert running("embedder") == []


def test_a_folder_that_others_can_write_to_is_not_trusted(place: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        announce(RunningServer("embedder", f"http://127.0.0.1:{listener.getsockname()[1]}", "m", os.getpid(), 1.0))
        assert len(running("embedder")) == 1
        run_folder().chmod(0o777)
        assert running("embedder") == []
    with pytest.raises(WrongRequest, match="is not private to this user"):
        announce(RunningServer("embedder", "http://127.0.0.1:1", "m", os.getpid(), 1.0))


def test_a_run_file_is_private_in_a_folder_that_others_can_enter(place: Path) -> None:
    run_folder().mkdir(mode=0o755)
    written = announce(RunningServer("ui", "http://127.0.0.1:1", "", os.getpid(), 1.0, token="a key of sixteen letters"))
    assert written.stat().st_mode & 0o777 == 0o600


def test_without_a_runtime_folder_the_cache_is_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("HOME", str(place))
    assert run_folder() == place / ".cache/multimodal-rag"
    assert running("embedder") == []


def test_the_health_check_sends_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    from rag.client import connect

    sent: list[httpx.Request] = []

    def send(_: httpx.Client, request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"id": "of this run"} if request.url.path == "/healthz" else [])

    monkeypatch.setattr(httpx.Client, "send", send)
    with connect("http://127.0.0.1:7860", "a-key-of-16-letters") as client:
        assert (client.id(), client.indexes()) == ("of this run", [])
    assert [request.headers.get("Authorization") for request in sent] == [None, "Bearer a-key-of-16-letters"]
