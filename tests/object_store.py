"""An S3 store for tests: moto's server in a process of its own, and a bucket in it.

Knows moto and boto3, which fills the bucket; what is tested reads it through obstore.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import httpx

BUCKET = "corpus"
_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


class Bucket:
    """A bucket that can be filled."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.environment = _ENVIRONMENT | {"AWS_ENDPOINT_URL": endpoint}
        self._client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )

    def make(self, name: str = BUCKET) -> None:
        """Creates a bucket, empty."""
        self._client.create_bucket(Bucket=name)

    def put(self, key: str, content: bytes | str, bucket: str = BUCKET) -> None:
        """An object, or another version of it."""
        self._client.put_object(Bucket=bucket, Key=key, Body=content if isinstance(content, bytes) else content.encode())

    def put_all(self, contents: Mapping[str, bytes | str], bucket: str = BUCKET) -> None:
        """Some objects."""
        for key, content in contents.items():
            self.put(key, content, bucket)

    def put_file(self, key: str, file: Path) -> None:
        """An object with the bytes of a file."""
        self.put(key, file.read_bytes())

    def move(self, old: str, new: str) -> None:
        """The same bytes under another key."""
        self._client.copy_object(Bucket=BUCKET, Key=new, CopySource={"Bucket": BUCKET, "Key": old})
        self.delete(old)

    def delete(self, key: str) -> None:
        """An object less."""
        self._client.delete_object(Bucket=BUCKET, Key=key)

    def empty(self) -> None:
        """No objects left."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for found in page.get("Contents", ()):
                self.delete(found["Key"])


@contextmanager
def running_store(**environment: str) -> Iterator[Bucket]:
    """A server with an empty bucket, ended afterwards. `environment` is more of moto's settings."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_for(endpoint)
        bucket = Bucket(endpoint)
        bucket.make()
        yield bucket
    finally:
        process.terminate()
        process.wait()


class Meddler:
    """Between a client and the store: refuses what `refuses` says of a path with its query, and runs `before` first."""

    def __init__(self) -> None:
        self.refuses: Callable[[str], bool] = lambda path: False
        self.before: Callable[[str], None] = lambda path: None
        self.seen: list[str] = []
        self.keys: set[str] = set()  # whose they were signed with


@contextmanager
def meddling(bucket: Bucket) -> Iterator[tuple[Bucket, Meddler]]:
    """The same bucket through a proxy that passes requests on as they are."""
    meddler = Meddler()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on()

        def do_HEAD(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            meddler.seen.append(f"{self.command} {self.path}")
            if signed := re.search(r"Credential=(\w+)/", self.headers.get("Authorization", "")):
                meddler.keys.add(signed[1])
            meddler.before(self.path)
            if meddler.refuses(self.path):
                self._answer(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
                return
            sent = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            answer = httpx.request(self.command, f"{bucket.endpoint}{self.path}", headers=sent)
            self._answer(answer.status_code, answer.headers, answer.content)

        def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("connection", "date", "server", "transfer-encoding", "content-encoding"):
                    if name.lower() == "content-length" and self.command != "HEAD":
                        continue
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Bucket(f"http://127.0.0.1:{server.server_port}"), meddler
    finally:
        server.shutdown()
        server.server_close()


def use(bucket: Bucket, cache: Path, monkeypatch: Any) -> None:
    """Points this process at that store, with a cache of its own."""
    from rag.corpus.objects import copies, store

    for name, value in {**bucket.environment, "XDG_CACHE_HOME": str(cache)}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    store._store.cache_clear()
    copies.user_cache.cache_clear()
    copies._SEEN.forget()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(endpoint: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urlopen(f"{endpoint}/moto-api/data.json", timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
