"""Servers that restart, die or never existed; invalid addresses and keys; kept connections; a request ended by Ctrl-C."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.server.client import RetryPolicy
from rag.backends.server.embedder import ServerEmbedder
from rag.errors import BackendError, WrongSetting
from rag.types import Content
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer
from tests.faults.server_asking import AMPLE, MODEL, SHORT, TEXTS, closed_port, embedder, truth


def test_a_restarting_server_is_waited_for(server):
    asking = embedder(server)
    asking.embed(TEXTS, role="document")
    back = server.restart_after(0.8)
    np.testing.assert_allclose(asking.embed(TEXTS, role="document"), truth(server), atol=1e-6)
    back.join()


def test_a_server_that_restarts_with_another_model_is_refused(server):
    asking = embedder(server)
    asking.embed(TEXTS, role="document")
    server.model = server.root = "Qwen/Qwen3-Embedding-8B"
    back = server.restart_after(0.2)
    with pytest.raises(BackendError, match=r"serves Qwen/Qwen3-Embedding-8B, not Qwen/Qwen3-Embedding-0\.6B"):
        asking.embed(TEXTS, role="document")
    back.join()


def test_a_server_that_never_answered_is_not_waited_for_long():
    policy = RetryPolicy(total=3600.0, unreachable=0.5, first_rest=0.01, longest_rest=0.05)
    asking = ServerEmbedder(Choice(model=MODEL, urls=(f"http://127.0.0.1:{closed_port()}",)), policy)
    began = time.monotonic()
    with pytest.raises(BackendError, match="cannot be reached: Connection refused") as raised:
        asking.embed(TEXTS, role="document")
    assert time.monotonic() - began < 600  # `unreachable`, not an hour
    assert "start the server" in raised.value.remedy


def test_an_unknown_host_name_is_reported():
    with pytest.raises(BackendError, match=r"cannot be reached: .*(known|resol|associated)"):
        ServerEmbedder(Choice(model=MODEL, urls=("http://nowhere.invalid:8000",)), SHORT).embed(TEXTS, role="document")


def test_a_dead_endpoint_does_not_affect_the_other(server):
    dead = f"http://127.0.0.1:{closed_port()}"
    many = [Content("text", text=f"passage {number}") for number in range(200)]
    asking = ServerEmbedder(Choice(model=MODEL, urls=(dead, server.url), in_flight=2, timeout=AMPLE), SHORT)
    np.testing.assert_allclose(asking.embed(many, role="document"), truth(server, many), atol=1e-6)
    assert len(server.requests) == 7


def test_an_endpoint_that_dies_is_avoided_and_used_again_later(server):
    with FakeServer(MODEL) as other:
        many = [Content("text", text=f"passage {number}") for number in range(400)]
        asking = embedder(server, other, in_flight=1)
        asking.embed(many, role="document")
        assert server.requests and other.requests
        other.stop()
        np.testing.assert_allclose(asking.embed(many, role="document"), truth(server, many), atol=1e-6)
        other.start()
        before = len(other.requests)
        deadline = time.monotonic() + 60
        while len(other.requests) == before and time.monotonic() < deadline:
            asking.embed(many, role="document")
        assert len(other.requests) > before


def test_ctrl_c_ends_a_request_at_once(server):
    server.always = fake.silent(60)
    code = f"""
import signal
from rag.backends.base import Choice
from rag.backends.server.embedder import ServerEmbedder
from rag.types import Content
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with Ctrl-C ignored
try:
    ServerEmbedder(Choice(model={MODEL!r}, urls=({server.url!r},))).embed([Content("text", text="a")], role="query")
except KeyboardInterrupt:
    print("stopped")
"""
    asking = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    while not server.requests and asking.poll() is None:
        time.sleep(0.01)
    asking.send_signal(signal.SIGINT)
    assert asking.communicate(timeout=20)[0] == "stopped\n"  # the request alone would take 60 s
    assert asking.returncode == 0


def test_connections_are_kept_and_closed_with_their_embedder(server):
    asking = embedder(server, in_flight=2)
    for _ in range(20):
        asking.embed(TEXTS, role="document")
    assert server.accepted <= 2
    del asking
    deadline = time.monotonic() + 10
    while server.open_connections and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.open_connections == 0


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://host", "http://", "http://host:port"])
def test_an_invalid_address_is_refused(url):
    with pytest.raises(WrongSetting) as raised:
        ServerEmbedder(Choice(model=MODEL, urls=(url,)))
    assert "http://HOST:PORT" in raised.value.remedy


def test_unusable_keys_and_certificates_are_refused(tmp_path):
    with pytest.raises(WrongSetting, match="API key"):
        ServerEmbedder(Choice(model=MODEL, urls=("http://127.0.0.1:1",), api_key="key\nHost: other"))
    with pytest.raises(WrongSetting, match=r"missing\.pem"):
        ServerEmbedder(Choice(model=MODEL, urls=("https://127.0.0.1:1",), ca_bundle=str(tmp_path / "missing.pem")))
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(WrongSetting, match=r"empty\.pem"):
        ServerEmbedder(Choice(model=MODEL, urls=("https://127.0.0.1:1",), ca_bundle=str(tmp_path / "empty.pem")))
