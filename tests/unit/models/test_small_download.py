"""The files of the small tier: stated, downloaded once and compared with checksums, from a server that answers as the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import rag
from rag.backends.base import Choice
from rag.backends.small.files import PARTS, folder_of, is_small, missing
from rag.errors import BackendError
from rag.models.check_small import prove_small
from rag.models.selection import Capabilities, ModelChoice, choose_embedder
from rag.models.small_download import fetch_if_named

NAMED = ModelChoice("small", Choice(model="small"))
FILES = {f"/{part.repository}/resolve/main/{source}": f"bytes of {source}".encode() for part in PARTS for source, _ in part.files}


class Hub(ThreadingHTTPServer):
    broken = ""  # the end of a path whose bytes are not those that were promised
    asked: list[str]


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        content = FILES[self.path]
        self.send_response(302)
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = FILES[self.path]
        if self.server.broken and self.path.endswith(self.server.broken):
            content = content[::-1]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server = Hub(("127.0.0.1", 0), _Answers)
    server.asked = []
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


def test_everything_is_stated_and_downloaded_once(hub: Hub) -> None:
    said: list[str] = []
    fetch_if_named(NAMED, said.append)
    folder = folder_of("small")
    assert missing(folder) == []
    assert (folder / "text" / "model.onnx").read_bytes() == b"bytes of onnx/model_quantized.onnx"
    assert sorted(hub.asked) == sorted(FILES)
    assert "Xenova/multilingual-e5-small (MIT; words in 94 languages)" in said[0]
    assert f"SHA-256 {hashlib.sha256(b'bytes of onnx/model_quantized.onnx').hexdigest()}" in said[1]
    assert any("siglip2-base-patch16-224-ONNX (Apache 2.0;" in line for line in said)
    fetch_if_named(NAMED, said.append)
    assert len(hub.asked) == len(FILES)


def test_other_bytes_than_promised_are_refused_and_not_kept(hub: Hub) -> None:
    hub.broken = "vision_model_quantized.onnx"
    with pytest.raises(BackendError, match="sent other bytes than it promised"):
        fetch_if_named(NAMED, lambda _: None)
    assert "pictures/vision_model.onnx" in missing(folder_of("small"))
    assert not list(folder_of("small").rglob("*.partial"))
    hub.broken = ""
    fetch_if_named(NAMED, lambda _: None)  # goes on with what is missing
    assert missing(folder_of("small")) == []


def test_a_hub_that_cannot_be_reached_names_the_other_way(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(BackendError) as raised:
        fetch_if_named(NAMED, lambda _: None)
    assert "--model small:/path" in raised.value.remedy


def test_nothing_is_downloaded_for_a_local_folder_or_another_model(hub: Hub, tmp_path: Path) -> None:
    fetch_if_named(ModelChoice("small", Choice(model=f"small:{tmp_path}")), lambda _: None)
    fetch_if_named(ModelChoice("lite", Choice()), lambda _: None)
    assert hub.asked == []


def test_missing_files_are_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("words\n")
    with pytest.raises(BackendError) as raised:
        rag.build_index(tmp_path / "a.txt", index="indexes/x", model=f"small:{tmp_path}/tier")
    assert "lacks text/model.onnx, text/tokenizer.json" in raised.value.what
    assert "text/ from https://huggingface.co/Xenova/multilingual-e5-small" in raised.value.remedy
    [finding] = prove_small(Choice(model=f"small:{tmp_path}/tier"))
    assert (finding.verdict, finding.check) == ("failed", "files")


def test_the_name_alone_chooses_it_whatever_the_machine_has() -> None:
    from rag.config import load_settings

    machine = Capabilities(lambda _: True, lambda: True, lambda _: True, lambda *_: None)
    for model in ("small", "small:/somewhere"):
        assert choose_embedder(load_settings({"model": model}), {}, machine).backend == "small"
    assert [is_small(name) for name in ("small", "small:/x", "smaller", "a/small")] == [True, True, False, False]


def test_a_folder_is_named_with_the_prefix_or_beside_the_backend(tmp_path: Path) -> None:
    assert folder_of(f"small:{tmp_path}") == folder_of(str(tmp_path)) == tmp_path
    assert folder_of("") == folder_of("small:small") == folder_of("small")
    assert folder_of("~/tier") == Path.home() / "tier"
