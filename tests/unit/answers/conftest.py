"""What the tests of answers share: a small index of texts and pictures, and passages made by hand. Knows public names only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

import rag

DUES = "Harbour dues were raised by nine percent in the winter of 2025.\n"
FERRY = "\n\n".join(
    [
        "# The ferry",
        "The boat is white and was built in 1988. " * 20,
        "In winter the ferry sails at 08:15 and at 17:40 from the north quay.",
        "Tickets are sold on board. A bicycle costs four crowns. " * 14,
    ]
)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two texts and a picture of words."""
    folder = tmp_path_factory.mktemp("asked") / "corpus"
    folder.mkdir()
    (folder / "dues.txt").write_text(DUES)
    (folder / "ferry.md").write_text(FERRY)
    sign = Image.new("RGB", (640, 320), "white")
    ImageDraw.Draw(sign).text((40, 120), "LOST SEAL: CALL 5501", "black", font_size=48)
    sign.save(folder / "sign.png")
    (folder / "sign.png.txt").write_text("A sign about a lost seal on the north quay")
    return folder


@pytest.fixture(scope="session")
def index(corpus: Path) -> Path:
    """Its index. Not to be changed."""
    folder = corpus.parent / "indexes/asked"
    rag.build_index(corpus, index=str(folder), ocr="never")
    return folder


@pytest.fixture
def searcher(index: Path) -> Iterator[rag.Searcher]:
    """It, opened, with no chat model."""
    with rag.open_index(str(index), ocr="never") as one:
        yield one
