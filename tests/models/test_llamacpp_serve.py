"""`rag serve --engine llamacpp` as a user runs it: found with its key by other commands, and gone with its parent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import httpx
import pytest

from rag.models.run_files import alive, running
from tests.models import checkpoints as tiny
from tests.models import engines, gguf_files

RAG = (sys.executable, "-m", "rag.cli")


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return found


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder to work in, with run files of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/crane.txt").write_text("The harbour crane is inspected every spring.")
    return tmp_path


@pytest.fixture
def serve(place, checkpoints):
    started = []

    def begin(which, *flags):
        folder = place / which
        gguf_files.convert(tiny.make(which, checkpoints), folder)
        words = ("serve", which.partition("-")[2], "--engine", "llamacpp", "--model", str(folder))
        log = (place / f"{which}.log").open("wb")
        started.append(subprocess.Popen((*RAG, *words, *flags, "--", "-t", "1"), stdout=log, stderr=subprocess.STDOUT))
        return started[-1]

    yield begin
    for process in started:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def rag(*words):
    return subprocess.run((*RAG, *words), capture_output=True, text=True, timeout=120)


def test_index_and_query_find_the_servers_and_their_keys(place, serve):
    for which in ("vl-embedder", "vl-reranker"):
        serve(which, "--port" if which == "vl-embedder" else "--reranker-port", str(engines.free_port()))
    (embedder,), (reranker,) = wait_for(lambda: running("embedder")), wait_for(lambda: running("reranker"))
    assert (embedder.model, reranker.model) == (
        "Qwen3-VL-Embedding-tiny-F32+mmproj-F32",
        "Qwen3-VL-Reranker-tiny-F32+mmproj-F32",
    )
    assert len(embedder.token) >= 24 and embedder.token != reranker.token
    assert httpx.post(f"{embedder.url}/v1/embeddings", json={"input": ["x"]}).status_code == 401
    indexed = rag("index", "corpus")
    assert indexed.returncode == 0, indexed.stderr
    found = rag("query", "crane", "--format", "json")
    assert found.returncode == 0, found.stderr
    [hit] = json.loads(found.stdout)
    assert hit["document"] == "crane.txt"
    assert 0 < hit["rerank_score"] < 1
    assert "GGUF F32, mmproj F32" in rag("status").stdout
    proven = rag("doctor", "--json")
    failed = [one for one in json.loads(proven.stdout)["findings"] if one["verdict"] == "failed"]
    assert failed == []
    said = (place / "vl-embedder.log").read_text()
    assert "GiB weights" in said and embedder.token not in said


def test_nothing_is_left_when_rag_serve_is_killed(serve):
    process = serve("text-embedder", "--port", str(engines.free_port()))
    (server,) = wait_for(lambda: running("embedder"))
    process.kill()
    process.wait(10)
    wait_for(lambda: not alive(server.pid))


def test_a_dry_run_prints_the_command_without_the_key(place, checkpoints):
    file = gguf_files.convert(tiny.make("vl-reranker", checkpoints), place)
    done = rag("serve", "reranker", "--engine", "llamacpp", "--model", str(file), "--dry-run")
    assert done.stdout.strip() == (
        f'LLAMA_API_KEY="$LLAMA_API_KEY" llama-server --model {file} --alias Qwen3-VL-Reranker-tiny-F32+mmproj-F32 '
        "--host 127.0.0.1 --port 8001 --embeddings --pooling last -c 10241 -np 1 -b 512 -ub 512 -lv 1 "
        f"--mmproj {place}/mmproj-Qwen3-VL-Reranker-tiny-F32.gguf --image-min-tokens 4 --image-max-tokens 1280"
    )


def test_a_flag_that_is_not_known_ends_with_its_name(place, checkpoints):
    file = gguf_files.convert(tiny.make("text-embedder", checkpoints), place)
    port = str(engines.free_port())
    done = rag("serve", "embedder", "--engine", "llamacpp", "--model", str(file), "--port", port, "--", "--no-such-flag")
    assert done.returncode == 3
    assert "--no-such-flag" in done.stderr
