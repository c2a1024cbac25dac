"""A small index of samples, and the API over it in this process. Knows the public functions of rag.api."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw
from starlette.testclient import TestClient

import rag
from rag.api.app import create_app
from rag.api.guard import Trust
from rag.api.library import IndexLibrary

CORPUS = Path(__file__).parents[2] / "samples/corpus"
TAKEN = (
    *("photos/IMG_2041.jpg", "photos/IMG_2063.jpg", "photos/gull-head.jpg", "photos/gull-head.jpg.txt"),
    *("reports/annual-report-2025.pdf", "screenshots/a7f3.png", "videos/induction-talk.mp4", "notes/gull-head-visit.md"),
)
BASE = "http://127.0.0.1:7860"
HARBOUR = ("minutes.txt", "Harbour dues were raised by nine percent in the winter.\n")


def build_library(folder: Path) -> Path:
    """An index `library` of some samples and one text, below `folder`; no OCR, so that it takes a second or two."""
    corpus = folder / "corpus"
    for name in TAKEN:
        (corpus / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CORPUS / name, corpus / name)
    (corpus / HARBOUR[0]).write_text(HARBOUR[1])
    index = folder / "indexes/library"
    rag.build_index(corpus, index=str(index), ocr="never")
    return index


def make_signs(folder: Path, count: int) -> None:
    """Pictures of words, each another: slow to index, because the words are recognised."""
    for number in range(count):
        sign = Image.new("RGB", (900, 700), "white")
        pen = ImageDraw.Draw(sign)
        for line in range(12):
            pen.text(
                (40, 30 + 54 * line), f"berth {number} line {line}: vessel {number * 7 + line} departs", "black", font_size=30
            )
        sign.save(folder / f"sign-{number}.png")


@contextmanager
def asking(*indexes: Path, trust: Trust | None = None, **flags: object) -> Iterator[TestClient]:
    """A client of the application over these indexes; errors of ours are answers, never exceptions here."""
    library = IndexLibrary(
        [str(index) for index in indexes], rag.load_settings({"ocr": "never", **flags}), token=trust.token if trust else ""
    )
    app = create_app(library, trust)
    base = BASE if trust is None else f"http://{trust.host}:{trust.port}"
    with TestClient(app, base_url=base, raise_server_exceptions=False) as client:
        yield client


@contextmanager
def managing(*indexes: Path, browse: Sequence[Path] = ()) -> Iterator[TestClient]:
    """Like `asking`, with the key of this start; `browse` are the folders that it opens."""
    trust = Trust("127.0.0.1", 7860)
    library = IndexLibrary([str(index) for index in indexes], rag.load_settings({"ocr": "never"}))
    app = create_app(library, trust, browse=browse)
    headers = {"Authorization": f"Bearer {trust.start_key}"}
    with TestClient(app, base_url=BASE, headers=headers, raise_server_exceptions=False) as client:
        yield client
