"""Proxies, TLS, addresses, deadlines and aborted requests of the `server` backend."""

import base64
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.server.connection import Connection
from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.exchange import TransientFailure, exchange
from rag.backends.server.routes import routes_of
from rag.backends.server.scheduler import RetryPolicy
from rag.errors import BackendError, WrongSetting
from rag.types import Content
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer

MODEL = "Qwen/Qwen3-Embedding-0.6B"
TEXTS = [Content("text", text=f"passage {number}") for number in range(4)]
SHORT = RetryPolicy(total=3.0, unreachable=0.5, first_rest=0.01, longest_rest=0.05, longest_retry_after=0.3)


def embedder(url, **more):
    return ServerEmbedder(Choice(model=MODEL, urls=(url,), timeout=20.0, **more), SHORT)


@contextmanager
def talking(say):
    """A port that hands each connection and the head of its first request to `say`; yields the port and those heads."""
    told = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=have, args=(connection,), daemon=True).start()

    def have(connection):
        with connection:
            heard = b""
            while b"\r\n\r\n" not in heard and (more := connection.recv(65_536)):
                heard += more
            told.append(heard.decode("latin-1"))
            try:
                say(connection, heard)
            except OSError:
                pass  # the other side went away

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], told
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def passed_on(port, greeting=b""):
    """A proxy: forwards everything to that port, and back."""

    def say(connection, heard):
        with socket.create_connection(("127.0.0.1", port)) as server:
            if greeting:
                connection.sendall(greeting)
            else:
                server.sendall(heard)
            back = threading.Thread(target=pump, args=(server, connection), daemon=True)
            back.start()
            pump(connection, server)
            back.join()

    return say


def pump(source, target):
    try:
        while received := source.recv(65_536):
            target.sendall(received)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def environment(monkeypatch):
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    return monkeypatch


def test_a_proxy_gets_the_whole_address_of_the_server(environment):
    with FakeServer(MODEL) as server:
        port = int(server.url.rpartition(":")[2])
        with talking(passed_on(port)) as (proxy, told):
            environment.setenv("HTTP_PROXY", f"http://user:pass%40word@127.0.0.1:{proxy}")
            server.paths |= {"http://models.invalid:8000/v1/models", "http://models.invalid:8000/v1/embeddings"}
            with pytest.raises(BackendError):  # the fake server answers by path; only the request counts here
                embedder("http://models.invalid:8000").embed(TEXTS, role="document")
    first = told[0].splitlines()
    assert first[0] == "GET http://models.invalid:8000/v1/models HTTP/1.1"
    assert "Host: models.invalid:8000" in first
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'user:pass@word').decode()}" in first


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("makes its certificate with openssl")
    folder = tmp_path_factory.mktemp("certificate")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=models.invalid", "-addext", "subjectAltName=DNS:models.invalid"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert, *subject]
    subprocess.run(list(map(str, made)), check=True, capture_output=True)
    return cert, key


def test_tls_is_tunnelled_through_a_proxy(environment, certificate):
    cert, _ = certificate
    with FakeServer(MODEL, tls=tuple(map(str, certificate))) as server:
        port = int(server.url.rpartition(":")[2])
        with talking(passed_on(port, b"HTTP/1.1 200 Connection established\r\n\r\n")) as (proxy, told):
            environment.setenv("HTTPS_PROXY", f"http://user:word@127.0.0.1:{proxy}")
            asking = embedder("https://models.invalid", ca_bundle=str(cert), api_key="secret")
            found = asking.embed(TEXTS, role="document")
        np.testing.assert_allclose(found, np.stack([server.vector(one.text) for one in TEXTS]), atol=1e-6)
        assert server.requests[0].headers["Authorization"] == "Bearer secret"
        assert "Proxy-Authorization" not in server.requests[0].headers
    assert told[0].startswith("CONNECT models.invalid:443 HTTP/1.")
    assert "Proxy-Authorization: Basic" in told[0] and "secret" not in told[0]


def test_a_proxy_that_refuses_a_tunnel_is_reported(environment):
    with talking(lambda connection, heard: connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as (proxy, _):
        environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
        with pytest.raises(BackendError, match=r"cannot be reached: .*403 Forbidden"):
            embedder("https://models.invalid").embed(TEXTS, role="document")


@pytest.mark.parametrize(("name", "excepted"), [("HTTP_PROXY", "models.invalid"), ("ALL_PROXY", "*"), ("HTTP_PROXY", ".invalid")])
def test_no_proxy_is_respected(environment, name, excepted):
    choice = Choice(model=MODEL, urls=("http://models.invalid:8000/base/v1",))
    environment.setenv(name, "proxy.invalid:3128")
    (through,) = routes_of(choice)
    assert (through.proxy.host, through.proxy.port, through.prefix) == ("proxy.invalid", 3128, "http://models.invalid:8000/base")
    environment.setenv("NO_PROXY", excepted)
    (straight,) = routes_of(choice)
    assert (straight.proxy, straight.prefix) == (None, "/base")


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "https://user:word@proxy.invalid:8443"])
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(environment, proxy):
    environment.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(WrongSetting, match="cannot be used") as raised:
        routes_of(Choice(model=MODEL, urls=("https://models.invalid",)))
    assert proxy.rpartition("@")[2].removeprefix("socks5://") in raised.value.what and "word" not in raised.value.what
    assert "NO_PROXY" in raised.value.remedy


@pytest.mark.parametrize(
    ("given", "url", "host", "port", "prefix"),
    [
        ("http://Host:80/v1/", "http://host", "host", 80, ""),
        (
            "https://name:secret@bücher.example/a b/v1",
            "https://xn--bcher-kva.example/a%20b",
            "xn--bcher-kva.example",
            443,
            "/a%20b",
        ),
        ("http://[::1]:8000", "http://[::1]:8000", "::1", 8000, ""),
    ],
)
def test_addresses_are_normalised(environment, given, url, host, port, prefix):
    (route,) = routes_of(Choice(urls=(given, given)))
    assert (route.url, route.host, route.port, route.prefix) == (url, host, port, prefix)
    password = base64.b64encode(b"name:secret").decode()
    assert route.headers.get("Authorization") == (f"Basic {password}" if "secret" in given else None)


def test_headers_that_drip_are_not_waited_for_either(environment):
    def drip(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X: y\r\n")
            time.sleep(0.02)

    with talking(drip) as (port, _):
        (route,) = routes_of(Choice(urls=(f"http://127.0.0.1:{port}",)))
        link = Connection(route)
        with pytest.raises(TransientFailure, match=r"did not answer within 0\.3 s"):
            exchange(link, "/v1/models", None, 0.3)
        assert not link.is_reusable


def test_a_response_sent_before_the_request_was_read_is_used(environment):
    def refuse(connection, _):
        said = b'{"error": {"message": "too much"}}'
        connection.sendall(
            b"HTTP/1.1 413 Content Too Large\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(said) + said
        )
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_000_000):
            pass

    with talking(refuse) as (port, _):
        (route,) = routes_of(Choice(urls=(f"http://127.0.0.1:{port}",)))
        with pytest.raises(BackendError, match=r"\(413\): too much"):
            exchange(Connection(route), "/v1/embeddings", b"x" * 20_000_000, 20.0)


def test_bodies_without_a_length_and_in_chunks_are_read_to_their_end(environment):
    answers = [
        b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\n[1,\r\n3\r\n 2]\r\n0\r\n\r\n",
    ]
    for answer in answers:
        with talking(lambda connection, _, answer=answer: connection.sendall(answer)) as (port, _):
            (route,) = routes_of(Choice(urls=(f"http://127.0.0.1:{port}",)))
            link = Connection(route)
            assert exchange(link, "/v1/models", None, 20.0).content == [1, 2]
            assert link.is_reusable is (b"chunked" in answer)


def test_one_failing_request_aborts_the_others_of_its_call():
    started, ended = threading.Event(), threading.Event()

    def wait_for_the_end(handler, body):
        started.set()
        handler.connection.settimeout(60)
        assert handler.connection.recv(1) == b""  # the request is aborted, not waited for
        ended.set()
        handler.close_connection = True

    def fail(handler, body):
        assert started.wait(60)
        fake.status(401, "no key")(handler, body)

    with FakeServer(MODEL) as server:
        server.fail(wait_for_the_end, fail)
        many = [Content("text", text=f"passage {number}") for number in range(64)]
        with pytest.raises(BackendError, match="no key"):
            embedder(server.url).embed(many, role="document")
        assert ended.wait(60)


def test_a_certificate_for_another_name_is_not_trusted(certificate):
    cert, _ = certificate
    with FakeServer(MODEL, tls=tuple(map(str, certificate))) as server:
        with pytest.raises(BackendError, match="certificate is not trusted"):
            embedder(server.url, ca_bundle=str(cert)).embed(TEXTS, role="document")
        plain = server.url.replace("https", "http")
        with pytest.raises(BackendError):
            embedder(plain).embed(TEXTS, role="document")


def test_http_at_an_https_address_is_reported():
    with FakeServer(MODEL) as server, pytest.raises(BackendError, match=r"(?i)wrong.version|ssl|tls"):
        embedder(server.url.replace("http", "https")).embed(TEXTS, role="document")
