"""Connections of the `server` backend: keys, proxies, certificates, forks, and what is imported for them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.backends import EMBEDDERS, RERANKERS
from rag.backends.base import Choice
from rag.backends.server.embedder import ServerEmbedder
from rag.errors import BackendError
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer
from tests.unit.server_models import CRANE, SHORT, TEXT, embedder


def test_the_key_is_sent_in_its_header_and_never_shown():
    with FakeServer(TEXT) as server:
        embedder(server, TEXT, api_key="secret-key").embed([CRANE], role="document")
        assert server.requests[-1].headers["Authorization"] == "Bearer secret-key"
        server.always = fake.status(401, "wrong key")
        user = server.url.replace("//", "//user:hidden@")
        with pytest.raises(BackendError) as raised:
            ServerEmbedder(Choice(model=TEXT, urls=(user,)), SHORT).embed([CRANE], role="document")
        assert "hidden" not in raised.value.what + raised.value.remedy
        assert "RAG_API_KEY" in raised.value.remedy


def test_no_proxy_is_used_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with FakeServer(TEXT) as server:
        assert embedder(server, TEXT).embed([CRANE], role="document").shape == (1, 1024)


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_https_needs_a_certificate_that_is_trusted(tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    with FakeServer(TEXT, tls=(cert, key)) as server:
        trusting = embedder(server, TEXT, ca_bundle=str(cert))
        assert trusting.embed([CRANE], role="document").shape == (1, 1024)
        with pytest.raises(BackendError, match="certificate is not trusted") as raised:
            embedder(server, TEXT).embed([CRANE], role="document")
        assert "RAG_CA_BUNDLE" in raised.value.remedy


def test_a_forked_child_can_use_the_embedder():
    code = f"""
import os
from rag.backends.base import Choice
from rag.backends.server.embedder import ServerEmbedder
from rag.types import Content
from tests.faults.fake_server import FakeServer
with FakeServer({TEXT!r}) as server:
    choice = Choice(model={TEXT!r}, urls=(server.url,), timeout=5.0)
    ServerEmbedder(choice).embed([Content("text", text="a")], role="query")
    child = os.fork()
    if not child:
        os._exit(ServerEmbedder(choice).embed([Content("text", text="b")], role="query").shape[1] % 251)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1024 % 251
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30, cwd=Path(__file__).parents[4])


def test_the_tables_import_nothing_heavy():
    assert EMBEDDERS["server"] == "rag.backends.server.embedder:ServerEmbedder"
    assert RERANKERS["server"] == "rag.backends.server.reranker:ServerReranker"
    code = (
        "import sys, rag.backends.server.embedder, rag.backends.server.reranker\n"
        "print([name for name in ('PIL', 'torch', 'vllm', 'faiss', 'gradio') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
