"""A small index, and a real server over it, for the adapters. Run by `make test-adapters`, which installs the frameworks."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from PIL import Image, ImageDraw

import rag
from rag.api.app import create_app
from rag.api.guard import Trust
from rag.api.library import IndexLibrary

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"  # nothing is told to anybody
TEXTS = {
    "dues.txt": "Harbour dues were raised by nine percent in the winter.",
    "ferry.md": "# The ferry\n\nIn winter the ferry sails at 08:15 from the harbour.",
    "crane.txt": "The crane in the harbour lifts forty tonnes.",
}


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three texts and a picture with a caption."""
    corpus = tmp_path_factory.mktemp("adapted") / "corpus"
    corpus.mkdir()
    for name, text in TEXTS.items():
        (corpus / name).write_text(text)
    sign = Image.new("RGB", (320, 200), "white")
    ImageDraw.Draw(sign).text((40, 80), "LOST SEAL", "black", font_size=40)
    sign.save(corpus / "sign.png")
    (corpus / "sign.png.txt").write_text("A sign about a lost seal in the harbour")
    folder = corpus.parent / "indexes/adapted"
    rag.build_index(corpus, index=str(folder), ocr="never")
    return folder


@pytest.fixture(scope="session")
def server(index: Path) -> Iterator[str]:
    """The address of a running server over it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        app = create_app(IndexLibrary([str(index)], rag.load_settings({"ocr": "never"})), Trust("127.0.0.1", port))
        running = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
        running.should_exit = True
        thread.join(20)
