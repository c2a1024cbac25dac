"""Pictures are opened in a confined process, whoever opens them: it reaches no network, no file and no program.

The loader of pictures is replaced in the worker processes by one that tries all three and tells by the colour of its picture.
"""

from __future__ import annotations

import base64
import io
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rag
from rag.decoding import idle_workers
from rag.media.service import MediaService
from rag.types import Content, Fingerprint, Kind, Modality
from tests.e2e.conftest import CountingEmbedder
from tests.unit.api_server import asking

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are confined on Linux only")
NOTHING = (20, 20, 20)  # the colour of a picture whose reader reached nothing; a channel is 255 where it did


class Eyes(CountingEmbedder):
    """An embedder that records the colours of its inputs."""

    seen: list[tuple[int, int, int]] = []  # noqa: RUF012

    def embed(self, contents: Sequence[Content], *, role: Any) -> Any:
        Eyes.seen += colours(contents)
        return super().embed(contents, role=role)


class Judge:
    """A reranker that wants pixels and records their colours."""

    name = "judge"
    modalities: frozenset[Modality] = frozenset({"text", "image"})
    reads_vectors: Fingerprint | None = None
    trust: Mapping[Kind, float] = {}
    seen: list[tuple[int, int, int]] = []  # noqa: RUF012

    def __init__(self, choice: Any = None) -> None: ...

    def wants_pixels(self, query: Content) -> bool:
        return True

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]:
        Judge.seen += colours(contents)
        return [0.5] * len(contents)


def colours(contents: Sequence[Content]) -> list[tuple[int, int, int]]:
    return [tuple(int(part) for part in pixels[0, 0]) for one in contents for pixels in one.pixels]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One picture; workers that start from now on read pictures with `EscapePicture`."""
    site = tmp_path / "site"
    site.mkdir()
    replaced = "import rag.loaders as l; l.LOADERS['picture'] = 'tests.unit.bad_loaders:EscapePicture'"
    (site / "sitecustomize.py").write_text(replaced)
    folder = tmp_path / "corpus"
    folder.mkdir()
    Image.new("RGB", (64, 64), (200, 100, 50)).save(folder / "p.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(idle_workers, "_spares", [])
    Eyes.seen, Judge.seen = [], []
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("ESCAPE_PORT", str(server.getsockname()[1]))
        monkeypatch.setenv("ESCAPE_FILE", str(tmp_path / "escaped"))
        yield folder
    assert not (tmp_path / "escaped").exists()


def test_every_way_to_open_a_picture_is_confined(corpus: Path) -> None:
    model = {"backend": f"{__name__}:Eyes", "model": "eyes", "reranker": f"{__name__}:Judge"}
    rag.build_index(corpus, ocr="never", **{key: model[key] for key in ("backend", "model")})
    assert Eyes.seen == [NOTHING], "index"
    picture = corpus / "p.png"
    with rag.open_index(**model) as searcher:
        Eyes.seen, Judge.seen = [], []
        [hit] = searcher.query(image=picture)
        assert (Eyes.seen, Judge.seen) == ([NOTHING], [NOTHING]), "query picture, candidates of the reranker"
        Eyes.seen = []
        searcher.query(image=picture.read_bytes())
        assert Eyes.seen == [NOTHING], "upload"
        Eyes.seen = []
        searcher.query(like=hit.id)
        assert Eyes.seen == [NOTHING], "more like this"
        with searcher.index.snapshot() as snapshot, MediaService() as media:
            stored = snapshot.by_id(hit.id)
            assert stored is not None
            for size in ("thumb", "view"):
                shown = media.picture(stored, size, searcher.policy.limits, searcher.index.folder)
                assert np.abs(np.asarray(Image.open(io.BytesIO(shown.content)))[32, 32].astype(int) - 20).max() < 8, size


def test_pictures_to_rerank_are_confined(corpus: Path) -> None:
    sent = f"data:image/png;base64,{base64.b64encode((corpus / 'p.png').read_bytes()).decode()}"
    with asking(corpus.parent / "nowhere", reranker=f"{__name__}:Judge") as api:
        answer = api.post("/v1/rerank", json={"query": "harbour", "documents": [{"image": sent}]})
    assert answer.status_code == 200, answer.text
    assert Judge.seen == [NOTHING]


def test_modules_that_lie_in_the_folder_are_never_imported(tmp_path: Path) -> None:
    """A person stands in a stranger's folder: what is named like this program or its libraries there is text to be read."""
    mark = tmp_path / "mark"
    corpus = tmp_path / "corpus"
    for name in ("rag/__init__.py", "numpy.py", "json/__init__.py", "socket.py", "apsw/__init__.py", "PIL/__init__.py"):
        file = corpus / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"open({str(mark)!r}, 'a').write({name!r})\nraise SystemExit('a harbour of strangers')\n")
    Image.new("RGB", (640, 480), "teal").save(corpus / "harbour.png")  # is opened by a worker
    command = Path(sys.executable).parent / "rag"
    for arguments in (("index", ".", "--jobs", "2"), ("query", "harbour of strangers")):
        ran = subprocess.run([command, *arguments, "--index", tmp_path / "x"], cwd=corpus, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
    assert "numpy.py" in ran.stdout
    assert not mark.exists()
