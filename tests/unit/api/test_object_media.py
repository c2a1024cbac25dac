"""Hits from an object store over HTTP: thumbnails, originals and byte ranges of videos, and their caching."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import rag
from rag.corpus.objects import copies
from rag.index.reader.open_index import open_index
from tests.object_store import Bucket, running_store, use
from tests.unit.api_server import CORPUS, asking
from tests.unit.films import colour, film

PREFIX = "s3://corpus/team"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with running_store() as found:
        yield found


@pytest.fixture
def client(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    use(bucket, tmp_path / "cache", monkeypatch)
    bucket.empty()
    film(tmp_path / "direct.mp4", sound="aac")
    film(tmp_path / "stream.ts", sound="aac", form="mpegts")
    for name in ("direct.mp4", "stream.ts"):
        bucket.put_file(f"team/films/{name}", tmp_path / name)
    bucket.put_file("team/photo ü.jpg", CORPUS / "photos/IMG_2041.jpg")
    bucket.put_file("team/report.pdf", CORPUS / "reports/annual-report-2025.pdf")
    bucket.put("team/notes.md", "# Harbour\n\nThe harbours closed.\n")
    index = tmp_path / "indexes/library"
    report = rag.build_index(PREFIX, index=str(index), ocr="never", frame_seconds=1.0)
    assert (report.indexed, report.skipped) == (5, ())
    use(bucket, tmp_path / "another-cache", monkeypatch)  # as on another machine
    with asking(index) as client:
        client.app.state.place = index  # type: ignore[attr-defined]
        yield client


def hit(client: TestClient, document: str) -> str:
    """The id of the first passage of a document."""
    place: Path = client.app.state.place  # type: ignore[attr-defined]
    with open_index(place) as opened, opened.snapshot() as snapshot:
        stored = snapshot.passages(snapshot.live.numbers.tolist())
    return next(one.id for one in stored if one.passage.document.path == document)


def test_a_thumbnail_is_made_of_the_object_and_revalidated(client: TestClient, bucket: Bucket) -> None:
    id = hit(client, "photo ü.jpg")
    answer = client.get(f"/v1/media/{id}?size=thumb")
    shown = Image.open(io.BytesIO(answer.content))
    assert (answer.status_code, answer.headers["content-type"], max(shown.size)) == (200, "image/webp", 768)
    assert client.get(f"/v1/media/{id}?size=thumb", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    bucket.put_file("team/photo ü.jpg", CORPUS / "photos/IMG_2063.jpg")
    copies._SEEN.forget()  # five seconds later
    changed = client.get(f"/v1/media/{id}?size=thumb", headers={"If-None-Match": answer.headers["etag"]})
    assert (changed.status_code, changed.headers["etag"] != answer.headers["etag"]) == (200, True)


def test_a_page_and_its_outlines(client: TestClient) -> None:
    id = hit(client, "report.pdf")
    assert client.get(f"/v1/media/{id}?size=view").status_code == 200
    said = client.get(f"/v1/passages/{id}", params={"words": "harbour"}).json()
    assert said["path"] == f"{PREFIX}/report.pdf"
    assert said["size"] and said["pages"] > 1


def test_the_original_is_the_object(client: TestClient) -> None:
    answer = client.get(f"/v1/media/{hit(client, 'report.pdf')}/original")
    assert answer.content == (CORPUS / "reports/annual-report-2025.pdf").read_bytes()
    assert "report.pdf" in answer.headers["content-disposition"]


def test_byte_ranges_of_a_video(client: TestClient, tmp_path: Path) -> None:
    id = hit(client, "films/direct.mp4")
    whole = (tmp_path / "direct.mp4").read_bytes()
    answer = client.get(f"/v1/media/{id}/video", headers={"Range": "bytes=100-299"})
    assert (answer.status_code, answer.content) == (206, whole[100:300])
    assert answer.headers["content-range"] == f"bytes 100-299/{len(whole)}"
    assert client.get(f"/v1/media/{id}/video", headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    remuxed = client.get(f"/v1/media/{hit(client, 'films/stream.ts')}/video", headers={"Range": "bytes=0-11"})
    assert (remuxed.status_code, remuxed.content[4:8]) == (206, b"ftyp")


def test_a_frame_of_a_video(client: TestClient) -> None:
    answer = client.get(f"/v1/media/{hit(client, 'films/direct.mp4')}", params={"at": 4.0})
    seen = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
    assert np.abs(seen.mean(axis=(0, 1)) - colour(4.0)).max() < 12


def test_an_object_that_is_gone_is_not_shown_and_a_store_that_is_down_is_no_missing_picture(
    client: TestClient, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    id, other = hit(client, "photo ü.jpg"), hit(client, "report.pdf")
    bucket.delete("team/photo ü.jpg")
    copies._SEEN.forget()
    answer = client.get(f"/v1/media/{id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_shown")
    monkeypatch.setattr("rag.corpus.objects.store._RETRIES", {"max_retries": 0})
    use(Bucket("http://127.0.0.1:9"), tmp_path / "third-cache", monkeypatch)
    assert client.get(f"/v1/media/{other}").status_code == 503


def test_more_like_a_picture_reads_it_from_the_store(client: TestClient) -> None:
    id = hit(client, "photo ü.jpg")
    found = client.post("/v1/search", json={"like": id})
    assert found.status_code == 200 and found.json()["hits"]


def test_the_index_page_shows_the_root(client: TestClient) -> None:
    [index] = client.get("/v1/indexes").json()
    assert index["roots"] == [{"name": "team", "folder": PREFIX, "present": True}]
