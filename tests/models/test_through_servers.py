"""The command line with real servers: what is indexed is found again by its own content, whatever its kind.

Query and document are told the same, so that equal content has equal vectors: a similarity of 1 proves the whole way, from file
and settings over HTTP into the index and back.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag.loaders.base import Limits
from rag.loaders.pdf.pdf import PdfLoader
from rag.types import Document, DocumentId, Page, Passage
from tests.models import checkpoints as tiny
from tests.models import engines

SAMPLES = Path(__file__).parents[2] / "samples/corpus"
TEXTS = ("archive/log/2017-02-11-00.txt", "archive/log/2019-05-14-16.txt", "archive/log/2022-07-03-26.txt")
CHINESE = "文档/note.txt"
PICTURES = ("photos/DSC_0113.jpg", "photos/IMG_2085.heic", "photos/night-city.webp")
SCREENSHOTS = ("screenshots/a7f3.png", "screenshots/屏幕截图 2026-05-19.png")
PDF, VIDEO = "reports/annual-report-2025.pdf", "videos/rec_0412.webm"
PIXELS = 262_144  # of a decoded picture: 256 tokens
TOLD = "Represent the user's input."
SAME = 0.999  # cosine; the index keeps vectors in fewer bits than they come in


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """What it printed; its complaints where it failed."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of its own, with a selection of the samples that has every kind."""
    folder = tmp_path_factory.mktemp("home")
    for name in (*TEXTS, *PICTURES, *SCREENSHOTS, PDF, VIDEO):
        (folder / "corpus" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLES / name, folder / "corpus" / name)
    (folder / "corpus" / CHINESE).parent.mkdir(parents=True)
    (folder / "corpus" / CHINESE).write_text("港口的吊车每年春天检查一次，船长签字。\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rag(home):
    """Runs `rag` as a process in that folder, with these settings as variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_") and name != "PYTHONPATH"}

    def run(*words, **settings):
        environment = {**kept, "XDG_RUNTIME_DIR": str(home / "run"), "HOME": str(home), **settings}
        command = [sys.executable, "-m", "rag.cli", *map(str, words)]
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=200)
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="module")
def embedder_folder(checkpoints):
    return tiny.make("vl-embedder", checkpoints)


@pytest.fixture(scope="module")
def reranker_folder(checkpoints, home):
    """Under the name of the published model, of which figures say how far to trust it with pictures."""
    named = home / "models/Qwen3-VL-Reranker-2B"
    named.parent.mkdir()
    named.symlink_to(tiny.make("vl-reranker", checkpoints), target_is_directory=True)
    return named


@pytest.fixture(scope="module", autouse=True)
def servers(embedder_folder, reranker_folder, home):
    """Both, under way at the same time."""
    with (
        engines.serving("vl-embedder", embedder_folder, home / "embedder.log") as embedder,
        engines.serving("vl-reranker", reranker_folder, home / "reranker.log") as reranker,
    ):
        yield embedder, reranker


@pytest.fixture(scope="module")
def embedder(servers):
    return engines.answering(servers[0])


@pytest.fixture(scope="module")
def reranker(servers):
    return engines.answering(servers[1])


@pytest.fixture(scope="module")
def indexed(rag, embedder):
    """The report of the run that makes the index, and the requests it made. Other commands are told nothing of the server."""
    told = {"RAG_QUERY_INSTRUCTION": TOLD, "RAG_DOCUMENT_INSTRUCTION": TOLD}
    ran = rag("index", "corpus", "--url", embedder.url, "--ocr", "never", "--max-pixels", PIXELS, "--json", **told)
    lines = embedder.log.read_text(encoding="utf-8").splitlines()
    return ran.json | {"requests": [line.partition("POST ")[2].split()[0] for line in lines if "POST " in line]}


def found(ran):
    """The hits, best first."""
    return ran.json


def page(home, number):
    """A file with the picture of a page, as the index drew it."""
    from PIL import Image

    document = Document(DocumentId("corpus", PDF), home / "corpus" / PDF)
    passage = Passage(document.id, 0, Page(number), "page", "image")
    [content] = PdfLoader().read(document, [passage], Limits(max_pixels=PIXELS))
    file = home / f"page-{number}.png"
    Image.fromarray(content.pixels[0]).save(file)
    return file


def test_every_kind_is_indexed(indexed):
    assert indexed["indexed"] == len(TEXTS) + 1 + len(PICTURES) + len(SCREENSHOTS) + 2
    assert indexed["skipped"] == []
    assert indexed["passages"].keys() == {"text", "page", "image", "screenshot", "frame"}
    assert (indexed["passages"]["image"], indexed["passages"]["screenshot"]) == (len(PICTURES), len(SCREENSHOTS))


def test_the_format_was_proven_before_the_index_was_made(indexed):
    """Tokens are counted by proofs only, and every picture is a request of its own."""
    counted = [place for place, path in enumerate(indexed["requests"]) if path == "/tokenize"]
    after = indexed["requests"][counted[-1] + 1 :]
    pictures = sum(count for kind, count in indexed["passages"].items() if kind != "text")
    assert len(counted) >= 3
    assert len(after) > pictures
    assert set(after) == {"/v1/embeddings"}


@pytest.mark.parametrize("name", [*TEXTS, CHINESE])
def test_a_text_is_found_by_its_words(indexed, rag, home, name):
    words = (home / "corpus" / name).read_text(encoding="utf-8").strip()
    first = found(rag("query", "--json", "--reranker", "none", "--", words))[0]
    assert (first["document"], first["kind"]) == (name, "text")
    assert first["similarity"] >= SAME
    assert first["lanes"]["dense"]["rank"] == 1


@pytest.mark.parametrize("name", [*PICTURES, *SCREENSHOTS])
def test_a_picture_is_found_by_itself(indexed, rag, name):
    first, second = found(rag("query", "--json", "--reranker", "none", "--image", f"corpus/{name}"))[:2]
    assert (first["document"], first["kind"]) == (name, "image" if name in PICTURES else "screenshot")
    assert first["similarity"] >= SAME > second["similarity"]


def test_a_query_told_otherwise_has_another_vector(indexed, rag):
    """The index remembers what both sides are told, and it matters."""
    asked = ("query", "--json", "--reranker", "none", "--image", f"corpus/{PICTURES[0]}")
    assert found(rag(*asked, RAG_QUERY_INSTRUCTION="Find the ship."))[0]["similarity"] < SAME


@pytest.mark.parametrize("number", [1, 2])
def test_a_page_is_found_by_its_picture(indexed, rag, home, number):
    first = found(rag("query", "--json", "--reranker", "none", "--image", page(home, number)))[0]
    assert (first["document"], first["kind"], first["best"]) == (PDF, "page", {"page": number})
    assert first["similarity"] >= SAME


def test_a_frame_is_found_by_its_moment(indexed, rag):
    listed = found(rag("query", "--json", "--reranker", "none", "--kind", "frame", "--", "ship"))
    moment = max(member["locator"]["start"] for hit in listed for member in hit["members"])
    first = found(rag("query", "--json", "--reranker", "none", "--video", f"corpus/{VIDEO}@{moment}"))[0]
    assert (first["document"], first["kind"], first["best"]["start"]) == (VIDEO, "frame", moment)
    assert first["similarity"] >= SAME


def test_reranked_hits_say_how_their_score_came_about(indexed, rag, reranker):
    ran = rag("query", "--json", "--explain", "--top-k", 30, "--reranker-url", reranker.url, "--", "harbour crane at night")
    hits = found(ran)
    assert {hit["kind"] for hit in hits} == {"text", "page", "image", "screenshot", "frame"}
    assert all(0 <= hit["rerank_score"] <= 1 for hit in hits)
    assert len({hit["rerank_score"] for hit in hits}) > len(hits) / 2
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    for hit in hits:
        why, blended = hit["explain"], hit["kind"] in ("image", "screenshot", "frame")
        assert why["score_is"] == ("0.50 rerank_score + 0.50 fused" if blended else "rerank_score")
        wanted = (hit["rerank_score"] + why["fused"]) / 2 if blended else hit["rerank_score"]
        assert hit["score"] == pytest.approx(wanted, abs=2e-6)


def test_a_picture_is_reranked_with_its_pixels(indexed, rag, reranker):
    asked = ("query", "--json", "--image", f"corpus/{PICTURES[0]}", "--reranker-url", reranker.url, "--blend", "never")
    hits = found(rag(*asked))
    assert all(hit["score"] == hit["rerank_score"] for hit in hits)
    assert "image" in {hit["kind"] for hit in hits}


def test_the_doctor_finds_nothing_wrong(rag, embedder, reranker):
    findings = rag("doctor", "--url", embedder.url, "--reranker-url", reranker.url, "--json").json["findings"]
    of_servers = [one for one in findings if embedder.url in one["subject"] or reranker.url in one["subject"]]
    proven = {(one["subject"].split()[0], one["check"]) for one in of_servers if one["verdict"] == "ok"}
    assert proven >= {
        (role, check)
        for role in ("embedder", "reranker")
        for check in ("answers", "family", "prompt tokens", "picture", "video", "alone and in a batch", "repeated requests")
    }
    assert proven >= {("embedder", "conversation"), ("reranker", "own instruction")}


def test_the_address_of_the_reranker_makes_no_index(rag, reranker, home):
    ran = rag("index", "corpus", "--url", reranker.url, "--index", "mistaken", "--json")
    assert ran.code == 2
    assert f"{reranker.name} belongs to the family qwen3-vl-reranker" in ran.err
    assert not (home / "indexes/mistaken/catalog.sqlite").exists()


def test_a_server_that_fails_the_proofs_makes_no_index(rag, reranker, home):
    """The same, with the family misstated: now only the proofs can tell."""
    misstated = ("--model", reranker.name, "--family", "qwen3-vl-embedding", "--index", "unproven")
    ran = rag("index", "corpus", "--url", reranker.url, *misstated)
    assert ran.code == 3
    assert f"embedder {reranker.url}" in ran.err
    assert "Traceback" not in ran.err
    assert not (home / "indexes/unproven/catalog.sqlite").exists()


def test_an_index_made_in_process_is_asked_there_and_at_the_server(rag, embedder, embedder_folder, home):
    few = [f"corpus/{name}" for name in (*TEXTS[:2], PICTURES[0])]
    here = {"RAG_INDEX": "few", "PYTHONPATH": os.environ["PYTHONPATH"]}
    told = {"RAG_QUERY_INSTRUCTION": TOLD, "RAG_DOCUMENT_INSTRUCTION": TOLD, **here}
    made = ("--backend", "transformers", "--model", embedder_folder, "--ocr", "never", "--max-pixels", PIXELS, "--json")
    report = rag("index", *few, *made, **told).json
    assert report["passages"] == {"text": 2, "image": 1}
    asked = ("query", "--json", "--reranker", "none", "--image", few[2])
    for first in (found(rag(*asked, **here))[0], found(rag(*asked, "--url", embedder.url, **here))[0]):
        assert first["document"] == PICTURES[0].rpartition("/")[2]
        assert first["similarity"] >= SAME


def test_a_server_that_was_stopped_is_named(indexed, rag, embedder):
    """The last test: the server is gone after it."""
    os.killpg(embedder.process.pid, signal.SIGKILL)
    embedder.process.wait()
    ran = rag("query", "ship")
    assert ran.code == 3
    assert embedder.url in ran.err
    assert "Traceback" not in ran.err
